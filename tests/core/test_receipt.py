"""A receipt's text: written and read back, and everything that is wrong with one is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.checkpoint import Head, origin_of, write_note
from kiosk.core.hall import is_name
from kiosk.core.receipt import MAX_BYTES, Receipt, parse_receipt, write_receipt


def checkpoint(size: int, origin: str = "examgate/KM1/A") -> str:
    return write_note(Head(origin, size, bytes(32)), origin, bytes(32), bytes(64))


def receipt(**change: object) -> Receipt:
    values: dict[str, object] = {
        "session_id": "KM1-0900",
        "terminal": "047",
        "draw_no": 12,
        "seq": 40,
        "leaf_hash": "ab" * 32,
        "checkpoint": checkpoint(41),
    }
    return Receipt(**(values | change))  # type: ignore[arg-type]


names = st.text(min_size=1, max_size=64).filter(is_name)
numbers = st.integers(1, 10**15)


@given(names, names, numbers, numbers, st.integers(0, 1000), st.binary(min_size=32, max_size=32),
       st.text(min_size=1, max_size=32), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_is_written_is_read_back(
    session_id, terminal, draw_no, seq, more, leaf, venue, end, cut
):  # fmt: skip
    origin = origin_of(venue, "lane-with-a-name-of-32-letters--")
    whole = Receipt(session_id, terminal, draw_no, seq, leaf.hex(), checkpoint(seq + more, origin))
    text = write_receipt(whole)
    assert whole.head == Head(origin, seq + more, bytes(32))
    read_by_a_phone = text.replace("\n", end)
    assert parse_receipt(read_by_a_phone.removesuffix(end) if cut else read_by_a_phone) == whole


GOOD = write_receipt(receipt())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("receipt/v1", "receipt/v2", "first line"),
        ("KM1-0900", "", "line 2"),
        ("047", ' 047', "line 3: ' 047'"),
        ("\n12\n", "\n012\n", "line 4"),
        ("\n12\n", "\n0\n", "line 4"),
        ("\n40\n", "\n4O\n", "line 5"),
        ("\n40\n", "\n" + "9" * 17 + "\n", "line 5"),
        ("abab", "ABAB", "line 6"),
        ("\n41\n", "\n39\n", "39 entries and cannot have entry 40"),
        ("\n41\n", "\n-1\n", "not a checkpoint"),
        ("AAA=", "AA==", "the root is not a SHA-256"),
        ("\n\nexamgate", "\nexamgate", "an empty one"),
        ("\n\n— ", "\n— ", "not a checkpoint"),
        ("— ", "- ", "not a signature"),
        ("— examgate/KM1/A", "— examgate/KM1/B", "no signature of examgate/KM1/A"),
        ("047", "047\n047", "an empty one"),
        ("047", "0" * MAX_BYTES, "longer than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match=says):
        parse_receipt(GOOD.replace(old, new, 1))


@given(st.text(max_size=400))
def test_garbage_is_an_error_and_no_crash(text: str) -> None:
    for tried in (text, GOOD[: len(text)] + text, GOOD.replace("047", text)):
        try:
            found = parse_receipt(tried)
        except ValueError:
            continue
        assert write_receipt(found) == tried.replace("\r\n", "\n").removesuffix("\n") + "\n"


@pytest.mark.parametrize(
    "change", [{"terminal": "4\n7"}, {"draw_no": 0}, {"leaf_hash": "ab"}, {"checkpoint": "x"},
               {"seq": 42}, {"checkpoint": checkpoint(41).removesuffix("\n")}],
)  # fmt: skip
def test_nothing_is_written_that_could_not_be_read(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        write_receipt(receipt(**change))
