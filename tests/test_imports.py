"""Imports point one way (the arrows of the architecture page); read with ast, nothing is run."""

from __future__ import annotations

import ast
import fnmatch
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("kiosk", "drivers", "ui")


@dataclass(frozen=True)
class Import:
    by: str
    line: int
    of: str
    lazy: bool  #: in a function, or for types only

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.of}"


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def imports_of(file: Path) -> Iterator[Import]:
    by = module_name(file)

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(by, child.lineno, alias.name, lazy)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{by}:{child.lineno}: relative import"
                for alias in child.names:
                    whole = f"{child.module}.{alias.name}"
                    of = whole if is_module(whole) else str(child.module)
                    yield Import(by, child.lineno, of, lazy)
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or (
                isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            )
            yield from visit(child, lazy or inside)

    yield from visit(ast.parse(file.read_text()), lazy=False)


def all_imports() -> list[Import]:
    files = [file for top in OURS for file in sorted((ROOT / top).rglob("*.py"))]
    return [found for file in files for found in imports_of(file)]


IMPORTS = all_imports()


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """`kiosk.store` stands for itself and everything below it; `*` for one part of a name."""
    return any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(name, p + ".*") for p in patterns)


def is_ours(name: str) -> bool:
    return name.split(".")[0] in OURS


#: The composition root.
ROOT_MODULES = ("kiosk.app", "kiosk.app_centre", "kiosk.app_devices")
UPPER = (
    *ROOT_MODULES, "kiosk.daemon", "kiosk.office", "kiosk.session", "kiosk.supervisor",
    "kiosk.steps", "kiosk.desks", "kiosk.workshop", "kiosk.acceptance",
    "kiosk.server", "kiosk.cli", "kiosk.demo", "ui",
)  # fmt: skip
CONTRACTS = ("drivers.contracts", "drivers.errors")

#: who, what of ours they may import at once, what besides inside a function or for types
RULES: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    ("drivers", ("drivers",), ()),
    ("kiosk.core", ("kiosk.core",), ()),
    ("kiosk.audit", ("kiosk.audit", "kiosk.core"), ()),
    ("kiosk.stats", ("kiosk.stats", "kiosk.audit.record", "kiosk.core"), ()),
    (
        "kiosk.report",
        ("kiosk.report", "kiosk.core", "kiosk.store", "kiosk.ink", "kiosk.ink_picture",
         "kiosk.reasons"),
        (),
    ),
    (
        "ui",
        ("ui", "kiosk.wire", "kiosk.core.codes", "kiosk.core.signed_texts", "kiosk.config"),
        (),
    ),
    (
        "kiosk.cli",
        ("kiosk.cli", "kiosk.wire", "kiosk.core.codes", "kiosk.config", "kiosk.reasons",
         "kiosk.logs", "kiosk.csvtext", "kiosk.told"),
        (*ROOT_MODULES, "kiosk.demo.main", "kiosk.demo.sim", "kiosk.workshop", "drivers.recording",
         "drivers.ports", "kiosk.store.errors", "kiosk.store.vault",
         "kiosk.centre.roster_file", "kiosk.centre.bundle", "kiosk.texts", "kiosk.core.staff",
         "kiosk.centre.download", "kiosk.centre.evidence", "kiosk.centre.receiver",
         "kiosk.centre.upload",
         "kiosk.preconditions", "drivers.errors",
         "kiosk.face.calibration", "kiosk.face.models", "kiosk.audit", "kiosk.ink",
         "kiosk.ink_picture", "kiosk.core.signed_texts", "kiosk.stats",
         "kiosk.report.dispute_check", "kiosk.report.seal", "kiosk.centre.counter",
         "kiosk.centre.problems",
         "kiosk.staff.peers", "kiosk.tls", "kiosk.credentials", "kiosk.enrolment",
         "kiosk.face.enrol", "kiosk.face.yunet"),
    ),
    (
        "kiosk.demo",
        ("kiosk", "drivers.*.virtual", "drivers.camera.device", "drivers.fingerprint.zfm.fingers",
         "drivers.fingerprint.zfm.codec", "drivers.link", "drivers.turnstile.gate",
         *CONTRACTS, "ui.qt"),
        (),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("who", "at_once", "lazily"), RULES, ids=[rule[0] for rule in RULES])
def test_part_imports_only_what_it_may(
    who: str, at_once: tuple[str, ...], lazily: tuple[str, ...]
) -> None:
    ours = [i for i in IMPORTS if matches(i.by, (who,)) and is_ours(i.of)]
    assert ours, f"nothing was found of {who}"
    wrong = [i for i in ours if not matches(i.of, at_once + (lazily if i.lazy else ()))]
    assert not wrong, "\n".join(map(str, wrong))


def test_core_is_pure() -> None:
    allowed = sys.stdlib_module_names - {
        "asyncio", "logging", "os", "random", "secrets", "socket", "sqlite3", "subprocess",
        "threading", "time",
    }  # fmt: skip
    outside = [
        i
        for i in IMPORTS
        if matches(i.by, ("kiosk.core",))
        and not is_ours(i.of)
        and i.of.split(".")[0] not in allowed
    ]
    assert not outside, "\n".join(map(str, outside))


def test_only_the_composition_root_makes_devices() -> None:
    makers = {i.by for i in IMPORTS if i.of == "drivers.registry"}
    assert makers == {"kiosk.app"}


def test_the_lane_knows_contracts_not_drivers() -> None:
    wrong = [
        i
        for i in IMPORTS
        if matches(i.by, ("kiosk",))
        and not matches(i.by, (*ROOT_MODULES, "kiosk.port_search", "kiosk.demo", "kiosk.cli"))
        and matches(i.of, ("drivers",))
        and not matches(i.of, CONTRACTS)
    ]
    assert not wrong, "\n".join(map(str, wrong))


def test_the_lower_layer_never_looks_up() -> None:
    lower = (
        "kiosk.store", "kiosk.hall", "kiosk.centre", "kiosk.face", "kiosk.report", "kiosk.wire",
        "kiosk.core",
    )  # fmt: skip
    wrong = [i for i in IMPORTS if matches(i.by, lower) and matches(i.of, UPPER)]
    assert not wrong, "\n".join(map(str, wrong))


def test_nobody_imports_the_top() -> None:
    """Commands and demonstration are ends; only they build a lane through kiosk.app."""
    wrong = [
        i
        for i in IMPORTS
        if matches(i.of, (*ROOT_MODULES, "kiosk.cli", "kiosk.demo"))
        and not matches(i.by, (*ROOT_MODULES, "kiosk.cli", "kiosk.demo"))
    ]
    assert not wrong, "\n".join(map(str, wrong))


def test_68_landmarks_are_for_test_equipment_only() -> None:
    """The file's terms exclude commercial use: docs/dependencies.md."""
    users = {
        module_name(file)
        for top in OURS
        for file in (ROOT / top).rglob("*.py")
        if re.search(
            r"pose_predictor_model_location|shape_predictor_68|face_landmarks\(", file.read_text()
        )
    }
    assert users == {"drivers.camera.headmodel"}
    importers = {i.by for i in IMPORTS if i.of == "drivers.camera.headmodel"}
    assert all(matches(name, ("drivers.camera",)) for name in importers)
    device = [i.of for i in IMPORTS if i.by in ("drivers.camera.device", "drivers.camera.sources")]
    assert "drivers.camera.headmodel" not in device
