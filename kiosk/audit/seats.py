"""Replays a session's hall and draws from its record, by the rules of docs/draw.md.

Owns who holds which terminal at each entry; where the record breaks a rule it says so and goes
on with what the record says. Knows nothing of the gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kiosk.audit.findings import Code, Finding
from kiosk.audit.record import Entry
from kiosk.core.codes import ReturnReason, VoidReason
from kiosk.core.draw import commitment, draw_terminal, names_hash
from kiosk.core.hall import Facts, Pool, Terminal, hall_sha256, pool_of

_CHANGES = frozenset({"in_service", "reserved", "accessible", "classes"})
_ABOUT_A_CHANGE = frozenset({"why", "person"})


@dataclass(slots=True)
class Seat:
    """A terminal that somebody holds."""

    pseudonym: str
    draw_no: int
    school: str | None
    admitted: bool = False  #: has ever been, by this draw
    inside: bool = False
    left: bool = False
    released: bool = False  #: the gate stood open for everybody since they came in
    returns: bool = False  #: has left, and a proctor lets them in again

    def move(self, *, inside: bool) -> None:
        """They are in, or out, now; whatever let them return is used up."""
        self.admitted = self.admitted or inside
        self.inside, self.left = inside, not inside
        self.released = self.returns = False


@dataclass(slots=True)
class _Person:
    signature: str | None = None  #: the newest; None again when a seat was voided
    used: set[str] = field(default_factory=set)
    voided: list[tuple[int, str]] = field(default_factory=list)  #: draw number and why


class Seats:
    """`seed`: as revealed at the close, if it was."""

    def __init__(self, session_id: str, seed: bytes | None) -> None:
        self._session_id = session_id
        self._seed = seed
        self._hall: dict[str, Terminal] = {}
        self._rules: dict[str, Any] = {"capacity": 0, "spacing": False}
        self.held: dict[str, Seat] = {}  #: by terminal
        self.given_up: dict[tuple[str, str], Seat] = {}  #: by who was inside, and terminal
        self._people: dict[str, _Person] = {}
        self.draws = 0

    def seat_of(self, pseudonym: str | None) -> tuple[str, Seat] | None:
        """Terminal and seat that this candidate holds."""
        return next(((t, s) for t, s in self.held.items() if s.pseudonym == pseudonym), None)

    def person(self, pseudonym: str | None) -> _Person:
        return self._people.setdefault(pseudonym or "", _Person())

    # --- one method a kind ----------------------------------------------------------------------

    def opened(self, entry: Entry) -> Iterator[Finding]:
        p = entry.payload
        hall = [_terminal(t) for t in p["terminals"]]
        self._rules = {"capacity": int(p["capacity"]), "spacing": bool(p["rules"]["spacing"])}
        self._hall = {t.name: t for t in hall}
        found = hall_sha256(hall, **self._rules)
        if found != p["hall_sha256"] or len(self._hall) != len(hall):
            yield Finding(Code.HALL, entry.seq, "hall")
        if (
            self._seed is not None
            and commitment(self._seed, self._session_id, found) != p["commitment"]
        ):
            yield Finding(Code.COMMITMENT, entry.seq, "commitment")

    def terminal_changed(self, entry: Entry) -> Iterator[Finding]:
        old = self._hall.get(entry.terminal or "")
        if old is None:
            args = {"terminal": entry.terminal}
            yield Finding(Code.TERMINAL, entry.seq, "terminal_unknown", args)
            return
        change = {k: v for k, v in entry.payload.items() if k not in _ABOUT_A_CHANGE}
        for name in sorted(set(change) - _CHANGES):
            yield Finding(Code.TERMINAL, entry.seq, "terminal_field", {"field": name})
        allowed = {k: v for k, v in change.items() if k in _CHANGES}
        self._hall[old.name] = _terminal(old.published() | allowed)

    def signed(self, entry: Entry) -> Iterator[Finding]:
        if entry.payload.get("purpose", "entry") == "entry":
            self.person(entry.pseudonym).signature = str(entry.payload["signature_sha256"])
        return iter(())

    def drawn(self, entry: Entry) -> Iterator[Finding]:
        p, terminal = entry.payload, entry.terminal or ""
        facts = Facts(
            p["facts"]["licence_class"],
            accessible=bool(p["facts"]["accessible"]),
            school=p["facts"]["school"],
        )
        self.draws += 1
        if p["draw_no"] != self.draws:
            args = {"found": p["draw_no"], "expected": self.draws}
            yield Finding(Code.NUMBER, entry.seq, "number", args)
            self.draws = int(p["draw_no"])
        yield from self._strokes(entry)
        yield from self._taken(entry, terminal)
        held = {name: seat.school for name, seat in self.held.items()}
        pool = pool_of(list(self._hall.values()), held, facts, **self._rules)
        yield from self._pool(entry, pool)
        if pool.refusal is None and self._seed is not None:
            yield from self._result(entry, pool)
        self.held[terminal] = Seat(entry.pseudonym or "", int(p["draw_no"]), facts.school)

    def voided(self, entry: Entry) -> Iterator[Finding]:
        p = entry.payload
        _check_void(p)
        seat = self.held.get(entry.terminal or "")
        if seat is None or (seat.pseudonym, seat.draw_no) != (entry.pseudonym, p["draw_no"]):
            yield Finding(Code.VOID, entry.seq, "void_not_held")
            return
        del self.held[entry.terminal or ""]
        if seat.inside:
            self.given_up[seat.pseudonym, entry.terminal or ""] = seat
        person = self.person(entry.pseudonym)
        if bool(p["was_inside"]) is not seat.admitted:
            yield Finding(Code.VOID, entry.seq, "void_inside")
        what = self._void_problem(entry, seat, person)
        if what is not None:
            yield Finding(Code.VOID, entry.seq, what, {"why": p["why"]})
        person.voided.append((seat.draw_no, str(p["why"])))
        person.signature = None

    def released(self) -> None:
        """The gate stood open for everybody: whoever was inside may come in again."""
        for seat in self.held.values():
            seat.released = seat.released or seat.inside

    def returns(self, entry: Entry) -> Iterator[Finding]:
        """return_allowed: somebody who has left may come in again."""
        p = entry.payload
        for name in ("why", "note", "person", "approved_by"):
            if not isinstance(p[name], str | None if name == "approved_by" else str):
                raise TypeError(name)
        seat = self.held.get(entry.terminal or "")
        if seat is None or (seat.pseudonym, seat.draw_no) != (entry.pseudonym, p["draw_no"]):
            yield Finding(Code.RETURN, entry.seq, "return_not_left")
            return
        if not seat.left:
            yield Finding(Code.RETURN, entry.seq, "return_not_left")
        second = (p["approved_by"] or "").strip()
        words = p["note"].strip() and second
        if p["why"] not in {reason.value for reason in ReturnReason}:
            yield Finding(Code.RETURN, entry.seq, "return_why", {"why": p["why"]})
        elif not p["person"].strip() or second == p["person"] or not (words or p["why"] != "other"):
            yield Finding(Code.RETURN, entry.seq, "return_words")
        seat.returns = seat.left

    # --- the parts of a draw ----------------------------------------------------------------------

    def _strokes(self, entry: Entry) -> Iterator[Finding]:
        person, signature = self.person(entry.pseudonym), entry.payload["signature_sha256"]
        if person.signature is None:
            yield Finding(Code.STROKES, entry.seq, "not_signed")
        elif person.signature != signature:
            yield Finding(Code.STROKES, entry.seq, "not_newest")
        if signature in person.used:
            yield Finding(Code.STROKES, entry.seq, "signature_used")
        person.used.add(signature)

    def _taken(self, entry: Entry, terminal: str) -> Iterator[Finding]:
        if (own := self.seat_of(entry.pseudonym)) is not None:
            yield Finding(Code.SEAT, entry.seq, "seated", {"terminal": own[0]})
        elif terminal in self.held:
            yield Finding(Code.SEAT, entry.seq, "taken", {"terminal": terminal})

    def _pool(self, entry: Entry, pool: Pool) -> Iterator[Finding]:
        p = entry.payload
        if pool.refusal is not None:
            yield Finding(Code.RULES, entry.seq, "full", {"reason": pool.refusal.value})
            return
        voided = self.person(entry.pseudonym).voided
        wanted: dict[str, Any] = {
            "free": list(pool.free),
            "free_hash": names_hash(pool.free),
            "pool": list(pool.names),
            "pool_hash": names_hash(pool.names),
            "spacing_gave_way": pool.spacing_gave_way,
            "replaces": voided[-1][0] if voided else None,
        }
        said = {"pool": p["free"]} | p  # the pool is left out when it is all that is free
        for name, value in wanted.items():
            if said[name] != value or type(said[name]) is not type(value):
                yield Finding(Code.RULES, entry.seq, "rules", {"field": name})

    def _result(self, entry: Entry, pool: Pool) -> Iterator[Finding]:
        assert self._seed is not None
        p = entry.payload
        again = draw_terminal(
            seed=self._seed,
            session_id=self._session_id,
            draw_no=p["draw_no"],
            pseudonym=entry.pseudonym or "",
            signature_sha256=p["signature_sha256"],
            free=pool.free,
            pool=pool.names,
        )
        if again.terminal != entry.terminal:
            args = {"expected": again.terminal, "found": entry.terminal}
            yield Finding(Code.DRAW, entry.seq, "draw", args)
        for name, value in (("index", again.index), ("rounds", again.rounds)):
            if p[name] != value:
                yield Finding(Code.DRAW, entry.seq, "draw_detail", {"field": name})

    def _void_problem(self, entry: Entry, seat: Seat, person: _Person) -> str | None:
        p = entry.payload
        match p["why"]:
            case VoidReason.TERMINAL_BROKEN:
                terminal = self._hall.get(entry.terminal or "")
                return "void_in_service" if terminal is None or terminal.in_service else None
            case VoidReason.SECOND_ATTEMPT:
                had = any(why == VoidReason.SECOND_ATTEMPT for _, why in person.voided)
                return "void_second" if had or not seat.admitted else None
            case VoidReason.PROCTOR_DECISION:
                alone = p["approved_by"] in (None, "", p["person"])
                return "void_approval" if alone or not p["note"] else None
        return "void_why"


def _check_void(p: dict[str, Any]) -> None:
    """Raises `KeyError` or `TypeError` when it is not what a seat_voided says."""
    kinds = {"draw_no": int, "why": str, "note": str, "person": str, "was_inside": bool}
    for name, kind in kinds.items():
        if type(p[name]) is not kind:
            raise TypeError(name)
    if not isinstance(p["approved_by"], str | None):
        raise TypeError("approved_by")


def _terminal(values: dict[str, Any]) -> Terminal:
    """As published. Raises `KeyError`, `TypeError` or `ValueError`."""
    known = dict(values)
    flags = {name: known.pop(name) for name in ("in_service", "reserved", "accessible")}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise ValueError("a terminal's state is neither true nor false")
    return Terminal(classes=tuple(known.pop("classes")), **flags, **known)
