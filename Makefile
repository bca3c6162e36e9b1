# make demo: the whole lane on virtual hardware.   make test: everything is checked.
# Both set the machine up first (Debian 12, Python 3.11, root or sudo); the second time it is quick.

VENV := .venv
BIN := $(VENV)/bin
DEMO ?=

.PHONY: setup demo test check bench screenshots clean

setup:
	@sh tools/setup.sh $(VENV)

demo: setup
	$(BIN)/examgate demo $(DEMO)

check: setup
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q

bench: setup
	@for file in bench/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

screenshots: setup
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m ui.screenshots build/screens

clean:
	rm -rf build demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis $(VENV)
