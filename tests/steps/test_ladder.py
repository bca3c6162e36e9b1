"""Rungs of the ladder at a lane: who allowed them, what is asked instead, and the way up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import Factor, Reason
from kiosk.mode import SCREEN_GONE_S, Lacks
from kiosk.view import claim_mode
from tests.steps.conftest import Lane, booking, person
from tests.steps.test_by_hand import BY, TWO, desk_of, ref, refusal, sign
from tests.store.conftest import row

CHIEF = "1001 李敏"
ROLES = {"face": "camera", "finger": "fingerprint", "card": "id_card"}


def fail(lane: Lane, factor: str, ok: bool = False) -> None:
    """Its device dies, or is back; what the daemon does then."""
    role = ROLES[factor]
    lane.session.supervisor.report(role, ok, None if ok else "unplugged")
    if ok:
        lane.session.ladder.found(role)
    lane.session.health_changed()


def with_devices(lane: Lane) -> Any:
    for role in ROLES.values():
        lane.session.supervisor.add_external(role, "virtual", "")
        lane.session.supervisor.report(role, True)
    lane.open([booking(0), booking(1)])
    return desk_of(lane)


def waive(desk: Any, factor: str) -> None:
    desk.call("lane.waive", {"factor": factor, "person": CHIEF})


def test_without_a_camera_a_proctor_is_called_and_looks(play: Any) -> None:
    async def story(lane: Lane) -> None:
        desk = with_devices(lane)
        fail(lane, "face")
        assert lane.state == "out_of_order"
        lane.card(0)
        assert lane.state == "out_of_order" and lane.visit.candidate is None
        waive(desk, "face")
        assert lane.state == "idle" and lane.session.ladder.mode()["rung"] == "by_eye"
        lane.card(0)
        assert lane.state == "verify" and lane.session.verify.awaited
        (request,) = desk.call("help.list", {})["requests"]
        assert request["reason"] == Reason.FACE_BY_EYE and request["may_verify"]
        assert refusal(desk, "verify.look") == "NOT_NOW", "not before it is journalled who looks"
        visit = desk.call("verify.begin", {"help_id": request["help_id"], "person": BY})["visit"]
        assert not lane.session.verify.awaited and "verification_begun" in lane.kinds()
        looked = desk.call("verify.look", {})
        assert looked["card"]["fits"] and looked["finger"] and looked["captured"] is None
        assert refusal(desk, "verify.begin", ref=ref(lane, 0), person=BY) == "NOT_NOW"
        decision = {"visit": visit, "why": "camera", "note": "", **TWO}
        assert refusal(desk, "verify.accept", **decision | {"why": "photo"}) == "EVIDENCE_PICTURE"
        desk.call("verify.accept", decision)
        assert lane.state == "finger", "the other factor stays"
        lane.session.post(ev.FingerMatched(90))
        sign(lane)
        assert lane.entries("gate_intent")[0].payload["authority"] == "override"
        lane.session.post(ev.PassageEnded(Reason.ADMITTED))
        assert desk.call("help.list", {})["requests"] == []

    play(story, flow.Rules(finger=True))


def test_the_camera_is_back_and_asked_again(play: Any) -> None:
    async def story(lane: Lane) -> None:
        desk = with_devices(lane)
        fail(lane, "face")
        waive(desk, "face")
        lane.card(0)
        assert lane.state == "verify"
        fail(lane, "face", ok=True)
        visit = desk.call("verify.begin", {"ref": ref(lane, 0), "person": BY})["visit"]
        decision = {"visit": visit, "why": "camera", "note": "", **TWO}
        assert refusal(desk, "verify.accept", **decision) == "CAMERA_WORKS"
        lane.session.offer(ev.Cancelled(by_proctor=True))
        lane.card(1)
        assert lane.state == "face"
        fail(lane, "face")
        assert lane.state == "out_of_order", "another fault is another decision"
        kinds = [k for k in lane.kinds() if k.startswith("factor_")]
        assert kinds == ["factor_waived", "factor_restored"]

    play(story)


def test_without_a_card_reader_numbers_are_typed(play: Any) -> None:
    async def story(lane: Lane) -> None:
        desk = with_devices(lane)
        fail(lane, "card")
        waive(desk, "card")
        assert claim_mode(lane.session.lane) == "number" and lane.session.claims.may_ask()
        lane.session.post(ev.NumberAsked())
        lane.session.claims.on_number(row(0).identity_number)
        assert lane.state == "face"
        lane.look(person(0))
        assert lane.state == "sign"

    play(story)


def test_without_both_a_proctor_begins(play: Any) -> None:
    async def story(lane: Lane) -> None:
        desk = with_devices(lane)
        for factor in ("card", "face", "finger"):
            fail(lane, factor)
            assert lane.state == "out_of_order", "each has to be allowed"
            waive(desk, factor)
        assert lane.state == "idle" and claim_mode(lane.session.lane) == "proctor"
        assert not lane.session.claims.may_ask()
        whom = {"number": row(0).identity_number, "person": BY}
        visit = desk.call("verify.begin", whom)["visit"]
        assert not desk.call("verify.look", {})["finger"]
        desk.call("verify.accept", {"visit": visit, "why": "camera", "note": "", **TWO})
        sign(lane)
        assert lane.entries("gate_intent")[0].payload["authority"] == "override"
        assert {e.payload["person"] for e in lane.entries("factor_waived")} == {CHIEF}

    play(story, flow.Rules(finger=True))


def test_a_session_that_opens_later_says_what_it_goes_on_without(play: Any) -> None:
    async def story(lane: Lane) -> None:
        desk = with_devices(lane)
        fail(lane, "finger")
        waive(desk, "finger")
        lane.close()
        lane.open([booking(2, "S2")], "S2")
        lane.session.ladder.session_opened()
        first, again = lane.entries("factor_waived")
        assert first.payload == again.payload and again.session_id == "S2"
        await lane.again()
        assert not lane.session.lane.without, "a restart begins at the top"

    play(story)


def test_what_nobody_can_waive_is_said(play: Any) -> None:
    async def story(lane: Lane) -> None:
        there = [True]
        lacks = Lacks(
            lane.store, lane.clock, screen_there=lambda: there[0],
            sensor_since=lambda: lane.session.gate.sensor_since, has_centre=lambda: True,
            roster_days=3,
        )  # fmt: skip

        def found() -> set[str]:
            lacks._looks = 0
            lacks.look()
            return {one["factor"] for one in lacks.found}

        lane.open([booking(0)])
        assert found() == set() and not lacks.look()
        lane.clock.on += timedelta(minutes=20)
        assert found() == {"centre"}
        lane.clock.on += timedelta(days=4)
        assert found() == {"centre", "roster"}
        there[0] = False
        assert found() == {"centre", "roster"}, "it may just be starting"
        assert lacks._gone_s is not None
        lacks._gone_s -= SCREEN_GONE_S
        assert found() == {"centre", "roster", "screen"}
        assert not any(one["may_waive"] for one in lacks.found)
        there[0] = True
        assert found() == {"centre", "roster"}
        assert set(Factor) == set(ROLES)

    play(story)
