"""Which way up a photograph is, where no EXIF says it: scanners and phones leave people lying.

Owns the question only. YuNet sees heads that lie or stand on their crown, too, and marks their
eyes as if they were upright, so its marks say nothing; its score does. Figures: docs/face.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kiosk.face.parts import Detector, Face, Image

#: YuNet's score of an upright face is nearly always above it, that of another one hardly ever:
#: such a photograph is not looked at in any other way, which would take four times as long.
SURE = 0.92
LEAST = 0.85  #: turning wants a face that is one beyond doubt
MARGIN = 0.02  #: so much surer than the upright look it must be
#: Where no way up is ahead by the margin at the first, the surer of both looks counts: the first
#: alone leaves one photograph in 270 in doubt.
_WIDTHS = (240, 480)


def quarter_turns(detector: Detector, image: Image, upright: Sequence[Face]) -> int:
    """By how many quarters `image` must be turned clockwise for its person to be upright.

    `upright`: the faces found in it as it is, looked for at 240 pixels across first. 0 in doubt.
    """
    if upright and upright[0].score >= SURE:
        return 0
    ways = [image, *(turned(image, quarters) for quarters in (1, 2, 3))]
    first, wider = _WIDTHS
    scores = [upright[0].score if upright else 0.0]
    scores += [_score(detector, way, first) for way in ways[1:]]
    if _lead(scores) < MARGIN:
        scores = [max(s, _score(detector, w, wider)) for s, w in zip(scores, ways, strict=True)]
    best = scores.index(max(scores))
    return best if scores[best] >= max(LEAST, scores[0] + MARGIN) else 0


def _lead(scores: Sequence[float]) -> float:
    *_, second, first = sorted(scores)
    return first - second


def turned(image: Image, quarters: int) -> Image:
    """Clockwise."""
    return np.ascontiguousarray(np.rot90(image, -quarters))


def _score(detector: Detector, image: Image, width: int) -> float:
    """Of the largest face."""
    faces = detector.detect(image, width)
    return faces[0].score if faces else 0.0
