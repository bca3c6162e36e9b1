"""Encoders by name, and the distances that belong to each.

Owns the list. An embedding carries its encoder's name; a distance means something only
together with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk.face import encoder, models, sface
from kiosk.face.encoder import DlibResnet
from kiosk.face.fusion import Fused
from kiosk.face.models import ModelFile
from kiosk.face.parts import Encoder
from kiosk.face.sface import SFace

FUSED = "dlib+sface-v1"
#: Weights of the squared distances in "dlib+sface-v1"; docs/face.md says how they were found.
DLIB_WEIGHT, SFACE_WEIGHT = 1.0, 0.5
DEFAULT = FUSED


@dataclass(frozen=True, slots=True)
class Limits:
    """Euclidean distances of one encoder. docs/face.md says where they come from."""

    verify: float  #: 1:1: same person at or below
    identify: float  #: 1:N: same person at or below …
    margin: float  #: … and this much nearer than the second best
    same_person: float  #: two identities at or below look like one person
    one_track: float  #: frames of one person within a minute are nearer than this


#: From a calibration (docs/face.md, Thresholds): 1:1 false match rate 0.01 %, and a false
#: positive identification rate of 0.1 % on a roster of 500, both at the upper 95 % bound.
LIMITS: dict[str, Limits] = {
    FUSED: Limits(0.88, 0.73, 0.20, 0.73, 0.75),
    encoder.NAME: Limits(0.41, 0.26, 0.19, 0.26, 0.45),
    sface.NAME: Limits(0.97, 0.81, 0.22, 0.81, 0.90),
}

#: The files that each encoder reads, beside `kiosk.face.models.ALWAYS`.
MODELS: dict[str, tuple[ModelFile, ...]] = {
    FUSED: (models.DLIB_RESNET, models.SFACE),
    encoder.NAME: (models.DLIB_RESNET,),
    sface.NAME: (models.SFACE,),
}


def make_encoder(name: str = DEFAULT, cache_dir: Path | None = None) -> Encoder:
    """Raises `ValueError` for an unknown name, `kiosk.face.models.WrongModel` for bad files."""
    if name == encoder.NAME:
        return DlibResnet(cache_dir)
    if name == sface.NAME:
        return SFace(cache_dir)
    if name == FUSED:
        parts = ((DlibResnet(cache_dir), DLIB_WEIGHT), (SFace(cache_dir), SFACE_WEIGHT))
        return Fused(FUSED, parts)
    raise ValueError(f"no encoder is called {name!r}; there are: {', '.join(sorted(LIMITS))}")
