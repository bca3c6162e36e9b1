"""Reconciles a session at its end: who was let in and out, what the gate and its counters saw, who
sits.

Pure, from journal entries (docs/journal.md) to named differences. Words for the codes are
looked up elsewhere; whether the entries are genuine is the audit's question, not this one's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kiosk.core.codes import IntentKind, JournalKind, Reason


class Code(StrEnum):
    """Why numbers that should be equal are not. Closed; docs/report.md says what each means."""

    SEAT_NOT_USED = "SEAT_NOT_USED"  #: drawn and kept, but never passed the gate
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"  #: let in, and nobody saw whether they passed
    OUTCOME_MISSING = "OUTCOME_MISSING"  #: let in, and nothing says how it ended
    TWO_ON_ONE = "TWO_ON_ONE"  #: a second person on one unlock
    UNSEEN = "UNSEEN"  #: let in at a gate without sensors: taken for passed, seen by nobody
    CAME_OUT = "CAME_OUT"  #: seat given up by somebody who was inside: admitted more than seated
    PASSED_UNASKED = "PASSED_UNASKED"  #: somebody passed whom nothing in the record let in
    BY_HAND = "BY_HAND"  #: a technician opened the gate by hand, and somebody may have passed
    FORCED = "FORCED"
    OPPOSITE = "OPPOSITE"
    FIRE_OPEN = "FIRE_OPEN"  #: the gate stood open, nobody counted
    DRILL_OPEN = "DRILL_OPEN"  #: the same for practice
    NOT_BACK = "NOT_BACK"  #: were inside then, and were not let in again since
    STILL_INSIDE = "STILL_INSIDE"  #: had not left by the gate, which lets people out
    OUT_ON_A_WORD = "OUT_ON_A_WORD"  #: let out on a person's word, never admitted by the record
    COUNTER_MORE = "COUNTER_MORE"  #: the counter has more entries than anything above explains
    COUNTER_FEWER = "COUNTER_FEWER"
    EXIT_MORE = "EXIT_MORE"  #: the counter has more exits than anything above explains
    EXIT_FEWER = "EXIT_FEWER"
    OTHERS_LEFT = "OTHERS_LEFT"  #: of those counted out, who had come in with another session
    COUNTER_RESET = "COUNTER_RESET"  #: it went back: nothing can be told from it
    COUNTER_UNREAD = "COUNTER_UNREAD"  #: one of its two readings is missing
    PASSED_NOT_ADMITTED = "PASSED_NOT_ADMITTED"
    ADMITTED_NOT_PASSED = "ADMITTED_NOT_PASSED"
    PASSED_NOT_LEFT = "PASSED_NOT_LEFT"
    LEFT_NOT_PASSED = "LEFT_NOT_PASSED"
    CLOSING_DIFFERS = "CLOSING_DIFFERS"  #: what the closing says is not what the entries say


#: Ends after which somebody counts as inside, or as gone; of UNSEEN the gate itself saw nothing.
SEEN = frozenset({Reason.ADMITTED, Reason.LEFT, Reason.GATE_TAILGATED})
PASSED = SEEN | {Reason.GATE_UNSEEN}
#: Ends of which it is not known how many a counter counted.
_DOUBTFUL = (None, Reason.GATE_UNKNOWN, Reason.GATE_TAILGATED, Reason.GATE_UNSEEN)
_OPENED = ("fire_on", "emergency_release", "drill_on")
_ENDED = ("fire_release_ended", "drill_ended")
#: How many people a gate event outside any intent stands for, the way they went: at least, at most.
_EVENTS: dict[str, tuple[Code, int, int]] = {
    "passed": (Code.PASSED_UNASKED, 1, 1),
    "tailgated": (Code.PASSED_UNASKED, 1, 2),
    "forced": (Code.FORCED, 0, 1),
    "opposite": (Code.OPPOSITE, 0, 1),
}
#: The same for the end of a pulse by hand; any other end is nobody, a missing one may be somebody.
_TRIALS: dict[str | None, tuple[int, int]] = {
    "passed": (1, 1), "tailgated": (1, 2), "unseen": (0, 1), None: (0, 1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that keeps the numbers apart. `args`: what its sentence needs."""

    code: Code
    entries: tuple[int, ...]  #: `seq` of the entries concerned
    terminal: str | None = None
    pseudonym: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Balance:
    """The numbers and what lies between them."""

    drawn: int
    voided: int
    seated: int  #: hold a terminal and never passed
    inside: int  #: hold a terminal and passed
    left: int  #: hold a terminal and went out by the gate
    intents: int
    passages: int  #: intents that ended with somebody inside, as the gate's sensors saw it
    exits: int  #: … with somebody out
    unseen: int  #: either, as nobody saw it: the gate has no sensors
    admissions: int  #: re-admissions among them
    readmissions: int
    counted_in: int | None  #: by the turnstile's own counter; None: it has none, or was not read
    counted_out: int | None
    differences: tuple[Difference, ...]

    @property
    def held(self) -> int:
        """Occupied seats."""
        return self.drawn - self.voided


@dataclass(slots=True)
class _Seat:
    seq: int
    draw_no: int
    terminal: str | None
    pseudonym: str | None
    admitted: int | None = None  #: seq
    voided: int | None = None  #: seq
    left: int | None = None  #: seq; None again when they are back
    released: bool = False  #: the gate stood open since they came in


@dataclass(slots=True)
class _Intent:
    seq: int
    seat: _Seat | None
    kind: str = IntentKind.ADMISSION
    outcome: int | None = None  #: seq
    reason: str | None = None
    moved: int | None = None  #: seq of `admitted` or `left`

    @property
    def out(self) -> bool:
        return self.kind == IntentKind.EXIT


class _Session:
    """The entries of one session, sorted into what they are about; exits only up to its closing:
    who leaves later is not in its numbers. `others_out`: who left before that and is not its own.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]], others_out: int) -> None:
        self.others_out = others_out
        self.lets_out = False
        self.seats: dict[int, _Seat] = {}
        self.intents: dict[int, _Intent] = {}
        self.lost: list[Difference] = []
        self.events: list[Mapping[str, Any]] = []
        self.counters: list[Mapping[str, Any]] = []
        self.closing: Mapping[str, Any] | None = None
        self.fires: list[list[int]] = []
        self.trials: list[Mapping[str, Any]] = []
        self.drills: list[bool] = []  #: of each of them, whether it was for practice
        self._fire_open = False
        for entry in entries:
            self._take(entry)

    def _take(self, e: Mapping[str, Any]) -> None:
        payload = e["payload"]
        match e["kind"]:
            case JournalKind.SEAT_DRAWN:
                no = payload["draw_no"]
                self.seats[no] = _Seat(e["seq"], no, e["terminal"], e["pseudonym"])
            case JournalKind.SEAT_VOIDED:
                if (seat := self.seats.get(payload["draw_no"])) is not None:
                    seat.voided = e["seq"]
            case JournalKind.SESSION_OPENED:
                self.lets_out = bool((payload.get("policy") or {}).get("exit"))
            case JournalKind.GATE_INTENT:
                seat = self.seats.get(payload["draw_no"])
                kind = payload.get("kind", IntentKind.ADMISSION)
                if kind != IntentKind.EXIT or self.closing is None:
                    self.intents[payload["intent"]] = _Intent(e["seq"], seat, kind)
            case JournalKind.GATE_OUTCOME:
                if (intent := self.intents.get(payload["intent"])) is not None:
                    intent.outcome, intent.reason = e["seq"], e["reason"]
            case JournalKind.ADMITTED:
                self._admitted(e)
            case JournalKind.LEFT:
                self._left(e)
            case JournalKind.GATE_EVENT:
                self._event(e)
            case JournalKind.GATE_COUNTERS:
                self.counters.append(e)
            case JournalKind.DEVICE_TRIED:
                opened = payload.get("result") in ("sent", "unknown")
                if opened and payload.get("action") == "pulse":
                    self.trials.append(e)
            case JournalKind.SESSION_CLOSED:
                self.closing = e

    def _admitted(self, e: Mapping[str, Any]) -> None:
        intent = self.intents.get(e["payload"]["intent"])
        if intent is None or intent.reason not in PASSED:
            about = (e["terminal"], e["pseudonym"])
            self.lost.append(Difference(Code.ADMITTED_NOT_PASSED, (e["seq"],), *about))
        if intent is not None:
            intent.moved = e["seq"]
            if intent.seat is not None:
                intent.seat.admitted, intent.seat.left = e["seq"], None
                intent.seat.released = False

    def _left(self, e: Mapping[str, Any]) -> None:
        intent = self.intents.get(e["payload"]["intent"])
        if intent is None and self.closing is not None:
            return
        if intent is None or not intent.out or intent.reason not in PASSED:
            about = (e["terminal"], e["pseudonym"])
            self.lost.append(Difference(Code.LEFT_NOT_PASSED, (e["seq"],), *about))
        if intent is not None:
            intent.moved = e["seq"]
            if intent.seat is not None:
                intent.seat.left, intent.seat.released = e["seq"], False

    def _event(self, e: Mapping[str, Any]) -> None:
        event = e["payload"].get("event")
        if event in (*_OPENED, "fire_off", *_ENDED):
            if event in _OPENED and not self._fire_open:
                self.fires.append([])
                self.drills.append(True)
                self._fire_open = True
            if self.fires:
                self.fires[-1].append(e["seq"])
                if event in _OPENED and event != "drill_on":
                    self.drills[-1] = False  # a fire that came in a drill is a fire
            if event in _ENDED:
                self._fire_open = False
                for seat in self.seats.values():
                    seat.released = seat.released or _is_inside(seat)
        elif event in _EVENTS:
            self.events.append(e)

    # --- differences ----------------------------------------------------------------------------

    def of_intents(self) -> Iterator[Difference]:
        for intent in self.intents.values():
            about = (intent.seat.terminal, intent.seat.pseudonym) if intent.seat else (None, None)
            if intent.outcome is None:
                yield Difference(Code.OUTCOME_MISSING, (intent.seq,), *about)
                continue
            both = (intent.seq, intent.outcome)
            if intent.reason == Reason.GATE_UNKNOWN:
                yield Difference(Code.OUTCOME_UNKNOWN, both, *about)
            elif intent.reason == Reason.GATE_TAILGATED:
                yield Difference(Code.TWO_ON_ONE, both, *about)
            came = intent.moved or (not intent.out and intent.seat and intent.seat.admitted)
            if intent.reason in PASSED and not came:
                code = Code.PASSED_NOT_LEFT if intent.out else Code.PASSED_NOT_ADMITTED
                yield Difference(code, both, *about)

    def of_unseen(self) -> Iterator[Difference]:
        """All in one: at such a gate it is everybody."""
        seqs = [i.outcome for i in self.intents.values() if i.reason == Reason.GATE_UNSEEN]
        ends = tuple(dict.fromkeys(s for s in (*seqs[:1], *seqs[-1:]) if s is not None))
        if ends:
            yield Difference(Code.UNSEEN, ends, args={"count": len(seqs)})

    def of_seats(self) -> Iterator[Difference]:
        doubtful = {
            id(i.seat) for i in self.intents.values()
            if not i.out and i.reason in (None, Reason.GATE_UNKNOWN, *PASSED)
        }  # fmt: skip
        for seat in self.seats.values():
            about = (seat.terminal, seat.pseudonym)
            if seat.voided is not None:
                if seat.admitted is not None:
                    back = any(
                        s.pseudonym == seat.pseudonym and s.seq > seat.seq and s.admitted
                        for s in self.seats.values()
                    )
                    both = (seat.admitted, seat.voided)
                    yield Difference(Code.CAME_OUT, both, *about, {"back": back})
            elif seat.admitted is None and seat.left is not None:
                yield Difference(Code.OUT_ON_A_WORD, (seat.seq, seat.left), *about)
            elif seat.admitted is None and id(seat) not in doubtful:
                tries = [i.seq for i in self.intents.values() if i.seat is seat]
                yield Difference(Code.SEAT_NOT_USED, (seat.seq, *tries), *about)

    def of_events(self) -> Iterator[Difference]:
        for e in self.events:
            yield Difference(_EVENTS[e["payload"]["event"]][0], (e["seq"],))
        for e in self.trials:
            yield Difference(Code.BY_HAND, (e["seq"],))
        for fire, drill in zip(self.fires, self.drills, strict=True):
            yield Difference(Code.DRILL_OPEN if drill else Code.FIRE_OPEN, tuple(fire))

    def of_who_is_inside(self) -> Iterator[Difference]:
        """At the closing: who has not come back after a release, who has not left."""
        held = [s for s in self.seats.values() if s.voided is None and _is_inside(s)]
        if self.closing is None:
            return
        closing = (self.closing["seq"],)
        released = sum(s.released for s in held)
        if released:
            yield Difference(Code.NOT_BACK, closing, args={"count": released})
        if self.lets_out and len(held) > released:
            yield Difference(Code.STILL_INSIDE, closing, args={"count": len(held) - released})

    @property
    def passages(self) -> int:
        return sum(i.reason in SEEN and not i.out for i in self.intents.values())

    @property
    def exits(self) -> int:
        return sum(i.reason in SEEN and i.out for i in self.intents.values())

    @property
    def unseen(self) -> int:
        return sum(i.reason == Reason.GATE_UNSEEN for i in self.intents.values())

    @property
    def admissions(self) -> int:
        return sum(i.moved is not None and not i.out for i in self.intents.values())

    @property
    def readmissions(self) -> int:
        kind = IntentKind.READMISSION
        return sum(i.moved is not None and i.kind == kind for i in self.intents.values())

    def explained(self, out: bool) -> tuple[int, int]:
        """How many entries, or exits, the record explains: at least, at most."""
        events = [_EVENTS[e["payload"]["event"]] for e in self.events if _went_out(e) is out]
        doubtful = sum(i.reason in _DOUBTFUL and i.out is out for i in self.intents.values())
        least = (self.exits if out else self.passages) + sum(low for _, low, _ in events)
        most = (self.exits if out else self.passages) + sum(high for _, _, high in events)
        if not out:
            trials = [_TRIALS.get(e["payload"].get("end"), (0, 0)) for e in self.trials]
            least += sum(low for low, _ in trials)
            most += sum(high for _, high in trials)
        if not out:
            return least, most + doubtful
        came_out = sum(  # to draw again, and nothing says how
            s.voided is not None and s.admitted is not None and s.left is None
            for s in self.seats.values()
        )
        return least + self.others_out, most + doubtful + came_out + self.others_out

    def counted(self, way: str) -> tuple[int, ...]:
        """First and last reading of the turnstile's counter, as far as there are any."""
        read = [e["payload"].get(way) for e in self.counters]
        return tuple(n for n in (read[:1] + read[1:][-1:]) if n is not None)

    def of_counters(self) -> Iterator[Difference]:
        """What nothing else explains; who is named above is not named again."""
        seqs = tuple(e["seq"] for e in (*self.counters[:1], *self.counters[1:][-1:]))
        entry, exit_ = self.counted("entry"), self.counted("exit")
        for read in (entry, exit_):
            if len(read) == 1 and self.closing is not None:
                yield Difference(Code.COUNTER_UNREAD, seqs)
                return
            if len(read) == 2 and read[1] < read[0]:
                yield Difference(Code.COUNTER_RESET, seqs, args={"from": read[0], "to": read[1]})
                return
        if len(entry) == 2:
            codes = (Code.COUNTER_MORE, Code.COUNTER_FEWER)
            yield from self._compared(entry[1] - entry[0], False, codes, seqs)
        if len(exit_) == 2:
            codes = (Code.EXIT_MORE, Code.EXIT_FEWER)
            yield from self._compared(exit_[1] - exit_[0], True, codes, seqs)
            if self.others_out:
                yield Difference(Code.OTHERS_LEFT, seqs, args={"count": self.others_out})

    def _compared(
        self, counted: int, out: bool, codes: tuple[Code, Code], seqs: tuple[int, ...]
    ) -> Iterator[Difference]:
        """What a counter has more or fewer than the record explains. While the gate stood open
        for everybody nobody was asked: then more is no difference."""
        least, most = self.explained(out)
        known = {"left": self.exits} if out else {"admissions": self.admissions}
        if counted > most and not self.fires:
            args = {"counted": counted, "count": counted - most} | known
            yield Difference(codes[0], seqs, args=args)
        elif counted < least:
            args = {"counted": counted, "count": least - counted} | known
            yield Difference(codes[1], seqs, args=args)

    def of_closing(self, **counts: int) -> Iterator[Difference]:
        if self.closing is None:
            return
        said = {k: self.closing["payload"].get(k, 0 if k == "left" else None) for k in counts}
        if said != counts:
            args = counts | {f"said_{k}": v for k, v in said.items()}
            yield Difference(Code.CLOSING_DIFFERS, (self.closing["seq"],), args=args)


def _is_inside(seat: _Seat) -> bool:
    return seat.voided is None and seat.admitted is not None and seat.left is None


def _went_out(event: Mapping[str, Any]) -> bool:
    """Entries of an earlier version do not say the way: then it is what the word means."""
    usual = "exit" if event["payload"]["event"] == "opposite" else "entry"
    return bool(event["payload"].get("way", usual) == "exit")


def balance(entries: Iterable[Mapping[str, Any]], others_out: int = 0) -> Balance:
    """Reconcile the entries of one session, in the journal's order.

    Each has `seq`, `kind`, `reason`, `pseudonym`, `terminal`, `payload`, as in docs/journal.md.
    `others_out`: how many left by the gate meanwhile who had come in with another session.
    """
    session = _Session(entries, others_out)
    held = [s for s in session.seats.values() if s.voided is None]
    inside = sum(_is_inside(s) for s in held)
    left = sum(s.left is not None for s in held)
    counts = [session.counted(way) for way in ("entry", "exit")]
    counted = [c[1] - c[0] if len(c) == 2 and c[1] >= c[0] else None for c in counts]
    found = (
        *session.of_seats(),
        *session.of_intents(),
        *session.of_unseen(),
        *session.lost,
        *session.of_events(),
        *session.of_counters(),
        *session.of_who_is_inside(),
        *session.of_closing(seated=len(held) - inside - left, inside=inside, left=left),
    )
    return Balance(
        drawn=len(session.seats),
        voided=len(session.seats) - len(held),
        seated=len(held) - inside - left,
        inside=inside,
        left=left,
        intents=len(session.intents),
        passages=session.passages,
        exits=session.exits,
        unseen=session.unseen,
        admissions=session.admissions,
        readmissions=session.readmissions,
        counted_in=counted[0],
        counted_out=counted[1],
        differences=tuple(sorted(found, key=lambda d: (d.entries[:1], d.code))),
    )
