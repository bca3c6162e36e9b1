"""A signature as a picture: SVG paths and PNG, the line as wide as the pressure was.

Draws what a document holds and nothing else; the document is the evidence, the picture is for
people.
"""

from __future__ import annotations

from itertools import groupby, pairwise

import cv2
import numpy as np

from kiosk.ink import Ink, Point

PEN = 0.0045  #: of the pad's width
STEPS = 8  #: widths between the lightest and the heaviest touch
PNG_WIDTH = 1200
_FINER = 3  #: the PNG is drawn so many times larger and then made smaller, for smooth edges
INK = "#1a1a1a"


def to_svg(ink: Ink) -> str:
    """A whole SVG 1.1 document in the pad's pixels."""
    w, h = f"{ink.width:g}", f"{ink.height:g}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}">',
        f'<rect width="{w}" height="{h}" fill="#ffffff"/>',
        f'<g fill="none" stroke="{INK}" stroke-linecap="round" stroke-linejoin="round">',
    ]
    for points, width in _pieces(ink):
        (x, y), *rest = ((p[0], p[1]) for p in points)
        along = " ".join(f"{x:g} {y:g}" for x, y in rest) or f"{x:g} {y:g}"
        lines.append(f'<path d="M {x:g} {y:g} L {along}" stroke-width="{width:.2f}"/>')
    return "\n".join([*lines, "</g>", "</svg>", ""])


def to_png(ink: Ink) -> bytes:
    """The same as a grey PNG, `PNG_WIDTH` pixels wide."""
    scale = PNG_WIDTH * _FINER / ink.width
    high = max(1, round(ink.height * PNG_WIDTH / ink.width))
    sheet = np.full((high * _FINER, PNG_WIDTH * _FINER), 255, np.uint8)
    for points, width in _pieces(ink):
        corners = np.array([[p[0] * scale, p[1] * scale] for p in points]).round().astype(np.int32)
        thick = max(1, round(width * scale))
        if len(corners) == 1:
            cv2.circle(sheet, corners[0].tolist(), max(1, thick // 2), 26, -1, cv2.LINE_AA)
        else:
            cv2.polylines(sheet, [corners], False, 26, thick, cv2.LINE_AA)
    small = cv2.resize(sheet, (PNG_WIDTH, high), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".png", small)
    assert done
    return bytes(data)


def _pieces(ink: Ink) -> list[tuple[list[Point], float]]:
    """Lines of one width each, every one beginning where the one before ended."""
    found: list[tuple[list[Point], float]] = []
    for stroke in ink.strokes:
        if len(stroke) == 1:
            found.append(([stroke[0]], _width(ink, _step(ink, stroke[0][3]))))
            continue
        for step, run in groupby(
            pairwise(stroke), key=lambda ab: _step(ink, (ab[0][3] + ab[1][3]) / 2)
        ):
            ends = list(run)
            found.append(([ends[0][0], *(b for _, b in ends)], _width(ink, step)))
    return found


def _step(ink: Ink, pressure: float) -> int:
    """Without any pressure measured, the middle one throughout."""
    return round(STEPS * pressure) if ink.has_pressure else STEPS // 2


def _width(ink: Ink, step: int) -> float:
    return ink.width * PEN * (0.4 + 1.2 * step / STEPS)
