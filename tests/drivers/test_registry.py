"""Names become drivers, lazily; a mistyped name is told its nearest."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from drivers.registry import DRIVERS, UnknownDriver, make_device, names

MODBUS = {"port": "/dev/null", "unlock_coil": 0, "pulse_ms": 500} | {
    f"input_{name}": n for n, name in enumerate(("passage_a", "passage_b", "forced", "fire"))
}


@pytest.mark.parametrize(("role", "driver"), DRIVERS)
def test_every_entry_names_a_class(role, driver):
    module, _, name = DRIVERS[role, driver].partition(":")
    assert isinstance(getattr(import_module(module), name), type)


def test_makes_a_device_without_opening_it():
    device = make_device("turnstile", "modbus", MODBUS)
    assert type(device).__name__ == "ModbusTurnstile"


def test_a_mistyped_driver_is_told_the_nearest():
    with pytest.raises(UnknownDriver, match="did you mean modbus"):
        make_device("turnstile", "modbuss", {})


def test_an_unlike_name_is_told_all():
    with pytest.raises(UnknownDriver, match="there are: sam"):
        make_device("id_card", "qwxyz", {})


def test_names_of_a_role():
    assert names("fingerprint") == ["zfm", "libfprint"]
    assert names("nothing") == []


def test_no_driver_is_imported_before_it_is_asked_for():
    heavy = "{'cv2', 'pymodbus', 'pyfingerprint', 'serial'}"
    program = f"import sys, drivers.registry; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
