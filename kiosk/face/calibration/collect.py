"""From a folder of people to embeddings, each picture taken in as the roster's are.

Owns running detector and encoders over the pictures. Knows no statistics. Pictures are never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kiosk.face.calibration.comparisons import Samples
from kiosk.face.calibration.folder import Folder, Picture, SkipCode, Skipped
from kiosk.face.calibration.kept import Kept
from kiosk.face.detector import DEFAULT
from kiosk.face.enrol import MAX_BYTES, Enroller, PhotoProblem
from kiosk.face.parts import Chip, Detector, Encoder, Face, Floats, Image


class Several:
    """Several encoders as one: each picture is opened and its face found only once."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        self._encoders = tuple(encoders)
        self._chips: list[int] = []  #: how many chips each encoder asks for

    @property
    def name(self) -> str:
        return "+".join(encoder.name for encoder in self._encoders)

    @property
    def size(self) -> int:
        return sum(encoder.size for encoder in self._encoders)

    def chip(self, image: Image, face: Face) -> Chip:
        parts = [encoder.chip(image, face) for encoder in self._encoders]
        self._chips = [len(part) for part in parts]
        return tuple(picture for part in parts for picture in part)

    def embed(self, chips: Sequence[Chip]) -> Floats:
        """Rows of all encoders side by side, in their order."""
        if not chips:
            return np.empty((0, self.size), np.float32)
        ends = np.cumsum(self._chips)
        return np.hstack(
            [
                encoder.embed([chip[end - count : end] for chip in chips])
                for encoder, count, end in zip(self._encoders, self._chips, ends, strict=True)
            ]
        )

    def split(self, rows: Floats) -> dict[str, Floats]:
        ends = np.cumsum([encoder.size for encoder in self._encoders])
        parts = np.split(rows, ends[:-1], axis=1)
        return {e.name: part for e, part in zip(self._encoders, parts, strict=True)}


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """What the pictures gave: the same rows for every encoder."""

    people: tuple[str, ...]  #: those with at least one embedding
    pictures: tuple[str, ...]  #: row by row, person/file
    samples: dict[str, Samples]  #: by encoder
    tried: int  #: pictures that were presented to the detector
    skipped: tuple[Skipped, ...]


def collect(
    folder: Folder,
    detector: Detector,
    encoders: Sequence[Encoder],
    progress: Callable[[int, int], None],
    keep: Path | None = None,
    detected_by: str = DEFAULT,
) -> Collected:
    """Embed every picture with every encoder. `progress` hears how many are done, of how many.

    `keep` names a file that embeddings are read from and written to, also by a run that is
    stopped; without it nothing is written. `detected_by`: the detector's name, since another
    one's embeddings are others. Raises `FolderProblem` when that file is of no use; `ValueError`
    when the detector's faces are not enough for an encoder.
    """
    bundle = Several(encoders)
    file = Kept(keep, bundle.name, detected_by, bundle.size) if keep else None
    kept = file.read() if file else {}
    before = len(kept)
    enroller = Enroller(detector=detector, encoder=bundle)
    rows: list[Floats] = []
    used: list[Picture] = []
    skipped = list(folder.skipped)
    try:
        for number, picture in enumerate(folder.pictures, 1):
            row: Floats | Skipped | None = kept.get(picture.sha256)
            if row is None:
                row = _embed(picture, enroller)
            if isinstance(row, Skipped):
                skipped.append(row)
            else:
                rows.append(row)
                used.append(picture)
                kept[picture.sha256] = row
            progress(number, len(folder.pictures))
    finally:
        if file and len(kept) > before:
            file.write(kept)
    return _collected(folder, bundle, rows, used, tuple(skipped))


def _embed(picture: Picture, enroller: Enroller) -> Floats | Skipped:
    try:
        with picture.path.open("rb") as file:
            enrolled = enroller.enrol(file.read(MAX_BYTES + 1))
    except OSError as error:
        return Skipped(picture.name, SkipCode.UNREADABLE, error.strerror or "")
    except PhotoProblem as problem:
        detail = ", ".join(f"{key} {value:g}" for key, value in problem.detail.items())
        return Skipped(picture.name, SkipCode(problem.code.value), detail)
    return np.asarray(enrolled.embedding, dtype=np.float32)


def _collected(
    folder: Folder,
    bundle: Several,
    rows: list[Floats],
    used: list[Picture],
    skipped: tuple[Skipped, ...],
) -> Collected:
    people = tuple(dict.fromkeys(picture.person for picture in used))
    number = {person: n for n, person in enumerate(people)}
    person = np.array([number[picture.person] for picture in used], dtype=np.int32)
    table = np.vstack(rows) if rows else np.empty((0, bundle.size), np.float32)
    samples = {name: Samples(name, part, person) for name, part in bundle.split(table).items()}
    pictures = tuple(picture.name for picture in used)
    return Collected(people, pictures, samples, len(folder.pictures), skipped)
