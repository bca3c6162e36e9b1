"""Out by the same gate, and back: who leaves shows who they are, one pulse outwards, recorded as
left; nobody comes in twice or goes out twice, a release makes no false anti-passback, and both
verifiers take the whole record for honest."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drivers.contracts import GateEvent, GateEventKind, Way
from drivers.turnstile.modbus.boardmap import BoardMap
from drivers.turnstile.modbus.device import ModbusTurnstile
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from kiosk.audit.record import parse_record
from kiosk.audit.run import audit
from kiosk.config.devices import ModbusTurnstile as section
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import ExitCheck, Reason, ReturnReason
from kiosk.core.types import Standing
from kiosk.face import events as face
from kiosk.view import state_of
from tests.steps.conftest import POLICY, Lane, booking, person
from tests.steps.test_by_hand import BY, desk_of, picture, ref, refusal, sign
from tests.store.conftest import row
from tools import verify_record as tool

BOTH = flow.Rules(finger=False, exit=ExitCheck.FACE)
SAID = {"claim": "id_card", "finger": False, "liveness": True, "exit": "face"}
WRONG = 4 * POLICY.frames  #: looks until it is somebody else


def opened(lane: Lane, *people: int, session_id: str = "S1") -> None:
    starts = lane.clock.now() + timedelta(minutes=10)
    lane.store.create_session(session_id, "x", starts, ["1", "2", "3", "4"], person="t")
    lane.store.apply_roster([booking(n, session_id) for n in people], "test", "t")
    lane.store.open_session(session_id, "t", SAID)
    lane.session.session_changed()
    pulses: list[tuple[int, Way]] = []
    lane.session.gate.unlock = (  # type: ignore[method-assign]
        lambda intent, way: (pulses.append((intent, way)),
                             lane.store.gate_pulse(intent, "sent"))
    )  # fmt: skip
    lane.pulses = pulses  # type: ignore[attr-defined]


def ended(lane: Lane, kind: GateEventKind = GateEventKind.PASSED) -> None:
    way = Way.EXIT if lane.visit.leaving else Way.ENTRY
    lane.session.gate.saw(GateEvent(kind, 0.0, way))


def comes_in(lane: Lane, n: int) -> None:
    lane.card(n)
    lane.look(person(n))
    if lane.state == "sign":
        sign(lane)
    assert lane.state == "gate" and not lane.visit.leaving
    ended(lane)
    lane.leave()


def goes_out(lane: Lane, n: int, kind: GateEventKind = GateEventKind.PASSED) -> None:
    lane.card(n)
    assert (lane.state, lane.visit.leaving) == ("face", True)
    lane.look(person(n))
    assert lane.state == "gate"
    ended(lane, kind)
    lane.leave()


def standing(lane: Lane, n: int) -> Standing:
    return lane.store.lookup("S1", row(n).identity_number).standing


def refused(lane: Lane, n: int) -> Reason | None:
    lane.card(n)
    assert lane.state == "refused"
    reason = lane.visit.reason
    lane.leave()
    return reason


def honest(lane: Lane, session_id: str = "S1") -> None:
    """Both verifiers, of which neither knows the other, of the closed session."""
    if lane.session.session_id == session_id:
        lane.close(session_id)
    record = "".join(f"{line}\n" for line in lane.store.record(session_id))
    assert audit(parse_record(record), lane.store.vkey).findings == ()
    alone = tool.verify(
        record.encode(), tool.read_key(lane.store.vkey), tool.Kept([], [], [])
    )
    assert alone.findings == []


def test_a_pulse_outwards_and_left_by_the_real_wire(play: Any, tmp_path: Path) -> None:
    """Through the board with a coil for each way, on a pseudo-terminal."""

    async def story(lane: Lane) -> None:
        opened(lane, 0)
        comes_in(lane, 0)
        del lane.session.gate.unlock  # type: ignore[method-assign]
        wiring = BoardMap(exit_coil=4)
        with VirtualTurnstile(link_path=tmp_path / "gate", wiring=wiring, stride_s=0.05) as twin:
            options = section(driver="modbus", port=twin.port, exit_coil=4, follow_s=0.1)
            gate = ModbusTurnstile(options.model_dump() | {"clear_s": 10.0})
            await gate.open()
            lane.session.supervisor.device = {"turnstile": gate}.__getitem__  # type: ignore[assignment]
            lane.card(0)
            lane.look(person(0))
            assert lane.state == "gate"
            async with asyncio.timeout(5):
                while twin.pulses == 0:
                    await asyncio.sleep(0.01)
            assert twin.unlocked_for(Way.EXIT) and not twin.unlocked_for(Way.ENTRY)
            await asyncio.to_thread(twin.person_leaves)
            async with asyncio.timeout(5):
                while (event := await gate.next_event()).kind is GateEventKind.ENTERED:
                    lane.session.gate.saw(event)
            lane.session.gate.saw(event)
            await gate.close()
        assert (event.kind, event.way) == (GateEventKind.PASSED, Way.EXIT)
        assert (twin.pulses, twin.passages, twin.leavings) == (1, 0, 1)
        assert lane.state == "welcome" and standing(lane, 0) is Standing.LEFT
        assert lane.entries("gate_outcome")[-1].reason == Reason.LEFT
        honest(lane)

    play(story, BOTH)


def test_who_is_inside_only_goes_out_and_who_is_out_does_neither(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0, 1)
        comes_in(lane, 0)
        goes_out(lane, 0, GateEventKind.TURNED_BACK)
        assert standing(lane, 0) is Standing.INSIDE, "only who was seen to go is out"
        goes_out(lane, 0)
        assert standing(lane, 0) is Standing.LEFT
        assert refused(lane, 0) is Reason.ALREADY_LEFT, "in again only on a proctor's word"
        lane.session.post(ev.LeavingAsked())
        assert lane.state == "claim"
        assert refused(lane, 0) is Reason.NOT_INSIDE, "nobody goes out twice"
        lane.session.post(ev.LeavingAsked())
        assert refused(lane, 1) is Reason.NOT_INSIDE, "nor who never came in"
        ways = [way for _, way in lane.pulses]  # type: ignore[attr-defined]
        assert ways == [Way.ENTRY, Way.EXIT, Way.EXIT]
        honest(lane)

    play(story, BOTH)


def test_a_lent_card_opens_nothing(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0, 1)
        comes_in(lane, 0)
        lane.card(0)
        lane.look(person(1), WRONG)
        assert (lane.state, lane.visit.reason) == ("refused", Reason.FACE_MISMATCH)
        assert len(lane.entries("gate_intent")) == 1
        assert not lane.entries("same_face"), "a face at the way out is held against nobody's day"

    play(story, BOTH)


def test_a_proctor_lets_somebody_back_once_to_the_same_seat(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0)
        comes_in(lane, 0)
        goes_out(lane, 0)
        seat = lane.store.lookup("S1", row(0).identity_number).terminal
        lane.clock.on = timedelta(hours=1)  # check-in is over, which is no matter to them
        lane.store.let_back("S1", str(seat), ReturnReason.TOILET, BY)
        comes_in(lane, 0)
        found = lane.store.lookup("S1", row(0).identity_number)
        assert (found.standing, found.terminal) == (Standing.INSIDE, seat)
        assert [e.payload.get("kind") for e in lane.entries("gate_intent")] == [
            None, "exit", "readmission",
        ]  # fmt: skip
        goes_out(lane, 0)
        assert refused(lane, 0) is Reason.ALREADY_LEFT, "the word was for once"
        honest(lane)

    play(story, BOTH)


@pytest.mark.parametrize("drill", [False, True])
def test_after_a_release_who_was_inside_comes_in_again_and_says_when_they_go(
    play: Any, drill: bool
) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0, 1)
        comes_in(lane, 0)
        comes_in(lane, 1)
        if drill:
            lane.session.gate.begin_drill("1001 李敏")
        else:
            lane.session.gate.saw(GateEvent(GateEventKind.FIRE_ON, 0.0))
            await asyncio.sleep(0.01)
            lane.session.gate.saw(GateEvent(GateEventKind.FIRE_OFF, 0.0))
        assert lane.state == "out_of_order"
        assert lane.session.lane.failed is (Reason.DRILL if drill else Reason.FIRE)
        await lane.again()
        lane.session.gate.unlock = (  # type: ignore[method-assign]
            lambda intent, way: lane.store.gate_pulse(intent, "sent")
        )
        assert lane.session.gate.fire and lane.session.gate.drill is drill, "also by a restart"
        assert len(lane.store.roll("S1")) == 2, "nobody is taken for gone"
        lane.session.gate.resume(BY)
        assert lane.state == "idle"
        comes_in(lane, 0)
        lane.session.post(ev.LeavingAsked())  # the other one has stayed in the hall
        goes_out_asked(lane, 1)
        assert (standing(lane, 0), standing(lane, 1)) == (Standing.INSIDE, Standing.LEFT)
        events = [e.payload["event"] for e in lane.entries("gate_event")]
        assert ("drill_on" in events, "fire_on" in events) == (drill, not drill)
        assert events[-1] == ("drill_ended" if drill else "fire_release_ended")
        honest(lane)

    play(story, BOTH)


def goes_out_asked(lane: Lane, n: int) -> None:
    lane.card(n)
    assert (lane.state, lane.visit.leaving) == ("face", True)
    lane.look(person(n))
    ended(lane)
    lane.leave()


def test_an_entry_gate_lets_people_in_again_after_a_release(play: Any) -> None:
    """Where the way out is no business of this lane's."""

    async def story(lane: Lane) -> None:
        opened(lane, 0)
        comes_in(lane, 0)
        assert refused(lane, 0) is Reason.ALREADY_INSIDE
        assert not flow.accepts(lane.session.lane, ev.LeavingAsked())
        lane.session.gate.release(BY)
        await asyncio.sleep(0.01)
        lane.session.gate.resume(BY)
        comes_in(lane, 0)
        assert refused(lane, 0) is Reason.ALREADY_INSIDE
        honest(lane)

    play(story, flow.Rules(finger=False))


def test_the_close_locks_nobody_in(play: Any) -> None:
    """Leaving while nothing is open, and while the next session's come in, whose entries are not
    theirs."""

    async def story(lane: Lane) -> None:
        opened(lane, 0, 1)
        comes_in(lane, 0)
        comes_in(lane, 1)
        lane.close()
        assert lane.state == "closed"
        goes_out(lane, 0)
        assert lane.state == "closed"
        lane.card(2)
        assert lane.state == "closed", "nobody new"
        opened(lane, 2, session_id="S2")
        (roll,) = lane.store.roll_now("S2")
        assert (roll["session_id"], roll["name"]) == ("S1", row(1).name), "still to be counted"
        lane.store.tick_outside("S1", roll["terminal"], BY, True)
        goes_out(lane, 1)
        assert lane.store.roll_now("S2") == []
        lane.card(2)
        assert (lane.state, lane.visit.leaving) == ("face", False)
        lane.leave()
        left = lane.entries("left")
        assert [e.session_id for e in left] == ["S1", "S1"]
        honest(lane)
        honest(lane, "S2")

    play(story, BOTH)


def test_a_session_that_opens_meanwhile_is_open(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0)
        comes_in(lane, 0)
        lane.close()
        lane.card(0)
        assert lane.state == "face"
        opened(lane, 1, session_id="S2")
        lane.look(person(0))
        assert lane.state == "gate"
        ended(lane)
        lane.leave()
        assert lane.state == "idle"

    play(story, BOTH)


def test_a_proctor_lets_out_who_is_inside_though_the_record_says_otherwise(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0, 1)
        desk = desk_of(lane)
        lane.session.gate.unlock = (  # type: ignore[method-assign]
            lambda intent, way: lane.store.gate_pulse(intent, "sent")
        )
        lane.card(0)
        lane.look(person(0))
        sign(lane)
        ended(lane, GateEventKind.TIMED_OUT)  # and in behind somebody else
        lane.leave()
        lane.session.post(ev.LeavingAsked())
        assert refused(lane, 0) is Reason.NOT_INSIDE
        who = {"ref": ref(lane, 0), "leaving": True, "person": BY}
        assert refusal(desk, "verify.begin", **who | {"ref": ref(lane, 1)}) == "VERIFY_NOT_BOOKED"
        visit = desk.call("verify.begin", who)["visit"]
        picture(lane)
        desk.call("verify.capture", {})
        decision = {"visit": visit, "why": "appearance", "person": BY, "approved_by": "1001 李敏"}
        desk.call("verify.accept", decision)
        assert lane.state == "gate"
        ended(lane)
        assert standing(lane, 0) is Standing.LEFT
        assert lane.entries("gate_intent")[-1].payload["authority"] == "override"
        honest(lane)

    play(story, BOTH)


def test_who_is_sent_to_the_proctor_is_in_their_queue_and_let_out_from_it(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0)
        desk = desk_of(lane)
        lane.session.gate.unlock = (  # type: ignore[method-assign]
            lambda intent, way: lane.store.gate_pulse(intent, "sent")
        )
        comes_in(lane, 0)
        lane.close()
        lane.card(0)
        lane.look(person(1), WRONG)  # a bandage, say
        (asked,) = desk.call("help.list", {})["requests"]
        assert asked["reason"] == "FACE_MISMATCH" and asked["may_verify"]
        visit = desk.call("verify.begin", {"help_id": asked["help_id"], "person": BY})["visit"]
        assert lane.visit.leaving, "nobody has to say which way: they are inside"
        picture(lane)
        desk.call("verify.capture", {})
        decision = {"visit": visit, "why": "covered", "person": BY, "approved_by": "1001 李敏"}
        desk.call("verify.accept", decision)
        ended(lane)
        assert standing(lane, 0) is Standing.LEFT
        assert desk.call("help.list", {})["requests"] == [], "over: they have left"
        honest(lane)

    play(story, BOTH)


def test_who_comes_back_unasked_waits_for_a_proctor(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0)
        desk = desk_of(lane)
        lane.session.gate.unlock = lambda intent, way: None  # type: ignore[method-assign]
        comes_in(lane, 0)
        goes_out(lane, 0)
        assert refused(lane, 0) is Reason.ALREADY_LEFT
        (asked,) = desk.call("help.list", {})["requests"]
        assert asked["reason"] == "ALREADY_LEFT" and not asked["may_verify"]
        assert refusal(desk, "verify.begin", ref=ref(lane, 0), person=BY) == "VERIFY_NOT_BOOKED"
        seat = lane.store.lookup("S1", row(0).identity_number).terminal
        lane.store.let_back("S1", str(seat), ReturnReason.UNWELL, BY)
        desk.call("verify.begin", {"ref": ref(lane, 0), "person": BY})
        assert lane.state == "verify" and not lane.visit.leaving
        lane.session.post(ev.Cancelled(by_proctor=True))
        comes_in(lane, 0)
        assert desk.call("help.list", {})["requests"] == []

    play(story, BOTH)


def test_the_screen_is_told_which_way_and_what_is_asked(play: Any) -> None:
    async def story(lane: Lane) -> None:
        opened(lane, 0)
        assert shown(lane)["may_leave"]
        comes_in(lane, 0)
        lane.card(0)
        told = shown(lane)
        assert told["leaving"] and not told["may_leave"]
        assert told["steps"] == {
            "face": "now", "finger": "skipped", "sign": "skipped", "seat": "skipped",
        }  # fmt: skip

    play(story, BOTH)


def shown(lane: Lane) -> dict[str, Any]:
    return state_of(lane.session.lane, seq=0, session=None, devices={}, deadline_in_s=None,
                    deadline_total_s=None, help_waiting=False)  # fmt: skip


@pytest.mark.parametrize("check", [ExitCheck.FINGER, ExitCheck.CLAIM])
def test_a_finger_or_the_card_alone(play: Any, check: ExitCheck) -> None:
    async def story(lane: Lane) -> None:
        desk_of(lane)
        opened(lane, 0)
        lane.card(0)
        lane.look(person(0))
        lane.session.post(ev.FingerMatched(80))
        sign(lane)
        ended(lane)
        lane.leave()
        lane.card(0)
        assert lane.state == ("finger" if check is ExitCheck.FINGER else "gate")
        if check is ExitCheck.FINGER:
            lane.session.faces.on_face(face.Presence(False, 0.0))
            assert lane.state == "finger", "nobody asked for their face"
            lane.session.post(ev.FingerMatched(80))
        ended(lane)
        assert standing(lane, 0) is Standing.LEFT

    play(story, flow.Rules(finger=True, exit=check))
