"""Words for fingers, and what a template's bytes look like."""

from __future__ import annotations

import pytest

from kiosk.core.fingers import ISO, NAMES, ZFM, format_of, number_of


@pytest.mark.parametrize(
    ("word", "number"),
    [("右手拇指", 1), ("左食指", 7), ("Right Little", 5), ("left_ring", 9), ("10", 10), ("11", 1),
     (" 20 ", 10), ("", None), ("0", None), ("21", None), ("拇指", None), ("right", None)],
)  # fmt: skip
def test_a_finger_is_called_in_three_ways(word: str, number: int | None) -> None:
    assert number_of(word) == number


def test_every_name_is_its_number() -> None:
    assert [number_of(name) for name in NAMES[1:]] == list(range(1, 11))


def iso(length: int, said: int | None = None) -> bytes:
    head = b"FMR\0 20\0" + (length if said is None else said).to_bytes(4, "big")
    return head.ljust(length, b"\1")


@pytest.mark.parametrize(
    ("data", "found"),
    [(bytes(512), ZFM), (iso(200), ISO), (iso(512), ISO), (iso(512, 511), None), (iso(24), None),
     (iso(200, 300), None), (iso(9000), None), (bytes(511), None), (b"", None)],
)  # fmt: skip
def test_a_format_is_seen_by_its_bytes(data: bytes, found: str | None) -> None:
    assert format_of(data) == found
