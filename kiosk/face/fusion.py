"""Several encoders as one: their scores added up, as one longer embedding.

Owns the weighing. Knows nothing of the networks or of what a distance means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kiosk.face.parts import Chip, Encoder, Face, Floats, Image


class Fused:
    """Score-level fusion: the squared distance is the weighted sum of the parts' squared ones.

    Each part's numbers are multiplied by the root of its weight and laid side by side, so that
    everything that compares, keeps and encrypts embeddings goes on as with one encoder. The
    parts are encoders of one chip each.
    """

    def __init__(self, name: str, parts: Sequence[tuple[Encoder, float]]) -> None:
        if not parts or any(weight <= 0 for _, weight in parts):
            raise ValueError("a fusion needs encoders with weights above 0")
        self.name = name
        self.size = sum(encoder.size for encoder, _ in parts)
        self._parts = tuple(parts)

    def chip(self, image: Image, face: Face) -> Chip:
        return tuple(encoder.chip(image, face)[0] for encoder, _ in self._parts)

    def embed(self, chips: Sequence[Chip]) -> Floats:
        """N chips to N×`size` float32."""
        columns = [
            np.float32(np.sqrt(weight)) * encoder.embed([(chip[at],) for chip in chips])
            for at, (encoder, weight) in enumerate(self._parts)
        ]
        return np.asarray(np.hstack(columns), dtype=np.float32)
