"""A signature as a document: W3C InkML 1.0, the same bytes for the same ink; and back.

Pure: bytes and numbers. Reads the JSON of examgate 0.1.0 too. It must not know who signed or
where documents are kept; docs/signature.md has the form.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

NAMESPACE = "http://www.w3.org/2003/InkML"
MAX_STROKES = 400
MAX_POINTS = 20_000
MAX_BYTES = 2_000_000
MAX_SIDE = 20_000  #: pixels
MAX_MS = 3_600_000
POINTERS = ("touch", "mouse", "pen")
PURPOSES = ("entry", "exit")
#: decimals that are kept: pixels, pixels, milliseconds, pressure from 0 to 1
DECIMALS = {"X": 2, "Y": 2, "T": 1, "F": 3}
_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NUMBER = re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,4})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")

#: x, y in pad pixels from the upper left; t_ms since the first point; pressure 0..1
Point = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Ink:
    """What somebody wrote, and under which text. Values are those that the document keeps."""

    strokes: tuple[tuple[Point, ...], ...]
    width: float  #: of the pad, in the pixels of x
    height: float
    pointer: str
    text_sha256: str
    purpose: str = "entry"
    score: int | None = None  #: signed for at the exit

    @property
    def has_pressure(self) -> bool:
        return any(point[3] > 0 for stroke in self.strokes for point in stroke)


def make_ink(
    strokes: Any,
    width: float,
    height: float,
    pointer: str,
    text_sha256: str,
    purpose: str = "entry",
    score: int | None = None,
) -> Ink:
    """Rounded to what is kept. Raises `ValueError` naming what cannot be."""
    width, height = _round(width, 2), _round(height, 2)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"a pad of {width} by {height}")
    if pointer not in POINTERS or purpose not in PURPOSES:
        raise ValueError(f"pointer {pointer!r} or purpose {purpose!r} is not known")
    if not _SHA256.fullmatch(text_sha256):
        raise ValueError("the text's hash is not a SHA-256")
    if (score is not None) != (purpose == "exit") or not 0 <= (score or 0) <= 100:
        raise ValueError("a score from 0 to 100 belongs to a signature at the exit, to no other")
    if len(strokes) > MAX_STROKES or sum(map(len, strokes)) > MAX_POINTS:
        raise ValueError(f"more than {MAX_STROKES} strokes or {MAX_POINTS} points")
    ranges = _ranges(width, height)
    kept = tuple(tuple(_point(p, ranges) for p in stroke) for stroke in strokes if stroke)
    if not kept:
        raise ValueError("no point at all")
    return Ink(kept, width, height, pointer, text_sha256, purpose, score)


def _ranges(width: float, height: float) -> tuple[tuple[float, float], ...]:
    """Of X, Y, T, F."""
    return ((0, width), (0, height), (0, MAX_MS), (0, 1))


def _point(point: Any, ranges: tuple[tuple[float, float], ...]) -> Point:
    if len(point) != len(ranges):
        raise ValueError(f"a point of {len(point)} values")
    for name, value, (low, high) in zip(DECIMALS, point, ranges, strict=True):
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} of a point is not between {low:g} and {high:g}")
    x, y, t, f = (_round(v, n) for v, n in zip(point, DECIMALS.values(), strict=True))
    return x, y, t, f


def _round(value: float, decimals: int) -> float:
    return round(float(value), decimals) + 0.0  # no minus before a zero


# --- to bytes -----------------------------------------------------------------------------------


def write_ink(ink: Ink) -> bytes:
    """The document, UTF-8. The same ink gives the same bytes, whose SHA-256 is journalled."""
    notes = [("purpose", ink.purpose), ("text_sha256", ink.text_sha256)]
    if ink.score is not None:
        notes.append(("score", str(ink.score)))
    lines = [f'<ink xmlns="{NAMESPACE}">']
    lines += [f'<annotation type="{name}">{value}</annotation>' for name, value in notes]
    lines += ["<definitions>", *_source(ink), "</definitions>"]
    for stroke in ink.strokes:
        points = ", ".join(" ".join(_numbers(point)) for point in stroke)
        lines.append(f'<trace contextRef="#pad">{points}</trace>')
    return _HEAD + "\n".join([*lines, "</ink>", ""]).encode()


def _source(ink: Ink) -> list[str]:
    """The pad as an ink source: what the four numbers of a point are, their units and ranges."""
    units = {"X": "dev", "Y": "dev", "T": "ms", "F": "dev"}
    lines = [f'<inkSource xml:id="source" description={quoteattr(ink.pointer)}>', "<traceFormat>"]
    for (name, unit), (low, high) in zip(
        units.items(), _ranges(ink.width, ink.height), strict=True
    ):
        lines.append(
            f'<channel name="{name}" type="decimal" min="{_number(low, 2)}" '
            f'max="{_number(high, 2)}" units="{unit}"/>'
        )
    lines += [
        "</traceFormat>",
        f'<activeArea width="{_number(ink.width, 2)}" height="{_number(ink.height, 2)}" '
        'units="dev"/>',
        "<channelProperties>",
    ]
    for name, unit in units.items():
        step = _number(10 ** -DECIMALS[name], DECIMALS[name])
        lines.append(
            f'<channelProperty channel="{name}" name="quantization" value="{step}" units="{unit}"/>'
        )
    end = ["</channelProperties>", "</inkSource>"]
    return [*lines, *end, '<context xml:id="pad" inkSourceRef="#source"/>']


def _numbers(point: Point) -> list[str]:
    return [_number(v, n) for v, n in zip(point, DECIMALS.values(), strict=True)]


def _number(value: float, decimals: int) -> str:
    """Decimal, without exponent, trailing zeros or a negative zero."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


# --- from bytes ---------------------------------------------------------------------------------


def read_ink(data: bytes) -> Ink:
    """A document of `write_ink`, or the JSON of examgate 0.1.0. Raises `ValueError`.

    Document types, entities, comments and processing instructions are refused unread.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"the signature is longer than {MAX_BYTES} bytes")
    if data.startswith(b"{"):
        return _read_json(data)
    body = data.removeprefix(_HEAD)
    if body == data or b"<!" in body or b"<?" in body:
        raise ValueError("the signature is not a plain InkML document in UTF-8")
    try:
        root = ElementTree.fromstring(body.decode())
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"the signature is not well-formed: {error}") from error
    if root.tag != _tag("ink"):
        raise ValueError("the signature is not InkML")
    return _from_elements(root)


def _from_elements(root: ElementTree.Element) -> Ink:
    notes = {n.get("type"): n.text or "" for n in root.iterfind(_tag("annotation"))}
    source = root.find(f"{_tag('definitions')}/{_tag('inkSource')}")
    if source is None:
        raise ValueError("the signature does not say what wrote it")
    channels = [c.get("name") for c in source.iterfind(f"{_tag('traceFormat')}/{_tag('channel')}")]
    if channels != list(DECIMALS):
        raise ValueError(f"the signature's channels are {channels} instead of {list(DECIMALS)}")
    area = source.find(_tag("activeArea"))
    sides = {} if area is None else area.attrib
    score = notes.get("score")
    return make_ink(
        [_trace(t.text or "") for t in root.iterfind(_tag("trace"))],
        _parsed(sides.get("width", "")),
        _parsed(sides.get("height", "")),
        source.get("description", ""),
        notes.get("text_sha256", ""),
        notes.get("purpose", ""),
        None if score is None else int(_parsed(score)),
    )


def _trace(text: str) -> list[list[float]]:
    return [[_parsed(value) for value in point.split()] for point in text.split(",")]


def _parsed(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is not a number of a signature")
    return float(text)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _read_json(data: bytes) -> Ink:
    try:
        body = json.loads(data)
        return make_ink(
            body["strokes"], body["width"], body["height"], body["pointer"], body["text_sha256"]
        )
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"the signature is not one of examgate 0.1.0: {error}") from error
