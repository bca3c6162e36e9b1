"""The methods that take a roster in: announced, sent in batches, applied in one transaction.

Part of the office. Rows of a bundle are held against what its centre signed; who looks at faces
and reads files is the command's business.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Annotated, Any, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kiosk.centre.bundle import manifest as m
from kiosk.centre.bundle.problems import BundleError, older
from kiosk.centre.bundle.seal import check_signature
from kiosk.centre.twice import Twice, note_twice
from kiosk.clock import Clock
from kiosk.core import fingers
from kiosk.core.types import mask_name
from kiosk.desks.params import NoParams, Params
from kiosk.store import RosterRow, Store
from kiosk.store.roster import BundleMark, Change, RosterSummary
from kiosk.texts import Problem
from kiosk.wire import INVALID_PARAMS, RpcError

MAX_IMPORTS = 4  #: unfinished imports that are kept; the oldest gives way
MAX_ROWS = 20_000
MAX_EMBEDDING = 1024  #: numbers


def _unbase64(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("not base64") from error


class Signed(BaseModel):
    """A bundle's manifest as it was signed."""

    model_config = ConfigDict(extra="forbid")
    manifest: bytes = Field(max_length=m.MAX_MANIFEST_BYTES)
    signature: bytes = Field(max_length=64)

    @field_validator("manifest", "signature", mode="before")
    @classmethod
    def _bytes(cls, value: Any) -> bytes:
        return _unbase64(value)


class RosterBegin(Params):
    source: str = Field(max_length=300)
    rows: int = Field(ge=0, le=MAX_ROWS)
    bundle: Signed | None = None


class Row(BaseModel):
    """One roster row of docs/wire.md; base64 fields come out as bytes."""

    model_config = ConfigDict(extra="forbid")
    session_id: str = Field(min_length=1, max_length=64)
    admission_no: str = Field(min_length=1, max_length=64)
    identity_number: str = Field(min_length=18, max_length=18)
    name: str = Field(min_length=1, max_length=64)
    licence_class: str = Field(max_length=8)
    photo: bytes
    templates: list[bytes] = Field(max_length=10)
    template_format: Literal["zfm", "iso-19794-2"] = "zfm"
    fingers: list[Annotated[int, Field(ge=0, le=10)]] = Field([], max_length=10)
    accessible: bool = False  #: needs an accessible terminal
    driving_school: str = Field("", max_length=64)
    embedding: list[float] = Field(min_length=1, max_length=MAX_EMBEDDING)
    encoder: str = Field(min_length=1, max_length=64)

    @field_validator("photo", mode="before")
    @classmethod
    def _photo(cls, value: Any) -> bytes:
        return _unbase64(value)

    @field_validator("templates", mode="before")
    @classmethod
    def _templates(cls, value: Any) -> list[bytes]:
        return [_unbase64(v) for v in value]

    @model_validator(mode="after")
    def _formats(self) -> Self:
        if any(fingers.format_of(t) != self.template_format for t in self.templates):
            raise ValueError(f"a template is not {self.template_format}")
        if self.fingers and len(self.fingers) != len(self.templates):
            raise ValueError("as many fingers as templates, or none")
        return self

    def to_store(self) -> RosterRow:
        return RosterRow(
            session_id=self.session_id,
            admission_no=self.admission_no,
            identity_number=self.identity_number,
            name=self.name,
            licence_class=self.licence_class,
            photo=self.photo,
            templates=tuple(self.templates),
            embedding=tuple(self.embedding),
            encoder=self.encoder,
            accessible=self.accessible,
            driving_school=self.driving_school,
            template_format=self.template_format,
            fingers=tuple(self.fingers),
        )


class RosterAdd(Params):
    import_id: str
    rows: list[Row] = Field(max_length=200)


class RosterCommit(Params):
    import_id: str
    person: str = "technician"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose bundles are taken. `centre` None: there is no centre, folders are imported."""

    venue: str
    centre: Ed25519PublicKey | None


@dataclass(slots=True)
class Import:
    """Rows that have come in so far."""

    source: str
    expected: int
    mark: BundleMark | None = None
    manifest: m.Manifest | None = None
    hashes: frozenset[str] = frozenset()  #: of all photographs and templates of the bundle
    rows: list[RosterRow] = field(default_factory=list)


class RosterDesk:
    """`session_changed` tells the lane that its gallery is another."""

    def __init__(
        self,
        store: Store,
        declined: Callable[..., RpcError],
        *,
        clock: Clock,
        zone: tzinfo,
        encoder: str,
        same_person_distance: float | None,
        trust: Trust,
        session_changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._declined = declined
        self._clock = clock
        self._zone = zone
        self._encoder = encoder
        self._same_person_distance = same_person_distance  #: None: imports are not compared
        self._trust = trust
        self._session_changed = session_changed
        self.imports: dict[str, Import] = {}
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "roster.begin": (RosterBegin, self._begin),
            "roster.add": (RosterAdd, self._add),
            "roster.commit": (RosterCommit, self._commit),
            "roster.status": (NoParams, self._status),
        }

    def _begin(self, p: RosterBegin) -> Any:
        begun = Import(p.source, p.rows)
        if p.bundle is not None:
            try:
                self._believe(begun, p.bundle)
            except BundleError as error:
                raise self._declined("BUNDLE", [_problem(error)], p.lang) from error
        elif self._trust.centre is not None:
            raise self._declined("BUNDLE_ONLY", [Problem("bundle_only")], p.lang)
        elif p.rows == 0:
            raise RpcError(INVALID_PARAMS, "rows: none")
        while len(self.imports) >= MAX_IMPORTS:
            self.imports.pop(next(iter(self.imports)))
        import_id = secrets.token_hex(8)
        self.imports[import_id] = begun
        return {"import_id": import_id}

    def _believe(self, begun: Import, signed: Signed) -> None:
        """What the manifest allows, once its signature holds. Raises `BundleError`."""
        if self._trust.centre is None:
            raise BundleError("no_key")
        check_signature(self._trust.centre, signed.manifest, signed.signature)
        manifest = m.parse(signed.manifest)
        m.check_use(manifest, venue=self._trust.venue, now=self._clock.now())
        sha256 = hashlib.sha256(signed.manifest).hexdigest()
        last = self._store.last_bundle()
        if last is not None and manifest.serial < last[0]:
            mine = manifest.serial, manifest.made_at
            raise older(mine, (last[0], last[2]), self._zone)
        if last is not None and manifest.serial == last[0] and sha256 != last[1]:
            raise BundleError("same_serial", f"{manifest.serial}")
        if manifest.candidates != begun.expected:
            raise BundleError("format", f"{begun.expected} rows of {manifest.candidates}")
        names = tuple(session.session_id for session in manifest.sessions)
        begun.mark = BundleMark(manifest.serial, sha256, manifest.made_at, names)
        begun.manifest = manifest
        begun.hashes = frozenset(part.sha256 for part in manifest.parts)

    def _import(self, import_id: str, lang: str | None) -> Import:
        if import_id not in self.imports:
            found = [Problem("import_unknown", {"import_id": import_id})]
            raise self._declined("IMPORT_UNKNOWN", found, lang)
        return self.imports[import_id]

    def _add(self, p: RosterAdd) -> Any:
        begun = self._import(p.import_id, p.lang)
        if len(begun.rows) + len(p.rows) > begun.expected:
            raise RpcError(INVALID_PARAMS, f"more rows than the {begun.expected} announced")
        if foreign := sorted({row.encoder for row in p.rows} - {self._encoder}):
            args = {"made_by": foreign[0], "wanted": self._encoder}
            raise self._declined("WRONG_ENCODER", [Problem("wrong_encoder", args)], p.lang)
        rows = [row.to_store() for row in p.rows]
        if begun.manifest is not None and not all(_signed(row, begun.hashes) for row in rows):
            why = BundleError("hash")
            raise self._declined("BUNDLE", [_problem(why)], p.lang)
        begun.rows.extend(rows)
        return {"received": len(begun.rows)}

    def _commit(self, p: RosterCommit) -> Any:
        begun = self._import(p.import_id, p.lang)
        rows = begun.rows
        if len(rows) != begun.expected:
            args = {"expected": begun.expected, "received": len(rows)}
            found = [Problem("import_incomplete", args)]
            raise self._declined("IMPORT_INCOMPLETE", found, p.lang)
        if begun.manifest is not None:
            counts = Counter(row.session_id for row in rows)
            wanted = {s.session_id: s.candidates for s in begun.manifest.sessions}
            if counts != Counter(wanted):
                why = BundleError("format", "sessions")
                raise self._declined("BUNDLE", [_problem(why)], p.lang)
        summary = self._store.apply_roster(rows, begun.source, p.person, begun.mark)
        del self.imports[p.import_id]
        twice = self._seen_twice(rows)
        self._session_changed()
        return _summary_of(summary) | {"alike": twice.alerts, "groups": twice.groups}

    def _seen_twice(self, rows: list[RosterRow]) -> Twice:
        """Imported photographs that look like somebody's under another identity number."""
        if self._same_person_distance is None:
            return Twice([], [])
        bookings = [(row.session_id, row.identity_number) for row in rows]
        day = self._clock.now().astimezone(self._zone).date().isoformat()
        return note_twice(self._store, self._encoder, self._same_person_distance, bookings, day)

    def _status(self, p: NoParams) -> Any:
        return {"sessions": self._store.roster_status()}


def _problem(error: BundleError) -> Problem:
    return Problem("bundle", {"zh": error.sentence("zh"), "en": error.sentence("en")})


def _signed(row: RosterRow, hashes: frozenset[str]) -> bool:
    return all(hashlib.sha256(data).hexdigest() in hashes for data in (row.photo, *row.templates))


def _summary_of(summary: RosterSummary) -> dict[str, Any]:
    return {
        "added": summary.added,
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "sessions": summary.sessions,
        "changes": [_change_of(change) for change in summary.changes],
    }


def _change_of(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "name": mask_name(change.candidate.name),
        "admission_no": "…" + change.candidate.admission_no[-4:],
        "session_id": change.session_id,
        "to_session": change.to_session,
    }
