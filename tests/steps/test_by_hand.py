"""A proctor's own eyes at the lane: asked for, looked at, decided, kept; the queue; the pause."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import Reason
from kiosk.desks.lane import LaneDesk
from kiosk.face import events as face
from kiosk.signature import Pad
from kiosk.texts import Problem
from kiosk.wire import REFUSED, RpcError
from tests.steps.conftest import POLICY, Lane, booking, person
from tests.store.conftest import row

WITH_FINGER = flow.Rules(finger=True)
PATIENCE = 4 * POLICY.frames  #: looks until the lane says that it is somebody else
BY = "1002 周静"
TWO = {"person": BY, "approved_by": "1001 李敏"}


def declined(code: str, problems: list[Problem], lang: str | None = None) -> RpcError:
    return RpcError(REFUSED, "", {"code": code, "problems": [p.sentence("zh") for p in problems]})


def desk_of(lane: Lane) -> LaneDesk:
    """Beside a lane whose reader and gate do nothing."""
    lane.session.gate.unlock = lambda intent_id, way: None  # type: ignore[method-assign]
    lane.session.fingers.read = lambda: None  # type: ignore[method-assign]
    lane.session.fingers.load = lambda candidate: None  # type: ignore[method-assign]
    lane.session.fingers.forget = lambda: None  # type: ignore[method-assign]
    return LaneDesk(lane.session, "entry-1", "zh", declined)


def refusal(desk: LaneDesk, method: str, **params: Any) -> str:
    with pytest.raises(RpcError) as refused:
        desk.call(method, params)
    return str(refused.value.data["code"])


def picture(lane: Lane, jpeg: bytes = b"\xff\xd8 here") -> None:
    lane.session.verify.saw(face.Preview(jpeg, 640, 480, None, "none", 0.0, 1.0))


def sign(lane: Lane) -> None:
    line = [(10.0 * i, 100.0, 5.0 * i, 0.5) for i in range(60)]
    pad = Pad(visit=lane.visit.number, strokes=[line], width=800, height=300, text_sha256="0" * 64)
    lane.session.on_signature(pad)


def ref(lane: Lane, n: int) -> str:
    found = lane.store.lookup("S1", row(n).identity_number).candidate
    assert found is not None
    return found.pseudonym


def turned_away(lane: Lane, n: int) -> int:
    """Somebody whose face is not on the photograph; returns their request for help."""
    lane.card(n)
    lane.look(person(9), PATIENCE)
    assert lane.state == "refused"
    (request,) = desk_of(lane).call("help.list", {})["requests"]
    assert (request["reason"], request["lane"]) == ("FACE_MISMATCH", "entry-1")
    assert request["candidate"] and request["ref"] == ref(lane, n) and request["may_verify"]
    return int(request["help_id"])


def test_from_the_queue_through_the_decision_to_the_gate(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        desk = desk_of(lane)
        help_id = turned_away(lane, 0)
        desk.call("help.take", {"help_id": help_id, "person": BY})
        visit = desk.call("verify.begin", {"help_id": help_id, "person": BY})["visit"]
        assert lane.state == "verify"
        lane.card(0)  # laid on while the proctor looks
        picture(lane)
        looked = desk.call("verify.look", {})
        assert looked["card"]["fits"] and looked["name"] == row(0).name and looked["two_people"]
        assert looked["photo"] and looked["captured"] is None
        decision = {"visit": visit, "why": "appearance", "note": "", **TWO}
        assert refusal(desk, "verify.accept", **decision) == "EVIDENCE_PICTURE"
        assert desk.call("verify.capture", {})["captured"]
        picture(lane, b"somebody else stepped in")
        assert refusal(desk, "verify.accept", **decision | {"visit": visit - 1}) == "STALE_VISIT"
        desk.call("verify.accept", decision)
        assert lane.state == "sign"
        sign(lane)
        assert lane.state == "gate"
        kinds = lane.kinds()
        order = ["verification_begun", "capture_kept", "identity_overridden", "signed",
                 "seat_drawn", "gate_intent"]  # fmt: skip
        assert [kinds.index(k) for k in order] == sorted(kinds.index(k) for k in order)
        (overridden,) = lane.entries("identity_overridden")
        (kept,) = lane.store.captures("S1", lane.visit.who.candidate_id)
        assert kept.jpeg == b"\xff\xd8 here" and kept.outcome == "by_hand"
        assert overridden.payload == {
            "why": "appearance", "note": "", **TWO, "evidence_sha256": kept.sha256,
        }  # fmt: skip
        assert lane.entries("gate_intent")[0].payload["authority"] == "override"
        lane.session.post(ev.PassageEnded(Reason.ADMITTED))
        assert desk.call("help.list", {})["requests"] == [], "over: they are inside"
        assert lane.entries("help")[-1].payload == {
            "help": help_id, "done_by": None, "how": "passed",
        }  # fmt: skip

    play(story)


def test_nobody_is_let_in_without_reason_picture_and_the_second_person(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        desk = desk_of(lane)
        visit = desk.call("verify.begin", {"ref": ref(lane, 0), "person": BY})["visit"]
        picture(lane)
        desk.call("verify.capture", {})

        def code(**change: Any) -> str:
            whole = {"visit": visit, "why": "photo", "note": "", **TWO} | change
            return refusal(desk, "verify.accept", **whole)

        assert code(approved_by=None) == "APPROVAL_MISSING"
        assert code(approved_by=BY) == "APPROVAL_OWN"
        assert code(why="other") == "NOTE_MISSING"
        with pytest.raises(RpcError):
            desk.call("verify.accept", {"visit": visit, **TWO})  # no reason at all
        lane.session.supervisor.add_external("camera", "opencv", "")
        lane.session.supervisor.report("camera", True)
        assert code(why="camera") == "CAMERA_WORKS"
        assert lane.state == "verify" and not lane.entries("identity_overridden")
        assert refusal(desk, "verify.reject", visit=visit, why="other", person=BY) == "NOTE_MISSING"
        desk.call("verify.reject", {"visit": visit, "why": "not_the_person", "person": BY})
        assert (lane.state, lane.visit.reason) == ("refused", Reason.MANUAL_REJECTED)
        (rejected,) = lane.entries("identity_rejected")
        assert rejected.payload["why"] == "not_the_person" and rejected.payload["evidence_sha256"]
        assert lane.session.help.open == 0


    play(story)


def test_who_cannot_be_let_in_is_not_looked_at(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0), booking(1)])
        desk = desk_of(lane)
        assert refusal(desk, "verify.begin", ref="x" * 32, person=BY) == "CANDIDATE_UNKNOWN"
        assert refusal(desk, "verify.begin", help_id=7, person=BY) == "CANDIDATE_UNKNOWN"
        assert refusal(desk, "verify.begin", number="12", person=BY) == "NUMBER_LENGTH"
        assert refusal(desk, "verify.look") == "NOT_NOW"
        lane.card(0)
        assert refusal(desk, "verify.begin", ref=ref(lane, 1), person=BY) == "LANE_BUSY"
        desk.call("verify.begin", {"number": row(0).identity_number, "person": BY})
        assert lane.state == "verify"
        lane.session.offer(ev.Cancelled(by_proctor=True))
        lane.store.pause_session("S1", "hall", "", BY)
        lane.session.session_changed()
        assert refusal(desk, "verify.begin", ref=ref(lane, 0), person=BY) == "NOT_NOW"

    play(story)


def test_a_finger_is_set_aside_while_the_lane_asks_for_it(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        desk = desk_of(lane)
        decision = {"why": "worn", "note": "", **TWO}
        assert refusal(desk, "finger.waive", visit=lane.visit.number, **decision) == "NOT_NOW"
        lane.card(0)
        lane.look(person(0))
        assert lane.state == "finger"
        visit = lane.visit.number
        alone = decision | {"approved_by": None, "visit": visit}
        assert refusal(desk, "finger.waive", **alone) == "APPROVAL_MISSING"
        desk.call("finger.waive", decision | {"visit": visit})
        assert lane.state == "sign"
        sign(lane)
        assert lane.entries("finger_overridden")[0].payload == decision
        assert lane.entries("gate_intent")[0].payload["authority"] == "override"

    play(story, WITH_FINGER)


def test_a_chief_lets_the_lane_go_on_without_its_reader_until_it_is_back(play: Any) -> None:
    async def story(lane: Lane) -> None:
        supervisor = lane.session.supervisor
        supervisor.add_external("fingerprint", "zfm", "")
        supervisor.report("fingerprint", True)
        lane.open([booking(0)])
        desk = desk_of(lane)
        chief = {"factor": "finger", "person": "1001 李敏"}
        assert refusal(desk, "lane.waive", **chief) == "DEVICE_WORKS"
        supervisor.report("fingerprint", False, "unplugged")
        lane.session.health_changed()
        assert lane.state == "out_of_order"
        desk.call("lane.waive", chief)
        assert lane.state == "idle"
        mode = lane.session.ladder.mode()
        (lack,) = mode["missing"]
        assert (mode["rung"], lack["allowed_by"]) == ("reduced", "1001 李敏") and lack["since"]
        assert refusal(desk, "lane.waive", **chief) == "DEVICE_WORKS"
        lane.card(0)
        lane.look(person(0))
        assert lane.state == "sign"
        supervisor.report("fingerprint", True)
        lane.session.ladder.found("fingerprint")
        sign(lane)
        assert lane.entries("gate_intent")[0].payload["authority"] == "verified"
        assert lane.session.ladder.mode() == {"rung": "full", "missing": []}
        (waived,) = lane.entries("factor_waived")
        assert waived.payload == chief | {"code": "unplugged"}
        assert len(lane.entries("factor_restored")) == 1
        lane.session.post(ev.PassageEnded(Reason.GATE_TIMEOUT))
        lane.session.offer(ev.Cancelled())
        lane.card(0)
        lane.look(person(0))
        assert lane.state == "finger", "asked for again"

    play(story, WITH_FINGER)


def test_help_once_a_person_and_at_the_second_timeout(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0), booking(1)])
        desk = desk_of(lane)
        for tries in (1, 2, 3):
            lane.card(0)
            lane.session.faces.present = True
            lane.session.post(ev.TimedOut())
            assert lane.state == "refused"
            assert lane.session.help.open == (tries > 1), "the first time may happen to anybody"
            lane.session.offer(ev.Cancelled())
        lane.card(1)
        lane.session.ask_help()
        lane.session.ask_help()
        first, second = desk.call("help.list", {})["requests"]
        assert (first["reason"], first["times"]) == ("FACE_TIMEOUT", 2)
        assert (second["reason"], second["times"]) == ("HELP_REQUESTED", 1)
        desk.call("help.take", {"help_id": second["help_id"], "person": BY})
        await lane.again()
        desk = desk_of(lane)
        kept = desk.call("help.list", {})["requests"]
        assert [h["help_id"] for h in kept] == [first["help_id"], second["help_id"]]
        assert kept[1]["taken_by"] == BY and lane.session.help.open == 2
        done = {"help_id": second["help_id"], "how": "nobody", "person": BY}
        desk.call("help.done", done)
        assert refusal(desk, "help.done", **done) == "HELP_UNKNOWN"
        assert lane.entries("help")[-1].payload["done_by"] == BY

    play(story)


def test_who_is_turned_away_by_hand_has_had_the_answer(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        desk = desk_of(lane)
        help_id = turned_away(lane, 0)
        visit = desk.call("verify.begin", {"help_id": help_id, "person": BY})["visit"]
        desk.call("verify.reject", {"visit": visit, "why": "card", "person": BY})
        assert desk.call("help.list", {})["requests"] == []
        ended = lane.entries("help")[-1].payload
        assert (ended["help"], ended["done_by"], ended["how"]) == (help_id, BY, "sent_away")

    play(story)


def test_a_gate_that_chatters_calls_once_and_each_candidate_is_answered_alone(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        desk = desk_of(lane)
        for _ in range(5):
            lane.session.help.ended(None, Reason.GATE_FORCED)
        lane.card(0)
        lane.session.ask_help()
        gate, own = desk.call("help.list", {})["requests"]
        assert (gate["reason"], gate["times"], gate["ref"]) == ("GATE_FORCED", 5, None)
        desk.call("help.done", {"help_id": own["help_id"], "person": BY})
        assert not lane.session.help_waiting, "the other request is not theirs"
        assert lane.session.help.open == 1

    play(story)


def test_a_pause_outlives_a_restart_and_ends_with_the_session(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        lane.store.pause_session("S1", "exam_system", "服务器重启", BY)
        lane.session.session_changed()
        assert lane.state == "paused"
        lane.card(0)
        assert lane.state == "paused"
        await lane.again()
        assert lane.state == "paused"
        session = lane.store.session("S1")
        assert session is not None and session.paused is not None
        assert (session.paused.why, session.paused.note) == ("exam_system", "服务器重启")
        lane.store.resume_session("S1", BY)
        lane.session.session_changed()
        assert lane.state == "idle"
        lane.store.pause_session("S1", "break", "", BY)
        lane.close()
        assert lane.state == "closed"
        assert [k for k in lane.kinds() if k.startswith("session_")][2:] == [
            "session_paused", "session_resumed", "session_paused", "session_closed",
        ]  # fmt: skip

    play(story)
