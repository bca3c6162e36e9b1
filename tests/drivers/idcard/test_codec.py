"""The SAM module's bytes: known frames, round trips, garbage; a card's text and what it must be."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.contracts import CardKind, IdCard
from drivers.idcard import codec, status
from drivers.idcard import text as card_text
from drivers.idcard.codec import Command, Parser
from drivers.idcard.status import Means, Status


def with_check(first17):
    """GB 11643-1999, worked out apart from the driver."""
    rest = sum(int(d) * pow(2, 17 - n, 11) for n, d in enumerate(first17)) % 11
    return first17 + "10X98765432"[rest]


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
    assert len(codec.answer(Status.OK, card_text.read_data(card))) == 1295


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


def test_every_status_has_its_row_in_code_and_in_the_paper():
    paper = (Path(__file__).parents[3] / "docs/protocol-idcard.md").read_text(encoding="utf-8")
    for word in Status:
        row = status.WORDS[word]
        first = "XX XX" if word in status.OF_THE_CARD else "00 00"
        line = f"| `{first} {word.value[2]:02X}` | {row.chinese} | {row.english} |"
        assert line in paper, line


def test_what_the_card_itself_answered_stands_before_the_modules_word():
    for sw in (b"\x69\x82\x41", b"\x6a\x82\x81", b"\x63\x00\x31", b"\x00\x00\x47"):
        known = status.status_of(sw)
        assert known in status.OF_THE_CARD and known.value[2] == sw[2]
        assert known.means is not Means.GOOD
    assert "6982" in status.explain(b"\x69\x82\x41")
    for success in (b"\x69\x82\x90", b"\x01\x00\x9f", b"\x00\x00\x92", b"\x90"):
        assert status.status_of(success) is None, "only the module says that it went well"
    assert "not in the protocol" in status.explain(b"\x00\x00\x92")


def test_an_answer_may_be_no_answer():
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
        birth_date=birth, number=with_check(f"110101{birth}{tail:03d}"), **fields
    ),
    birth=dates,
    tail=st.integers(0, 999),
    name=text(15),
    sex=st.sampled_from(sorted(card_text.SEXES.values())),
    nation=st.sampled_from([*card_text.NATION_CODES.values(), ""]),
    address=text(35),
    issuer=text(15),
    valid_from=dates,
    valid_to=st.one_of(dates, st.just(card_text.LONG_TERM)),
)


@given(cards)
def test_text_round_trip(card):
    written = card_text.text_of(card)
    assert len(written) == card_text.TEXT_BYTES
    assert card_text.card_of(written) == card
    assert card_text.card_from_read(card_text.read_data(card)) == card


def test_where_the_fields_are(card):
    text = card_text.text_of(card).decode("utf-16-le")
    assert text[15:18] == "205"  # 女, 维吾尔
    assert text[61:79] == card.number
    assert text[102:112] == "长期" + " " * 8


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"number": "11010119900307013"}, "number"),
        ({"number": "11010119900307013y"}, "number"),
        ({"number": "110101199003070135"}, "number"),
        ({"number": "110101199003070143"}, "number"),
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
        card_text.card_of(card_text.text_of(card))
    assert str(caught.value) == f"implausible: {field}"


def test_short_and_broken_contents():
    with pytest.raises(ValueError, match="no lengths"):
        card_text.card_from_read(b"\x01")
    with pytest.raises(ValueError, match="bytes of text"):
        card_text.card_from_read(b"\x00\x10\x00\x00" + bytes(16))
    with pytest.raises(ValueError):
        card_text.card_of(b"\x00\xd8" * 128)  # half of a surrogate pair


def test_a_field_that_does_not_fit_is_named(make_card):
    with pytest.raises(ValueError, match="issuer is longer than 15"):
        card_text.text_of(make_card("示例甲", "110101199003070134", issuer="示" * 16))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 7), st.sets(st.integers(122, 157), min_size=2, max_size=2))
def test_damage_that_the_checksum_misses(card, bit, places):
    """Two flips in one column of the number: refused, or still the right date of birth."""
    damaged = bytearray(card_text.text_of(card))
    for place in places:
        damaged[place] ^= 1 << bit
    with contextlib.suppress(ValueError):
        assert card_text.card_of(bytes(damaged)).number[6:14] == card.birth_date


# --- the other kinds of card ---------------------------------------------------------------------

latin = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=20)
latin_names = st.lists(latin, min_size=1, max_size=2).map(" ".join)
chinese = st.one_of(st.just(""), text(15))
countries = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
usual = {
    "sex": st.sampled_from(sorted(card_text.SEXES.values())),
    "valid_from": dates,
    "valid_to": st.one_of(dates, st.just(card_text.LONG_TERM)),
}
permits = st.builds(
    lambda birth, **fields: IdCard(
        nation="", birth_date=birth, number=with_check(f"810000{birth}001"),
        kind=CardKind.HMT_PERMIT,
        **fields,
    ),
    birth=dates, name=text(15), address=text(35), issuer=text(15),
    pass_number=st.just("H12345678"), **usual,
)  # fmt: skip
foreign_2017 = st.builds(
    lambda birth, country, name, latin, **fields: IdCard(
        name=name or latin, other_name=latin, nation=country, birth_date=birth, address="",
        number=f"{country}110000{birth[2:]}", issuer="1100", kind=CardKind.FOREIGN_2017, **fields,
    ),
    birth=dates, country=countries, name=chinese, latin=latin_names, **usual,
)  # fmt: skip
foreign_2023 = st.builds(
    lambda birth, country, name, latin, **fields: IdCard(
        name=name or latin, other_name=latin, nation=country, birth_date=birth, address="",
        number=f"911840{birth}0017", issuer="", kind=CardKind.FOREIGN_2023, **fields,
    ),
    birth=dates, country=countries, name=chinese, latin=latin_names, **usual,
)  # fmt: skip


@given(st.one_of(permits, foreign_2017, foreign_2023))
def test_other_kinds_round_trip(card):
    written = card_text.text_of(card)
    assert len(written) == card_text.TEXT_BYTES
    assert card_text.card_of(written) == card


@pytest.mark.parametrize("kind", list(CardKind))
def test_the_letter_stands_at_one_place_in_all_layouts(kind):
    at = 0
    for name, units in card_text.LAYOUTS[kind]:
        if name == "kind":
            assert at == card_text.KIND_AT
        at += units
    assert at <= card_text.TEXT_BYTES // 2


def test_a_letter_of_no_known_kind_is_said_so(card):
    written = bytearray(card_text.text_of(card))
    written[248] = ord("Z")
    with pytest.raises(card_text.UnknownKind):
        card_text.card_of(bytes(written))
    written[248] = ord("I")
    with pytest.raises(ValueError, match="implausible"):  # the letter alone makes no foreigner
        card_text.card_of(bytes(written))


def test_a_small_x_is_the_same_number(make_card):
    card = make_card("示例乙", "11010119880229069x")
    assert card_text.card_of(card_text.text_of(card)).number == "11010119880229069X"
