"""The balance names exactly what keeps the numbers of an invented session apart."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.balance import Code, balance


class Session:
    """Writes entries as a lane would, and keeps account of what it did wrong on purpose."""

    def __init__(self) -> None:
        self.entries: list[dict] = []
        self.expected: list[tuple[Code, tuple[int, ...]]] = []
        self.draws = self.intents = 0
        self.seated = self.inside = self.left = self.back = 0
        self.released = 0  #: of those inside, when the gate stood open last
        self.through = self.out = 0  #: people whom a perfect counter would have counted

    def write(self, kind, reason=None, terminal=None, pseudonym=None, **payload) -> int:
        seq = 10 + len(self.entries)
        self.entries.append(
            {
                "seq": seq,
                "kind": kind,
                "reason": reason,
                "terminal": terminal,
                "pseudonym": pseudonym,
                "payload": payload,
            }
        )
        return seq

    def draw(self, who: str) -> tuple[int, int, str]:
        self.draws += 1
        seat = f"{self.draws:03d}"
        seq = self.write("seat_drawn", None, seat, who, draw_no=self.draws)
        return self.draws, seq, seat

    def intent(self, draw_no: int, who: str, **kind: str) -> tuple[int, int]:
        self.intents += 1
        seq = self.write("gate_intent", None, None, who, draw_no=draw_no, intent=self.intents)
        self.entries[-1]["payload"] |= kind
        return self.intents, seq

    def outcome(self, intent: int, reason: str, draw_no: int) -> tuple[int, int | None]:
        seq = self.write("gate_outcome", reason, intent=intent)
        if reason not in ("ADMITTED", "GATE_TAILGATED", "GATE_UNSEEN"):
            return seq, None
        self.through += reason != "GATE_UNSEEN"
        return seq, self.write("admitted", "ADMITTED", intent=intent, draw_no=draw_no)

    def come(self, who: str, how: str, seen: bool) -> None:
        """One candidate. `seen`: the counter saw the one whom nothing else saw."""
        draw_no, drawn, seat = self.draw(who)
        if how == "drew only":
            self.expected.append((Code.SEAT_NOT_USED, (drawn,)))
            self.seated += 1
            return
        intent, asked = self.intent(draw_no, who)
        match how:
            case "missing":
                self.expected.append((Code.OUTCOME_MISSING, (asked,)))
                self.seated += 1
                self.through += seen
            case "unknown":
                seq, _ = self.outcome(intent, "GATE_UNKNOWN", draw_no)
                self.expected.append((Code.OUTCOME_UNKNOWN, (asked, seq)))
                self.seated += 1
                self.through += seen
            case "turned back":
                self.outcome(intent, "GATE_TURNED_BACK", draw_no)
                self.expected.append((Code.SEAT_NOT_USED, (drawn, asked)))
                self.seated += 1
            case "second try":
                self.outcome(intent, "GATE_TIMEOUT", draw_no)
                intent, asked = self.intent(draw_no, who)
                self.outcome(intent, "ADMITTED", draw_no)
                self.inside += 1
            case "tailgated":
                seq, _ = self.outcome(intent, "GATE_TAILGATED", draw_no)
                self.expected.append((Code.TWO_ON_ONE, (asked, seq)))
                self.inside += 1
                self.through += seen
            case "voided outside":
                self.outcome(intent, "GATE_TIMEOUT", draw_no)
                self.write("seat_voided", None, seat, who, draw_no=draw_no, was_inside=False)
            case "came out" | "came back":
                _, admitted = self.outcome(intent, "ADMITTED", draw_no)
                voided = self.write("seat_voided", None, seat, who, draw_no=draw_no)
                self.expected.append((Code.CAME_OUT, (admitted, voided)))
                self.out += seen
                if how == "came back":
                    draw_no, _, _ = self.draw(who)
                    intent, _ = self.intent(draw_no, who)
                    self.outcome(intent, "ADMITTED", draw_no)
                    self.inside += 1
            case "left" | "left and back" | "on a word":
                if how == "on a word":
                    self.outcome(intent, "GATE_TURNED_BACK", draw_no)
                else:
                    self.outcome(intent, "ADMITTED", draw_no)
                gone = self.leave(draw_no, who)
                if how == "on a word":
                    self.expected.append((Code.OUT_ON_A_WORD, (drawn, gone)))
                if how == "left and back":
                    again, _ = self.intent(draw_no, who, kind="readmission")
                    self.outcome(again, "ADMITTED", draw_no)
                    self.inside += 1
                    self.back += 1
                else:
                    self.left += 1
            case "clean":
                self.outcome(intent, "ADMITTED", draw_no)
                self.inside += 1

    def leave(self, draw_no: int, who: str) -> int:
        intent, _ = self.intent(draw_no, who, kind="exit")
        self.write("gate_outcome", "LEFT", intent=intent)
        self.out += 1
        return self.write("left", "LEFT", intent=intent, draw_no=draw_no)

    def happen(self, event: str, seen: bool) -> None:
        match event:
            case "passed":
                seq = self.write("gate_event", "ADMITTED", event="passed")
                self.expected.append((Code.PASSED_UNASKED, (seq,)))
                self.through += 1
            case "forced":
                seq = self.write("gate_event", "GATE_FORCED", event="forced")
                self.expected.append((Code.FORCED, (seq,)))
                self.through += seen
            case "by hand":
                self.write("device_tried", device="turnstile", action="pulse", result="asked")
                end = "passed" if seen else "timed_out"
                seq = self.write(
                    "device_tried", device="turnstile", action="pulse", result="sent", end=end
                )
                self.expected.append((Code.BY_HAND, (seq,)))
                self.through += seen
            case "opposite":
                seq = self.write("gate_event", "GATE_OPPOSITE", event="opposite")
                self.expected.append((Code.OPPOSITE, (seq,)))
                self.out += seen
            case "fire":
                on = self.write("gate_event", "FIRE", event="fire_on")
                again = self.write("gate_event", "FIRE", event="fire_on")
                end = self.write("gate_event", None, event="fire_release_ended")
                self.expected.append((Code.FIRE_OPEN, (on, again, end)))
                self.through += 3 * seen
                self.released = self.inside
            case "drill":
                on = self.write("gate_event", "DRILL", event="drill_on")
                end = self.write("gate_event", "DRILL", event="drill_ended", by="x")
                self.expected.append((Code.DRILL_OPEN, (on, end)))
                self.released = self.inside
            case "against an exit":
                seq = self.write("gate_event", "GATE_OPPOSITE", event="opposite", way="entry")
                self.expected.append((Code.OPPOSITE, (seq,)))
                self.through += seen
            case "late timeout":
                self.write("gate_event", "GATE_TIMEOUT", event="timed_out")
            case "refusal":
                self.write("refused", "FACE_MISMATCH", None, "x")


CLEAN = ["clean", "second try", "voided outside", "left", "left and back"]
WAYS = [*CLEAN, "drew only", "missing", "unknown", "turned back", "tailgated", "came out",
        "came back", "on a word"]  # fmt: skip
EVENTS = ["passed", "forced", "opposite", "by hand", "fire", "drill", "against an exit",
          "late timeout", "refusal"]  # fmt: skip
NOTHING = ["late timeout", "refusal"]


def things(ways, events):
    one = st.tuples(st.sampled_from([("come", w) for w in ways] + [("happen", e) for e in events]),
                    st.booleans())  # fmt: skip
    return st.lists(one, max_size=12)


def play(steps, start: tuple[int, int] | None, more: int = 0, out: int = 0) -> Session:
    session = Session()
    session.write("session_opened")
    if start is not None:
        first = session.write("gate_counters", entry=start[0], exit=start[1])
    for n, ((what, which), seen) in enumerate(steps):
        if what == "come":
            session.come(f"p{n}", which, seen)
        else:
            session.happen(which, seen)
    if start is not None:
        entry, exit_ = start[0] + session.through + more, start[1] + session.out + out
        last = session.write("gate_counters", entry=entry, exit=exit_)
        code = Code.COUNTER_MORE if more > 0 else Code.COUNTER_FEWER
        session.expected += [(code, (first, last))] * (more != 0)
        session.expected += [(Code.EXIT_MORE, (first, last))] * (out > 0)
    counts = {"seated": session.seated, "inside": session.inside}
    closed = session.write("session_closed", **counts, left=session.left)
    if session.released:
        session.expected.append((Code.NOT_BACK, (closed,)))
    return session


counters = st.none() | st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))


@given(things(WAYS, EVENTS), counters)
def test_each_difference_has_its_name_and_entries(steps, start):
    session = play(steps, start)
    found = balance(session.entries)
    assert Counter((d.code, d.entries) for d in found.differences) == Counter(session.expected)
    codes = Counter(d.code for d in found.differences)
    apart = codes[Code.CAME_OUT] + found.readmissions - codes[Code.OUT_ON_A_WORD]
    assert found.admissions == found.inside + found.left + apart, (
        "admissions and occupied seats differ by who came out or back, and by nobody else"
    )
    assert found.held == found.inside + found.seated + found.left
    assert (found.exits, found.readmissions) == (session.left + session.back, session.back)
    assert (found.counted_in is None) == (start is None)


@given(things(CLEAN, NOTHING), counters)
def test_a_clean_session_balances(steps, start):
    found = balance(play(steps, start).entries)
    assert found.differences == ()
    assert found.admissions == found.passages == found.inside + found.left + found.readmissions
    assert start is None or found.counted_out == found.exits
    assert start is None or found.counted_in == found.admissions


@given(
    things(CLEAN, NOTHING),
    st.tuples(st.integers(500, 10**6), st.integers(0, 10**6)),
    st.integers(-12, 12),
    st.integers(0, 3),
)
def test_what_the_counter_has_beyond_that_is_said(steps, start, more, out):
    through = play(steps, start).through
    more = max(more, -through)
    session = play(steps, start, more, out)
    found = balance(session.entries).differences
    assert Counter((d.code, d.entries) for d in found) == Counter(session.expected)
    counts = {d.code: d.args["count"] for d in found}
    assert counts.get(Code.COUNTER_MORE, 0) == max(more, 0)
    assert counts.get(Code.COUNTER_FEWER, 0) == max(-more, 0)
    assert counts.get(Code.EXIT_MORE, 0) == out


def test_a_counter_that_went_back_or_fell_silent_is_said():
    def read(*pairs):
        session = Session()
        for entry, exit_ in pairs:
            session.write("gate_counters", entry=entry, exit=exit_)
        session.write("session_closed", seated=0, inside=0)
        return [d.code for d in balance(session.entries).differences]

    assert read((100, 7), (2, 7)) == [Code.COUNTER_RESET]
    assert read((100, 7)) == [Code.COUNTER_UNREAD]
    assert read((100, 7), (None, None)) == [Code.COUNTER_UNREAD]
    assert read((None, None), (None, None)) == []
    assert read((100, None), (100, None)) == []


def test_entries_that_do_not_fit_each_other():
    session = Session()
    draw_no, _, _ = session.draw("p")
    intent, asked = session.intent(draw_no, "p")
    outcome = session.write("gate_outcome", "ADMITTED", intent=intent)
    closed = session.write("session_closed", seated=0, inside=1)
    found = [(d.code, d.entries) for d in balance(session.entries).differences]
    assert found == [
        (Code.PASSED_NOT_ADMITTED, (asked, outcome)),
        (Code.CLOSING_DIFFERS, (closed,)),
    ]

    session = Session()
    draw_no, _, _ = session.draw("p")
    intent, _ = session.intent(draw_no, "p")
    session.write("gate_outcome", "GATE_TIMEOUT", intent=intent)
    admitted = session.write("admitted", "ADMITTED", intent=intent, draw_no=draw_no)
    found = [(d.code, d.entries) for d in balance(session.entries).differences]
    assert found == [(Code.ADMITTED_NOT_PASSED, (admitted,))]


def test_nothing_at_all_balances():
    found = balance([])
    assert found.differences == () and found.held == 0 and found.counted_in is None


def test_what_a_gate_without_sensors_let_in_is_counted_apart():
    session = Session()
    session.write("session_opened")
    ends = []
    for n in range(3):
        draw_no, _, _ = session.draw(f"p{n}")
        intent, _ = session.intent(draw_no, f"p{n}")
        ends.append(session.outcome(intent, "GATE_UNSEEN", draw_no)[0])
    draw_no, _, _ = session.draw("seen")
    session.outcome(session.intent(draw_no, "seen")[0], "ADMITTED", draw_no)
    found = balance(session.entries)
    assert (found.unseen, found.passages, found.admissions, found.inside) == (3, 1, 4, 4)
    (difference,) = found.differences
    assert (difference.code, difference.entries) == (Code.UNSEEN, (ends[0], ends[-1]))
    assert difference.args == {"count": 3}


def test_who_leaves_after_the_closing_changes_no_number():
    session = play([(("come", "clean"), False)], (0, 0))
    before = balance(session.entries)
    session.leave(1, "p0")
    assert balance(session.entries) == before


def test_who_came_in_with_another_session_is_counted_out_by_name():
    session = play([(("come", "left"), False)], (5, 5), out=2)
    (more,) = (d for d in balance(session.entries).differences)
    assert (more.code, more.args["count"]) == (Code.EXIT_MORE, 2)
    (others,) = balance(session.entries, others_out=2).differences
    assert (others.code, others.args) == (Code.OTHERS_LEFT, {"count": 2})
    fewer = balance(session.entries, others_out=3).differences
    assert {d.code for d in fewer} == {Code.OTHERS_LEFT, Code.EXIT_FEWER}


def test_a_gate_that_lets_people_out_says_who_has_not_left():
    session = play([(("come", "clean"), False), (("come", "left"), False)], None)
    session.entries[0]["payload"] = {"policy": {"exit": "face"}}
    (still,) = balance(session.entries).differences
    assert (still.code, still.args) == (Code.STILL_INSIDE, {"count": 1})
