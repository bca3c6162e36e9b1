"""The SAM module's bytes: known frames, round trips, garbage; a card's text and what it must be."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.contracts import IdCard
from drivers.idcard import codec
from drivers.idcard.codec import Command, Parser, Status

contents = st.binary(min_size=2, max_size=60)


@pytest.mark.parametrize(
    ("command", "frame"),
    [
        (Command.FIND, "aa aa aa 96 69 00 03 20 01 22"),
        (Command.SELECT, "aa aa aa 96 69 00 03 20 02 21"),
        (Command.READ, "aa aa aa 96 69 00 03 30 01 32"),
        (Command.STATUS, "aa aa aa 96 69 00 03 11 ff ed"),
    ],
)
def test_known_requests(command, frame):
    assert codec.request(command) == bytes.fromhex(frame)


def test_known_answers(card):
    found = bytes.fromhex("aa aa aa 96 69 00 08 00 00 9f 00 00 00 00 97")
    assert codec.answer(Status.FOUND, bytes(4)) == found
    assert len(codec.answer(Status.OK, codec.read_data(card))) == 1295


@given(st.lists(contents, min_size=1, max_size=4), st.integers(1, 40))
def test_frames_come_through_in_any_pieces(sent, step):
    line = b"".join(codec._frame(content) for content in sent)
    parser = Parser()
    got = [c for at in range(0, len(line), step) for c in parser.feed(line[at : at + step])]
    assert got == sent
    assert parser.pending == 0


@given(st.binary(max_size=100).filter(lambda b: b"\xaa\xaa" not in b), contents)
def test_after_garbage_the_next_frame_is_found(garbage, content):
    """Unless the garbage ends in what could be a start."""
    parser = Parser()
    assert content in parser.feed(garbage.rstrip(b"\xaa") + codec._frame(content))


@given(contents, st.integers(0, 1000))
def test_one_damaged_bit_is_never_a_frame(content, bit):
    frame = bytearray(codec._frame(content))
    bit %= 8 * len(frame)
    frame[bit // 8] ^= 1 << bit % 8
    assert content not in Parser().feed(bytes(frame))


@given(st.lists(st.sampled_from([b"\xaa", codec.PREAMBLE, b"\x0f\xff", b"\x00", b"xyz"])))
def test_keeps_little(pieces):
    parser = Parser()
    for piece in pieces * 50:
        parser.feed(piece)
        assert parser.pending <= codec.MAX_LENGTH + len(codec.PREAMBLE) + 2


def test_every_status_has_a_meaning():
    assert all(status.meaning for status in Status)
    assert codec.Answer(b"\xff\xff\xff").status is None
    assert codec.parse_answer(b"\x00\x00") is None


# --- text ----------------------------------------------------------------------------------------

common = st.integers(0x4E00, 0x9FFF).map(chr)
rare = st.integers(0x20000, 0x2A6DF).map(chr)
letters = st.one_of(common, rare)


def text(units):
    """Chinese text, rare characters of two units among it, that fits."""
    return st.text(letters, min_size=1, max_size=units // 2)


dates = st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(lambda d: f"{d:%Y%m%d}")
cards = st.builds(
    lambda birth, tail, **fields: IdCard(
        birth_date=birth, number=f"110101{birth}{tail:03d}X", **fields
    ),
    birth=dates,
    tail=st.integers(0, 999),
    name=text(15),
    sex=st.sampled_from(sorted(codec.SEXES.values())),
    nation=st.sampled_from([*codec.NATION_CODES.values(), ""]),
    address=text(35),
    issuer=text(15),
    valid_from=dates,
    valid_to=st.one_of(dates, st.just(codec.LONG_TERM)),
)


@given(cards)
def test_text_round_trip(card):
    written = codec.text_of(card)
    assert len(written) == codec.TEXT_BYTES
    assert codec.card_of(written) == card
    assert codec.card_from_read(codec.read_data(card)) == card


def test_where_the_fields_are(card):
    text = codec.text_of(card).decode("utf-16-le")
    assert text[15:18] == "205"  # 女, 维吾尔
    assert text[61:79] == card.number
    assert text[102:112] == "长期" + " " * 8


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"number": "11010119900307013"}, "number"),
        ({"number": "11010119900307013x"}, "number"),
        ({"birth_date": "19900308"}, "birth_date"),
        ({"birth_date": "19901308", "number": "110101199013080134"}, "birth_date"),
        ({"sex": "5"}, "sex"),
        ({"nation": "57"}, "nation"),
        ({"valid_to": "20201301"}, "valid_to"),
    ],
)
def test_what_cannot_be_a_card_is_told_without_its_content(make_card, changes, field):
    card = make_card("示例甲", "110101199003070134", **changes)
    with pytest.raises(ValueError) as caught:
        codec.card_of(codec.text_of(card))
    assert str(caught.value) == f"implausible: {field}"


def test_short_and_broken_contents():
    with pytest.raises(ValueError, match="no lengths"):
        codec.card_from_read(b"\x01")
    with pytest.raises(ValueError, match="bytes of text"):
        codec.card_from_read(b"\x00\x10\x00\x00" + bytes(16))
    with pytest.raises(ValueError):
        codec.card_of(b"\x00\xd8" * 128)  # half of a surrogate pair


def test_a_field_that_does_not_fit_is_named(make_card):
    with pytest.raises(ValueError, match="issuer is longer than 15"):
        codec.text_of(make_card("示例甲", "110101199003070134", issuer="示" * 16))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 7), st.sets(st.integers(122, 157), min_size=2, max_size=2))
def test_damage_that_the_checksum_misses(card, bit, places):
    """Two flips in one column of the number: refused, or still the right date of birth."""
    damaged = bytearray(codec.text_of(card))
    for place in places:
        damaged[place] ^= 1 << bit
    with contextlib.suppress(ValueError):
        assert codec.card_of(bytes(damaged)).number[6:14] == card.birth_date
