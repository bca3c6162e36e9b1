"""What a bundle says about itself, and the bounds of what it may say.

Pure: bytes, dates and numbers. The signature is checked elsewhere (seal), before this is read.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kiosk.centre.bundle.problems import BundleError

FORMAT = "examgate-bundle/1"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
CANDIDATES = "candidates.csv"
EMBEDDINGS = "embeddings.f32"

MAX_MANIFEST_BYTES = 5 * 1024 * 1024  #: in base64 it is one message of the wire
MAX_CANDIDATES = 20_000
MAX_PARTS = 12 * MAX_CANDIDATES
MAX_PART_BYTES = 128 * 1024 * 1024
MAX_BUNDLE_BYTES = 4 * 1024**3
#: Clocks of centre and lane may differ by so much.
SKEW = timedelta(minutes=10)

#: Every name that a part may have: nothing that leads anywhere, nothing to be interpreted.
_PART = re.compile(
    r"candidates\.csv|embeddings\.f32|photos/[0-9]{6}\.(jpg|png)|templates/[0-9]{6}-[0-9]{1,2}\.dat"
)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("has no time zone")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Strict):
    """One file of the bundle."""

    name: str = Field(max_length=64)
    size: int = Field(ge=0, le=MAX_PART_BYTES, strict=True)
    sha256: Sha256


class SessionOf(_Strict):
    """How many candidates the bundle has for a session: all that it will have."""

    session_id: str = Field(pattern=r"^[\w.\-]{1,64}$")
    candidates: int = Field(ge=0, le=MAX_CANDIDATES, strict=True)


class Manifest(_Strict):
    """`serial` grows from one bundle of a venue to the next: who has a later one takes no older."""

    format: str
    venue: str = Field(min_length=1, max_length=32)
    serial: int = Field(ge=1, le=2**53, strict=True)
    made_at: Moment
    valid_from: Moment
    valid_until: Moment
    encoder: str | None = Field(max_length=64)  #: who made `embeddings.f32`; null: it has none
    sessions: tuple[SessionOf, ...] = Field(min_length=1, max_length=1000)
    photos: int = Field(ge=0, le=MAX_CANDIDATES, strict=True)
    templates: int = Field(ge=0, le=10 * MAX_CANDIDATES, strict=True)
    parts: tuple[Part, ...] = Field(min_length=1, max_length=MAX_PARTS)

    @property
    def candidates(self) -> int:
        return sum(session.candidates for session in self.sessions)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, UTF-8. These are the bytes that are signed."""
        body = self.model_dump(mode="json")
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse(raw: bytes) -> Manifest:
    """Raises `BundleError("format")` with the field."""
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise BundleError("format", f"{where}: {first['msg']}"[:200]) from None
    _check(manifest)
    return manifest


def _check(m: Manifest) -> None:
    if m.format != FORMAT:
        raise BundleError("format", f"format: {m.format[:40]!r}, not {FORMAT}")
    if m.valid_from >= m.valid_until:
        raise BundleError("format", "valid_until: not after valid_from")
    names = [part.name for part in m.parts]
    for name in names:
        if not _PART.fullmatch(name):
            raise BundleError("format", f"parts: {name!a}")
    if len(set(names)) != len(names):
        raise BundleError("format", "parts: a name twice")
    if len({s.session_id for s in m.sessions}) != len(m.sessions):
        raise BundleError("format", "sessions: a session twice")
    if names[0] != CANDIDATES:
        raise BundleError("format", f"parts: {CANDIDATES} must come first")
    if (EMBEDDINGS in names) != (m.encoder is not None):
        raise BundleError("format", f"encoder: named without {EMBEDDINGS}, or the other way round")
    counts = (m.candidates, sum(n.startswith("photos/") for n in names),
              sum(n.startswith("templates/") for n in names))  # fmt: skip
    if m.candidates > MAX_CANDIDATES:
        raise BundleError("too_big", f"{m.candidates} candidates, at most {MAX_CANDIDATES}")
    if counts[1:] != (m.photos, m.templates) or m.photos != m.candidates:
        raise BundleError("format", "photos, templates: the counts do not fit the parts")
    if m.size > MAX_BUNDLE_BYTES:
        raise BundleError("too_big", f"{m.size} bytes, at most {MAX_BUNDLE_BYTES}")


def check_use(manifest: Manifest, *, venue: str, now: datetime) -> None:
    """May this venue use it now? Raises `BundleError`. Whether it is the newest the store knows."""
    if manifest.venue != venue:
        raise BundleError("other_venue", f"{manifest.venue}, not {venue}")
    if now < manifest.valid_from - SKEW:
        raise BundleError("not_yet_valid", f"from {manifest.valid_from.isoformat()}")
    if now > manifest.valid_until + SKEW:
        raise BundleError("expired", f"until {manifest.valid_until.isoformat()}")
