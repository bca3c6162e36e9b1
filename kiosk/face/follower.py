"""Follows one face from frame to frame.

Owns which face is *the* face, and when it is another one. Knows nothing of quality or identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiosk.face.parts import Detector, Face, Image

SCAN_WIDTH = 320  #: finds faces wider than a quarter of the picture
FAR_WIDTH = 640  #: and than an eighth
_FACE_IN_CUT_PX = 112  #: comfortably over the HOG window of 80
_CUT_MARGIN = 1.1  #: times the box, around its centre


@dataclass(frozen=True, slots=True)
class Tracked:
    """The followed face first, then any others seen in the last scan."""

    faces: tuple[Face, ...]
    track: int  #: changes when it is no longer certainly the same person

    @property
    def face(self) -> Face:
        return self.faces[0]


class Follower:
    """Detects in a small cut around the last place, and scans everything now and then."""

    def __init__(self, detector: Detector, lost_s: float = 0.7, scan_s: float = 0.5) -> None:
        self._detector = detector
        self._lost_s, self._scan_s = lost_s, scan_s
        self._track = 0
        self._face: Face | None = None
        self._rivals: tuple[Face, ...] = ()
        self._seen_at = self._scanned_at = float("-inf")
        self._misses = 0

    def forget(self) -> None:
        self._face, self._rivals = None, ()

    def update(self, image: Image, at_s: float) -> Tracked | None:
        """The face in this frame, or None when it is not seen (the track may still live on)."""
        if self._face is not None and at_s - self._seen_at > self._lost_s:
            self.forget()
        found = self._near(image, self._face) if self._face is not None else None
        if found is None or at_s - self._scanned_at >= self._scan_s:
            found = self._scan(image, at_s, found)
        if found is None:
            self._misses += 1
            return None
        if self._face is None or not _continues(self._face, found):
            self._track += 1
        self._face, self._seen_at, self._misses = found, at_s, 0
        return Tracked((found, *self._rivals), self._track)

    def _near(self, image: Image, last: Face) -> Face | None:
        centre_x, centre_y = last.centre
        half = _CUT_MARGIN * last.box[2]
        left, top = max(int(centre_x - half), 0), max(int(centre_y - half), 0)
        cut = image[top : int(centre_y + half), left : int(centre_x + half)]
        if min(cut.shape[:2]) < 40:
            return None
        width = round(cut.shape[1] * _FACE_IN_CUT_PX / last.box[2])
        faces = [_moved(face, left, top) for face in self._detector.detect(cut, width)]
        return max(faces, key=lambda face: _overlap(face, last), default=None)

    def _scan(self, image: Image, at_s: float, found: Face | None) -> Face | None:
        """Everything in view. `found` is the followed face, when the cut had it."""
        self._scanned_at = at_s
        far = found is None and self._misses % 3 == 2 and image.shape[1] >= FAR_WIDTH
        faces = self._detector.detect(image, FAR_WIDTH if far else SCAN_WIDTH)
        if found is None and faces:
            known = self._face
            found = max(
                faces,
                key=(lambda face: _overlap(face, known)) if known else lambda f: _claim(f, image),
            )
        self._rivals = tuple(face for face in faces if found and _overlap(face, found) < 0.3)
        return found


def _moved(face: Face, left: int, top: int) -> Face:
    x, y, width, height = face.box
    by = np.array([left, top], dtype=np.float32)
    marks = None if face.marks is None else face.marks + by
    return Face((x + left, y + top, width, height), face.points + by, face.score, marks)


def _claim(face: Face, image: Image) -> float:
    """Who is meant when several are in view: the nearest, the more central the better."""
    off = abs(face.centre[0] / image.shape[1] - 0.5) + abs(face.centre[1] / image.shape[0] - 0.5)
    return float(face.eye_width * (1 - 0.5 * off))


def _overlap(a: Face, b: Face) -> float:
    """Intersection over union."""
    wide = min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - max(a.box[0], b.box[0])
    high = min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - max(a.box[1], b.box[1])
    common = max(wide, 0.0) * max(high, 0.0)
    return common / max(a.box[2] * a.box[3] + b.box[2] * b.box[3] - common, 1.0)


def _continues(last: Face, now: Face) -> bool:
    """No jump that a person cannot make between two looks."""
    step = float(np.hypot(now.centre[0] - last.centre[0], now.centre[1] - last.centre[1]))
    size = max(last.box[2], 1.0)
    return step < 0.7 * size and 0.55 < now.box[2] / size < 1.8
