"""The identity number of GB 11643: its own example, each kind of mistake, every typing error."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiosk.core.idnumber import birth_date, check_character, problem

days = st.dates(date(1900, 1, 1), date(2099, 12, 31))
numbers = st.builds(
    lambda region, born, order: f"{region:06d}{born:%Y%m%d}{order:03d}",
    st.integers(110000, 659999),
    days,
    st.integers(0, 999),
).map(lambda first17: first17 + check_character(first17))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("11010519491231002X", None),  # the standard's own example
        ("440524188001010014", "birth_date"),  # its other one: nobody of 1880 sits an exam
        ("110105194912310021", "checksum"),
        ("11010519491331002X", "birth_date"),
        ("11010519490229002X", "birth_date"),
        ("110105194912310", "old_number"),
        ("1101051949123100", "length"),
        ("", "length"),
        ("11010519491231002x", "characters"),
        ("1101051949123100\uff12X", "characters"),
        ("1101051949123100 2", "characters"),
        ("11010519491231002\u0662", "characters"),
    ],
)
def test_each_kind_of_mistake(number, code):
    assert problem(number) == code


@given(numbers)
def test_right_numbers_are_right(number):
    assert problem(number) is None
    assert f"{birth_date(number):%Y%m%d}" == number[6:14]


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_found(number, position, other):
    assume(number[position] != other)
    assert problem(number[:position] + other + number[position + 1 :]) is not None


@given(numbers, st.integers(0, 16))
def test_two_neighbours_exchanged_are_always_found(number, at):
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assume(swapped != number)
    assert problem(swapped) is not None


@given(st.text(max_size=24))
def test_no_text_makes_it_fail(text):
    assert problem(text) in {None, "old_number", "length", "characters", "birth_date", "checksum"}
