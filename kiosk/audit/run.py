"""The audit of one record: every check of docs/journal.md and docs/draw.md, in their order.

Pure but for reading the record file; it needs nothing but the file and a verifier key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiosk.audit import tree as t
from kiosk.audit.findings import Code, Finding
from kiosk.audit.gate import Gate
from kiosk.audit.receipt import check_receipt
from kiosk.audit.record import Entry, Record
from kiosk.audit.seats import Seats
from kiosk.core.codes import IntentKind
from kiosk.core.codes import JournalKind as K

#: An entry whose payload is not what its kind asks for ends in one of these.
_BENT = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


ENDS_OF_RELEASE = ("fire_release_ended", "drill_ended")


@dataclass(frozen=True, slots=True)
class Audit:
    findings: tuple[Finding, ...]
    counts: dict[str, int] = field(default_factory=dict)  #: entries, heads, draws, admitted, …
    own_key: bool = False  #: the key was the record's own, not given from outside


def audit(
    record: Record,
    vkey: str | None = None,
    kept: Sequence[t.Kept] = (),
    proofs: Sequence[t.Consistency] = (),
    receipts: Sequence[str] = (),
) -> Audit:
    """Everything. `vkey`: the published verifier key; None: the record's own.

    `kept`, `proofs` and `receipts` come from outside and are held against the record.

    Raises `ValueError` when `vkey` is none.
    """
    given = t.Key(vkey) if vkey is not None else None
    findings = list(t.check_order(record))
    findings += _tree(record, given, kept, proofs, receipts)
    session = _Session(record)
    findings += session.check()
    counts = {
        "entries": len(record.entries),
        "heads": len(record.heads),
        "draws": session.seats.draws,
        "intents": len(session.gate.intents),
        "inside": sum(seat.inside for seat in session.seats.held.values()),
    }
    return Audit(tuple(findings), counts, given is None)


def _tree(
    record: Record,
    given: t.Key | None,
    kept: Sequence[t.Kept],
    proofs: Sequence[t.Consistency],
    receipts: Sequence[str],
) -> Iterator[Finding]:
    try:
        key = given or t.Key(record.vkey)
    except ValueError as error:
        yield Finding(Code.SIGNATURE, 0, "head_signature", {"line": 1, "why": str(error)})
        return
    if (record.origin, record.vkey) != (key.origin, key.vkey):
        yield Finding(Code.SIGNATURE, 0, "another_key")
    try:
        tree = t.Tree(record)
    except ValueError:
        yield Finding(Code.HEAD, record.first, "peaks")
        return
    yield from t.check_leaves(record)
    yield from t.check_heads(record, tree, key)
    yield from t.check_kept(record, tree, key, kept, proofs)
    for receipt in receipts:
        yield from check_receipt(record, tree, key, receipt)


class _Session:
    """The entries of the record's session, one after another."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._closing = next((e for e in record.entries if self._is(e, K.SESSION_CLOSED)), None)
        self._seed = _seed(self._closing)
        self.seats = Seats(record.session_id, self._seed)
        self.gate = Gate(self.seats)
        self._closed = False
        self._steps: dict[str, Callable[[Entry], Iterator[Finding]]] = {
            K.TERMINAL_CHANGED: self.seats.terminal_changed,
            K.SIGNED: self._signed,
            K.SEAT_DRAWN: self._before_the_close(self.seats.drawn),
            K.SEAT_VOIDED: self._before_the_close(self._voided),
            K.IDENTITY_VERIFIED: self._shown,
            K.FINGER_VERIFIED: self._shown,
            K.CAPTURE_KEPT: self.gate.captured,
            K.IDENTITY_OVERRIDDEN: self.gate.overridden,
            K.FINGER_OVERRIDDEN: self.gate.overridden,
            K.GATE_INTENT: self._before_the_close(self.gate.intent),
            K.GATE_PULSE: self.gate.pulse,
            K.GATE_PULSE_SEEN: self.gate.pulse_seen,
            K.GATE_OUTCOME: self.gate.outcome,
            K.DEVICE_TRIED: self.gate.tried,
            K.ADMITTED: self.gate.admitted,
            K.LEFT: self.gate.left,
            K.GATE_EVENT: self._gate_event,
            K.RETURN_ALLOWED: self._before_the_close(self.seats.returns),
            K.SESSION_CLOSED: self._close,
        }

    def _is(self, entry: Entry, kind: K) -> bool:
        return entry.kind == kind and entry.session_id == self._record.session_id

    def check(self) -> Iterator[Finding]:
        first, *rest = self._record.entries
        if self._is(first, K.SESSION_OPENED):
            yield from self._guarded(first, self._open)
        else:
            args = {"session": self._record.session_id}
            yield Finding(Code.SESSION, first.seq, "not_opened", args)
        for entry in rest:
            yield from self._guarded(entry, self._step)
        if self._closing is None:
            yield Finding(Code.OPEN, self._record.last, "still_open")
        yield from self.gate.end(self._closed)

    def _guarded(
        self, entry: Entry, check: Callable[[Entry], Iterator[Finding]]
    ) -> Iterator[Finding]:
        try:
            yield from check(entry)
        except _BENT as error:
            why = f"{type(error).__name__}: {error}"[:120]
            yield Finding(Code.FORM, entry.seq, "payload", {"why": why})

    def _step(self, entry: Entry) -> Iterator[Finding]:
        yield from _anywhere(entry)
        if entry.kind == K.LANE_STARTED:
            self._take_policy(entry)
        self._take_waiver(entry)
        if entry.kind == K.SESSION_OPENED and (
            entry.session_id == self._record.session_id or not self._closed
        ):
            yield Finding(Code.SESSION, entry.seq, "opened_again")
            return
        step = self._steps.get(entry.kind)
        if step is not None and entry.session_id == self._record.session_id:
            yield from step(entry)

    def _open(self, entry: Entry) -> Iterator[Finding]:
        self._take_policy(entry)
        yield from self.seats.opened(entry)

    def _take_policy(self, entry: Entry) -> None:
        policy = entry.payload.get("policy")
        if policy is not None and not isinstance(policy, dict):
            raise TypeError("policy")
        self.gate.policy = policy or self.gate.policy

    def _take_waiver(self, entry: Entry) -> None:
        """Of the lane, whatever session it falls into; it does not outlive a restart."""
        if entry.kind == K.LANE_STARTED:
            self.gate.waived.clear()
        elif entry.kind == K.FACTOR_RESTORED:
            factor = entry.payload["factor"]
            if not isinstance(factor, str):
                raise TypeError("factor")
            self.gate.waived.discard(factor)
        elif entry.kind == K.FACTOR_WAIVED:
            factor, person = entry.payload["factor"], entry.payload["person"]
            if not (isinstance(factor, str) and isinstance(person, str)):
                raise TypeError("factor")
            if person.strip():
                self.gate.waived.add(factor)

    def _shown(self, entry: Entry) -> Iterator[Finding]:
        self.gate.shows(entry)
        return iter(())

    def _signed(self, entry: Entry) -> Iterator[Finding]:
        yield from self.seats.signed(entry)
        if entry.payload.get("purpose", "entry") == "entry":
            self.gate.shows(entry)

    def _gate_event(self, entry: Entry) -> Iterator[Finding]:
        """A person has locked the gate again that stood open for everybody."""
        by = entry.payload.get("by")
        if entry.payload.get("event") in ENDS_OF_RELEASE and isinstance(by, str) and by.strip():
            self.seats.released()
        return iter(())

    def _voided(self, entry: Entry) -> Iterator[Finding]:
        if self.gate.is_open_for(entry):
            yield Finding(Code.VOID, entry.seq, "void_at_gate")
        yield from self.seats.voided(entry)

    def _before_the_close(
        self, step: Callable[[Entry], Iterator[Finding]]
    ) -> Callable[[Entry], Iterator[Finding]]:
        def checked(entry: Entry) -> Iterator[Finding]:
            out = entry.kind == K.GATE_INTENT and entry.payload.get("kind") == IntentKind.EXIT
            if self._closed and not out:
                yield Finding(Code.SESSION, entry.seq, "after_close")
            yield from step(entry)

        return checked

    def _close(self, entry: Entry) -> Iterator[Finding]:
        if self._closed:
            yield Finding(Code.SESSION, entry.seq, "closed_again")
            return
        self._closed = True
        if self._seed is None:
            raise ValueError("seed")
        held = Counter(
            "inside" if seat.inside else "left" if seat.left else "seated"
            for seat in self.seats.held.values()
        )
        said = {"left": 0} | entry.payload  # of lanes that let nobody out
        for name in ("seated", "inside", "left"):
            found, expected = said[name], held[name]
            if found != expected:
                args = {"field": name, "found": found, "expected": expected}
                yield Finding(Code.COUNTS, entry.seq, "counts", args)


def _seed(closing: Entry | None) -> bytes | None:
    """None when it was not revealed, or is none: then the closing is said to be bent."""
    text: Any = closing.payload.get("seed") if closing is not None else None
    try:
        seed = bytes.fromhex(text)
    except (TypeError, ValueError):
        return None
    return seed if len(seed) == 32 and seed.hex() == text else None


def _anywhere(entry: Entry) -> Iterator[Finding]:
    """What is a finding in whatever session it falls."""
    if entry.kind == K.JOURNAL_RESTORED:
        args = {"anchor": entry.payload["anchor_size"], "lost": entry.payload["lost"]}
        yield Finding(Code.RESTORED, entry.seq, "restored", args)
    elif entry.kind == K.ANCHOR_LOST:
        yield Finding(Code.ANCHOR, entry.seq, "anchor", {"why": entry.payload["why"]})
