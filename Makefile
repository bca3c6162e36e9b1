# make demo: the whole lane on virtual hardware.   make test: everything is checked.
# Both set the machine up first (Debian 12, Python 3.11, root or sudo); the second time it is quick.

VENV := .venv
BIN := $(VENV)/bin
DEMO ?=
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q

.PHONY: setup setup-tests demo test check bench screenshots clean

setup:
	@sh tools/setup.sh $(VENV)

demo: setup
	$(BIN)/examgate demo $(DEMO)

setup-tests:
	@sh tools/setup.sh $(VENV) tests

check: setup-tests
	$(BIN)/ruff check .
	$(BIN)/mypy

# What mostly waits for devices runs three files side by side; what computes or is several processes, two.
HEAVY := tests/face tests/e2e

test: check
	$(PYTEST) -n 3 --dist loadfile $(HEAVY:%=--ignore %)
	$(PYTEST) -n 2 --dist loadfile $(HEAVY)

bench: setup-tests
	@failed=; for file in bench/bench_*.py; do \
		echo "== $$file"; $(BIN)/python $$file || failed="$$failed $$file"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

screenshots: setup
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m ui.screenshots build/screens

clean:
	rm -rf build demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis $(VENV)
