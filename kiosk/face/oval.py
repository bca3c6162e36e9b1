"""The oval in which the screen asks for the face, and how much a face claims to be meant.

Owns this geometry, the same for pictures of any proportions: everything is measured in the
oval, never in shares of the picture's width. The screen draws the same numbers
(ui/widgets/preview.py); a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.face.parts import Face

HEIGHT = 0.86  #: of the picture's height
ASPECT = 0.76  #: width over height
WIDEST = 0.95  #: of the picture's width: what bounds it in a tall picture


@dataclass(frozen=True, slots=True)
class Oval:
    """Pixels of the picture."""

    x: float
    y: float
    half_width: float
    half_height: float

    @classmethod
    def of(cls, width: int, height: int) -> Oval:
        """The oval of a picture of this size."""
        tall = min(HEIGHT * height, WIDEST * width / ASPECT)
        return cls(width / 2, height / 2, ASPECT * tall / 2, tall / 2)

    def offset(self, face: Face) -> tuple[float, float]:
        """From the oval's middle to the face's, in half axes: beyond ±1 it is outside."""
        x, y = face.centre
        return (x - self.x) / self.half_width, (y - self.y) / self.half_height

    def share(self, face: Face) -> float:
        """Distance of the outer eye corners over the oval's height: how near the person is."""
        return face.eye_width / (2 * self.half_height)

    def claim(self, face: Face) -> float:
        """Who is meant when several are in view: the nearest, the more central the better.

        The size, halved at the oval's edge and a fifth at twice that distance.
        """
        x, y = self.offset(face)
        return self.share(face) / (1 + x * x + y * y)
