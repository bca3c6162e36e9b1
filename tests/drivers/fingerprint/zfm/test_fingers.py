"""Synthetic fingers: one finger agrees with itself, never with another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.fingerprint.zfm.codec import TEMPLATE_BYTES
from drivers.fingerprint.zfm.fingers import capture, combine, make_template, similarity

names = st.text(max_size=8)
seeds = st.integers(0, 10_000)


@given(names, seeds, seeds)
def test_a_finger_scores_well_above_the_threshold(finger: str, one: int, other: int) -> None:
    assert similarity(make_template(finger, one), capture(finger, other)) >= 80


@given(names, names, seeds, seeds)
def test_another_finger_scores_nothing(a: str, b: str, one: int, other: int) -> None:
    if a != b:
        assert similarity(make_template(a, one), capture(b, other)) == 0


def test_enrolments_differ_and_repeat() -> None:
    first = make_template("left index", 1)
    assert len(first) == TEMPLATE_BYTES
    assert first == make_template("left index", 1)
    assert first != make_template("left index", 2)


def test_combining_needs_one_finger() -> None:
    combined = combine(capture("a", 1), capture("a", 2))
    assert combined is not None
    assert similarity(combined, capture("a", 3)) > 0
    assert combine(capture("a", 1), capture("b", 2)) is None


@given(st.binary(max_size=600), names)
def test_any_bytes_can_be_compared(junk: bytes, finger: str) -> None:
    assert similarity(junk, make_template(finger, 0)) == 0


def test_header_count_may_lie() -> None:
    lying = bytearray(make_template("a", 0))
    lying[2] = lying[256 + 2] = 255
    assert similarity(bytes(lying), capture("a", 1)) > 0
