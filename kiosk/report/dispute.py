"""Everything that the lane has of one candidate, as one file that can be handed over.

Collects it, and packs it with proofs and a signed list of its files (docs/report.md, Dispute
pack). Changes nothing but that the tree is signed; who asked is journalled by the caller.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiosk.core.checkpoint import parse_note
from kiosk.core.codes import JournalKind as K
from kiosk.core.codes import Reason
from kiosk.report.gather import Place
from kiosk.report.model import Head, Moment, Timeline
from kiosk.report.pack_form import (
    CAPTURE,
    CERTIFICATE,
    CHECKPOINT,
    ENTRIES,
    FORMAT,
    KEY,
    MANIFEST,
    NOTE,
    PHOTO,
    PROOFS,
    README,
    TIMELINE,
    TIMELINE_PDF,
    manifest_text,
    sha256_hex,
)  # fmt: skip
from kiosk.report.pack_readme import readme
from kiosk.report.sentences import moment_reason, moment_sentence
from kiosk.store import Store
from kiosk.store.errors import NoSignature, StoreError, StoreRefused
from kiosk.store.people import Person

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_KEPT = ("draw_no", "note", "approved_by", "by", "distance", "score", "result", "same",
         "was_inside")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Collected:
    """What goes into the pack, but for the pages that are set elsewhere."""

    person: Person
    timeline: Timeline
    files: dict[str, bytes]
    missing: list[str] = field(default_factory=list)  #: keys of pack_readme.MISSING

    def __repr__(self) -> str:
        return f"Collected({self.person!r})"  # keeps personal data out of logs


def collect(store: Store, person: Person, place: Place, lang: str) -> Collected:
    """Raises `StoreRefused` when the session was never opened."""
    session = store.session(person.session_id)
    if session is None or session.commitment is None:
        raise StoreRefused(
            f"session {person.session_id} has never been opened: nothing to hand out"
        )
    entries = store.candidate_entries(person)
    proofs, note = store.proofs([seq for seq, _ in entries])
    head = Head(size=parse_note(note, store.origin).head.size, note=note)
    timeline = Timeline(
        venue_code=place.venue_code,
        venue_name=place.venue_name,
        lane=place.lane,
        timezone=place.timezone,
        session_id=session.session_id,
        subject=session.subject,
        starts_at=session.starts_at.isoformat(),
        pseudonym=person.pseudonym,
        name=person.name,
        admission_no=person.admission_no,
        licence_class=person.licence_class,
        moments=tuple(_moment(json.loads(text)) for _, text in entries),
        head=head,
        vkey=store.vkey,
    )
    files = {
        ENTRIES: "".join(f"{text}\n" for _, text in entries).encode(),
        PROOFS: _json({"size": head.size, "proofs": proofs}),
        CHECKPOINT: note.encode(),
        KEY: f"{store.vkey}\n".encode(),
        TIMELINE: _json(_told(timeline, lang)),
    }
    missing: list[str] = []
    files |= _signatures(store, person, missing)
    try:
        files[PHOTO] = store.photo(person.candidate_id)
    except StoreError:
        missing.append("photo")
    announced = sum(json.loads(text)["kind"] == K.CAPTURE_KEPT for _, text in entries)
    files |= _captures(store, person, announced, missing)
    return Collected(person, timeline, files, missing)


def _captures(
    store: Store, person: Person, announced: int, missing: list[str]
) -> dict[str, bytes]:
    """Pictures of who stood before the camera, by their entries' numbers."""
    try:
        kept = store.captures(person.session_id, person.candidate_id)
    except StoreError:
        missing.append("capture")
        return {}
    if len(kept) < announced:
        missing.append("capture_thinned")
    return {f"{CAPTURE}{one.seq}.jpg": one.jpeg for one in kept}


def _signatures(store: Store, person: Person, missing: list[str]) -> dict[str, bytes]:
    """Each as the bytes whose hash is in the journal, and as pictures."""
    from kiosk.ink import read_ink
    from kiosk.ink_picture import to_png, to_svg  # loads OpenCV

    try:
        found = store.signatures(person.session_id, person.candidate_id)
    except NoSignature:
        missing.append("no_signature")
        return {}
    except StoreError:
        missing.append("signature")
        return {}
    files = {}
    for one in found:
        stem = f"signature-{one.purpose}-{one.seq}"
        ending = "inkml" if one.document.lstrip().startswith(b"<") else "json"
        files[f"{stem}.{ending}"] = one.document
        try:
            ink = read_ink(one.document)
        except ValueError:
            missing.append("picture")
            continue
        files |= {f"{stem}.svg": to_svg(ink).encode(), f"{stem}.png": to_png(ink)}
    return files


def _moment(body: Mapping[str, Any]) -> Moment:
    """One entry as it is told. `args` are what its sentence needs."""
    payload, kind = body["payload"], str(body["kind"])
    args = {k: payload[k] for k in _KEPT if k in payload}
    what = kind
    if kind == K.SEAT_DRAWN:
        args["pool"] = len(payload.get("pool", payload["free"]))
    elif kind == K.SIGNED:
        args["signature"] = payload["signature_sha256"][:16]
        what = "signed_exit" if payload.get("purpose") == "exit" else kind
    elif kind == K.CAPTURE_KEPT:
        args["capture"] = payload["sha256"][:16]
    elif "why" in payload:
        args["why"] = payload.get("why")
    elif kind == K.REFUSED and body["reason"] == Reason.CANCELLED_BY_PROCTOR:
        what = "cancelled_by_proctor"
    elif kind == K.HELP:
        what = "help_done" if "done_by" in payload else "help_asked"
    person = payload.get("person") or payload.get("done_by")
    return Moment(
        seq=body["seq"],
        at=body["at"],
        kind=kind,
        what=what,
        reason=body["reason"],
        terminal=body["terminal"],
        person=str(person) if person else None,
        args=args,
    )


def _told(timeline: Timeline, lang: str) -> list[dict[str, Any]]:
    return [
        {
            "seq": m.seq,
            "at": m.at,
            "kind": m.kind,
            "text": moment_sentence(m, lang),
            "reason": m.reason,
            "reason_text": moment_reason(m, lang) or None,
            "terminal": m.terminal,
            "person": m.person,
        }
        for m in timeline.moments
    ]


def pack(store: Store, collected: Collected, pdf: bytes, certificate: bytes) -> bytes:
    """The whole file. `pdf`: the signed timeline; `certificate`: PEM, of who signed it."""
    files = dict(collected.files)
    files[TIMELINE_PDF] = pdf
    files[CERTIFICATE] = certificate
    files[README] = readme(collected.timeline, collected.missing).encode()
    manifest = _json(
        {
            "format": FORMAT,
            "origin": store.origin,
            "session_id": collected.person.session_id,
            "pseudonym": collected.person.pseudonym,
            "files": {
                name: {"sha256": sha256_hex(data), "bytes": len(data)}
                for name, data in sorted(files.items())
            },
        }
    )
    files[MANIFEST] = manifest
    files[NOTE] = store.sign_text(manifest_text(store.origin, manifest)).encode()
    return _zip(files)


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The same files give the same bytes; what explains the rest comes first."""
    out = io.BytesIO()
    names: Sequence[str] = sorted(files, key=lambda name: (name != README, name))
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            about = zipfile.ZipInfo(name, _ZIP_TIME)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o600 << 16
            archive.writestr(about, files[name])
    return out.getvalue()


def _json(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False)
    return f"{text}\n".encode()
