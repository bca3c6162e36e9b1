"""Signatures as InkML: the same bytes again, no point lost, bad documents refused."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.signed_texts import COMMITMENTS, find_text, score_statement, text_sha256
from kiosk.ink import DECIMALS, MAX_BYTES, MAX_POINTS, Ink, make_ink, read_ink, write_ink
from kiosk.ink_picture import to_png, to_svg

TEXT = "ab" * 32
W, H = 880.0, 400.0
number = st.floats(allow_nan=False, allow_infinity=False)
point = st.tuples(
    st.floats(0, W), st.floats(0, H), st.floats(0, 3_600_000), st.floats(0, 1)
)
strokes = st.lists(st.lists(point, min_size=1, max_size=12), min_size=1, max_size=5)
whats = st.one_of(st.just(("entry", None)), st.tuples(st.just("exit"), st.integers(0, 100)))


def ink(**change: object) -> Ink:
    values: dict[str, object] = {
        "strokes": [[(10.0, 20.0, 0.0, 0.25), (300.5, 90.25, 8.5, 1.0)], [(50, 60, 700, 0.5)]],
        "width": W, "height": H, "pointer": "pen", "text_sha256": TEXT,
    }  # fmt: skip
    return make_ink(**(values | change))  # type: ignore[arg-type]


@given(strokes, whats, st.sampled_from(["touch", "mouse", "pen"]))
def test_written_read_and_written_again(drawn, what, pointer):
    made = make_ink(drawn, W, H, pointer, TEXT, *what)
    data = write_ink(made)
    again = read_ink(data)
    assert again == made
    assert write_ink(again) == data
    for stroke, kept in zip(drawn, again.strokes, strict=True):
        for a, b in zip(stroke, kept, strict=True):
            for was, got, digits in zip(a, b, DECIMALS.values(), strict=True):
                assert abs(was - got) <= 0.5001 * 10**-digits


@given(strokes)
def test_pictures_are_well_formed_and_show_every_stroke(drawn):
    made = make_ink(drawn, W, H, "pen", TEXT)
    root = ElementTree.fromstring(to_svg(made).encode())
    assert len(root.findall(".//{*}path")) >= len(drawn)
    picture = cv2.imdecode(np.frombuffer(to_png(made), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (545, 1200)


def test_the_document_says_what_its_numbers_are():
    root = ElementTree.fromstring(write_ink(ink(purpose="exit", score=96)))
    channels = [(c.get("name"), c.get("min"), c.get("max"), c.get("units"))
                for c in root.iterfind(".//{*}channel")]  # fmt: skip
    assert channels == [("X", "0", "880", "dev"), ("Y", "0", "400", "dev"),
                        ("T", "0", "3600000", "ms"), ("F", "0", "1", "dev")]  # fmt: skip
    steps = {p.get("channel"): p.get("value") for p in root.iterfind(".//{*}channelProperty")}
    assert steps == {"X": "0.01", "Y": "0.01", "T": "0.1", "F": "0.001"}
    notes = {n.get("type"): n.text for n in root.iterfind("{*}annotation")}
    assert notes == {"purpose": "exit", "text_sha256": TEXT, "score": "96"}
    assert [t.text for t in root.iterfind("{*}trace")] == [
        "10 20 0 0.25, 300.5 90.25 8.5 1", "50 60 700 0.5"]  # fmt: skip


def test_pressure_makes_the_line_wider():
    light, heavy = (to_png(ink(strokes=[[(100, 200, 0, f), (700, 200, 9, f)]]))
                    for f in (0.1, 1.0))  # fmt: skip
    dark = [np.sum(cv2.imdecode(np.frombuffer(p, np.uint8), 0) < 128) for p in (light, heavy)]
    assert dark[1] > 2 * dark[0] > 1000
    without = ink(strokes=[[(100, 200, 0, 0), (700, 200, 9, 0)]])
    assert not without.has_pressure
    assert np.sum(cv2.imdecode(np.frombuffer(to_png(without), np.uint8), 0) < 128) > dark[0]


def test_the_json_of_the_first_release_is_read():
    old = {"strokes": [[[1.125, 2, 3, 0.5]] * 9], "width": 800.0, "height": 300.0,
           "text_sha256": TEXT, "pointer": "touch"}  # fmt: skip
    found = read_ink(json.dumps(old, sort_keys=True, separators=(",", ":")).encode())
    assert found.strokes[0][0] == (1.12, 2.0, 3.0, 0.5)
    assert (found.purpose, found.width, found.pointer) == ("entry", 800.0, "touch")


LAUGHS = b"""<!DOCTYPE ink [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>"""


@pytest.mark.parametrize(
    "bend",
    [
        lambda d: d.replace(b"<ink", LAUGHS + b"<ink"),
        lambda d: d.replace(b"<ink", b"<!-- --><ink"),
        lambda d: d.replace(b"UTF-8", b"UTF-16"),
        lambda d: d.replace(b"10 20", b"&a; 20"),
        lambda d: d.replace(b"10 20", b"1e3 20"),
        lambda d: d.replace(b"10 20", b"NaN 20"),
        lambda d: d.replace(b"10 20", b"10"),
        lambda d: d.replace(b"10 20", b"-1 20"),
        lambda d: d.replace(b"</ink>", b""),
        lambda d: d.replace(b"2003/InkML", b"2003/Other"),
        lambda d: d.replace(b'name="T"', b'name="Z"'),
        lambda d: d.replace(b'width="880"', b'width="0"'),
        lambda d: d.replace(TEXT.encode(), b"ab"),
        lambda d: d.replace(b">entry<", b">other<"),
        lambda d: d.replace(b">entry<", b">exit<"),
        lambda d: b"{" + d,
        lambda d: d + b" " * MAX_BYTES,
        lambda d: b"",
    ],
)
def test_what_is_not_a_signature_is_refused(bend):
    bent = bend(write_ink(ink()))
    with pytest.raises(ValueError, match=r"."):
        read_ink(bent)


@given(st.binary(max_size=300))
def test_garbage_is_an_error_and_no_crash(data):
    for tried in (data, write_ink(ink())[: len(data)] + data, b"{" + data, b'{"strokes":' + data):
        try:
            read_ink(tried)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "change",
    [{"strokes": []}, {"strokes": [[]]}, {"strokes": [[(0, 0, 0, 0)] * (MAX_POINTS + 1)]},
     {"strokes": [[(0, 0, 0, 0)]] * 401}, {"strokes": [[(0, 0, 0)]]}, {"width": 0},
     {"strokes": [[(0, 0, -1, 0)]]}, {"strokes": [[(0, 0, 0, 1.1)]]}, {"pointer": "nose"},
     {"strokes": [[(float("inf"), 0, 0, 0)]]}, {"score": 5}, {"purpose": "exit"},
     {"purpose": "exit", "score": 101}, {"text_sha256": "AB" * 32}],
)  # fmt: skip
def test_what_cannot_be_kept_is_not_made(change):
    with pytest.raises(ValueError, match=r"."):
        ink(**change)


#: what candidates have signed since 0.1.0: new wordings go in front, these stay
SIGNED = [
    ("zh", "11f2d6d11c382cc3de7c5b1fbdc4e8e19fa283b7e1149386ccc82643810c8ece"),
    ("en", "7da94790222bd60e5e630c1aa00708f7e65ec289bb25c688682e78f4b2035328"),
]


@pytest.mark.parametrize(("language", "sha256"), SIGNED)
def test_a_text_that_was_signed_once_is_never_lost(language, sha256):
    found = find_text(sha256)
    assert found is not None and (found.purpose, found.language) == ("entry", language)


def test_a_signed_text_is_found_by_its_hash():
    for language, texts in COMMITMENTS.items():
        found = find_text(text_sha256(texts[0]))
        assert found is not None and (found.purpose, found.language) == ("entry", language)
    for language in COMMITMENTS:
        found = find_text(text_sha256(score_statement(88, language)))
        assert found is not None and (found.purpose, found.score) == ("exit", 88)
        assert "88" in found.text
    assert find_text("0" * 64) is None
    with pytest.raises(ValueError, match="from 0 to 100"):
        score_statement(101, "zh")
