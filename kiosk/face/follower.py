"""Follows one face from frame to frame.

Owns which face is *the* face, how fast it moves, and when it is no longer certainly the same
one. Knows nothing of quality or identity.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.likeness import alike, alike_turned, thumbnail
from kiosk.face.oval import Oval
from kiosk.face.parts import Detector, Face, Image

SCAN_WIDTH = 320  #: pixels across that the whole picture is searched at
FAR_WIDTH = 640  #: and now and then, while nobody is seen
_CUT = 2.29  #: side of the square around the last place, in widths of the face's box
_SAME_PLACE = 0.1  #: share of their common area that two boxes of one face have in common
_STAYS = 0.85  #: of `least_share`: a face that is followed may go this far back
_SPEED_S = 0.25  #: over which speed is measured: shorter is landmark noise


@dataclass(frozen=True, slots=True)
class FollowLimits:
    """Shares are of the oval's height. `jump`, `growth`: between two frames at once, and more
    by `jump_rate`, `growth_rate` a second: what a person can do and a picture need not."""

    least_share: float = 0.062  #: outer eye corners: farther away is nobody's turn yet
    scan_s: float = 0.4  #: between searches of the whole picture while a face is followed
    search_s: float = 0.1  #: while none is
    lost_s: float = 0.5  #: unseen for longer: whoever comes then is somebody new
    jump: float = 0.4  #: in outer eye corner distances
    jump_rate: float = 4.5
    jump_most: float = 1.2
    growth: float = 0.18  #: logarithm of the size's ratio
    growth_rate: float = 1.2
    growth_most: float = 0.4
    least_alike: float = 0.78  #: docs/face.md: 1 in 1000 of other faces, no head that turns
    least_alike_turned: float = 0.9  #: asked when that falls short; lets in nearly nobody more
    takeover: float = 1.5  #: a rival's claim over the followed face's …
    takeover_scans: int = 3  #: … in so many searches one after the other


@dataclass(frozen=True, slots=True)
class Tracked:
    """The followed face first, then any others seen in the last search of the whole picture."""

    faces: tuple[Face, ...]
    track: int  #: changes when it is no longer certainly the same person
    speed: float = 0.0  #: of the face, in outer eye corner distances a second, towards and
    #: away included

    @property
    def face(self) -> Face:
        return self.faces[0]


class Follower:
    """Detects in a small cut around the last place, and searches everything now and then."""

    def __init__(self, detector: Detector, limits: FollowLimits | None = None) -> None:
        self._detector = detector
        self._limits = limits or FollowLimits()
        self._track = 0
        self._seen_at = self._searched_at = float("-inf")
        self._misses = 0
        self.forget()

    def forget(self) -> None:
        """Whoever comes next is another person."""
        self._face: Face | None = None
        self._looks: NDArray[np.float32] | None = None
        self._rivals: tuple[Face, ...] = ()
        self._outclaimed = 0
        self._path: deque[tuple[float, float, float, float]] = deque(maxlen=32)

    def update(self, image: Image, at_s: float) -> Tracked | None:
        """The face in this frame, or None when it is not seen (the track may still live on)."""
        if self._face is not None and at_s - self._seen_at > self._limits.lost_s:
            self.forget()
        found = self._near(image, self._face) if self._face is not None else None
        pause = self._limits.search_s if found is None else self._limits.scan_s
        if at_s - self._searched_at >= pause:
            found = self._search(image, at_s, found)
        if found is None:
            self._misses += 1
            return None
        looks = thumbnail(image, found)
        if not self._continues(found, looks, at_s):
            self._track += 1
            self._path.clear()
        self._face, self._looks, self._seen_at, self._misses = found, looks, at_s, 0
        return Tracked((found, *self._rivals), self._track, self._speed(found, at_s))

    # --- where is it ----------------------------------------------------------------------------

    def _near(self, image: Image, last: Face) -> Face | None:
        """Looked for in a square around the last place, always at the same size."""
        side = round(_CUT * last.box[2])
        left, top = (round(middle - side / 2) for middle in last.centre)
        width = round(_CUT * self._detector.face_px)
        faces = self._detector.detect(_square(image, left, top, side), width)
        known = [_moved(face, left, top) for face in faces]
        found = max(known, key=lambda face: _overlap(face, last), default=None)
        if found is None or _overlap(found, last) < _SAME_PLACE:
            return None
        oval = Oval.of(image.shape[1], image.shape[0])
        return found if oval.share(found) >= _STAYS * self._limits.least_share else None

    def _search(self, image: Image, at_s: float, found: Face | None) -> Face | None:
        """Everything in view. `found` is the followed face, when the cut had it."""
        self._searched_at = at_s
        far = found is None and self._misses % 3 == 2 and image.shape[1] >= FAR_WIDTH
        oval = Oval.of(image.shape[1], image.shape[0])
        seen = self._detector.detect(image, FAR_WIDTH if far else SCAN_WIDTH)
        faces = [face for face in seen if oval.share(face) >= self._limits.least_share]
        if found is None and faces:
            known = self._face
            found = max(faces, key=lambda f: _overlap(f, known) if known else oval.claim(f))
            if known and _overlap(found, known) < _SAME_PLACE:
                found = max(faces, key=oval.claim)
        self._rivals = tuple(face for face in faces if found and _overlap(face, found) < 0.3)
        return self._choice(oval, found)

    def _choice(self, oval: Oval, found: Face | None) -> Face | None:
        """The followed face stays the one until a rival has plainly taken its place."""
        rival = max(self._rivals, key=oval.claim, default=None)
        if found is None or rival is None:
            self._outclaimed = 0
            return found
        if oval.claim(rival) < self._limits.takeover * oval.claim(found):
            self._outclaimed = 0
            return found
        self._outclaimed += 1
        if self._outclaimed < self._limits.takeover_scans:
            return found
        others = (face for face in self._rivals if face is not rival)
        self._rivals, self._outclaimed, self._looks = (found, *others), 0, None
        return rival

    # --- is it still the same -------------------------------------------------------------------

    def _continues(self, now: Face, looks: NDArray[np.float32], at_s: float) -> bool:
        """No jump, growth or change of looks that a head cannot make between two frames."""
        limits, last = self._limits, self._face
        if last is None or self._looks is None:
            return False
        gap = at_s - self._seen_at
        # by landmarks: boxes of the HOG detector come in steps of a fifth
        size = max(last.eye_width, 1.0)
        step = math.dist(last.eye_middle, now.eye_middle) / size
        if step > min(limits.jump + limits.jump_rate * gap, limits.jump_most):
            return False
        growth = abs(math.log(max(now.eye_width, 1.0) / size))
        if growth > min(limits.growth + limits.growth_rate * gap, limits.growth_most):
            return False
        return (
            alike(self._looks, looks) >= limits.least_alike
            or alike_turned(self._looks, looks) >= limits.least_alike_turned
        )

    def _speed(self, face: Face, at_s: float) -> float:
        """Over the last quarter of a second; 0 until there are two frames that far apart."""
        x, y = (float(number) for number in face.eye_middle)
        self._path.append((at_s, x, y, face.eye_width))
        while len(self._path) > 2 and at_s - self._path[1][0] >= _SPEED_S:
            self._path.popleft()
        then_s, then_x, then_y, then_size = self._path[0]
        elapsed = at_s - then_s
        if elapsed < _SPEED_S / 2:
            return 0.0
        size = max(face.eye_width, 1.0)
        across = math.hypot(x - then_x, y - then_y) / size
        along = abs(math.log(size / max(then_size, 1.0)))
        return math.hypot(across, along) / elapsed


def _square(image: Image, left: int, top: int, side: int) -> Image:
    """That square of the picture, black where it lies beyond the edge."""
    height, width = image.shape[:2]
    right, bottom = left + side, top + side
    cut = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if cut.shape[:2] == (side, side):
        return cut
    edges = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if not cut.size:
        return np.zeros((side, side, 3), np.uint8)
    return np.asarray(cv2.copyMakeBorder(cut, *edges, cv2.BORDER_CONSTANT), dtype=np.uint8)


def _moved(face: Face, left: int, top: int) -> Face:
    x, y, width, height = face.box
    by = np.array([left, top], dtype=np.float32)
    marks = None if face.marks is None else face.marks + by
    return Face((x + left, y + top, width, height), face.points + by, face.score, marks)


def _overlap(a: Face, b: Face) -> float:
    """Intersection over union."""
    wide = min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - max(a.box[0], b.box[0])
    high = min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - max(a.box[1], b.box[1])
    common = max(wide, 0.0) * max(high, 0.0)
    return common / max(a.box[2] * a.box[3] + b.box[2] * b.box[3] - common, 1.0)
