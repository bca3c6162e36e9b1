"""The gate opened by hand while the daemon runs: named as such, by whom, and nobody's admission."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from drivers.contracts import GateEvent, GateEventKind, GateInputs, Way
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from kiosk.core.codes import JournalKind
from kiosk.desks.workshop import WorkshopDesk
from kiosk.steps import workshop
from kiosk.store.errors import StoreError
from kiosk.wire import RpcError
from tests.steps.conftest import Lane, booking, person
from tests.steps.test_by_hand import declined

BY = {"person": "1003 王工"}
TWO = BY | {"approved_by": "1001 李敏"}


class Gate:
    """Counts pulses; `fault` is what an unlock ends with."""

    def __init__(self, lane: Lane, fault: Exception | None = None) -> None:
        self.fault, self.pulses = fault, 0
        lane.session.supervisor.device = lambda role: self  # type: ignore[assignment]
        lane.session.supervisor.fault = lambda fault: None  # type: ignore[method-assign]

    async def unlock(self, timeout_s: float, way: Way = Way.ENTRY) -> None:
        self.pulses += 1
        if self.fault is not None:
            raise self.fault

    async def release(self, on: bool) -> None:
        pass

    async def clear(self) -> None:
        pass

    async def inputs(self) -> GateInputs:
        return GateInputs(False, True, False, False)


@pytest.fixture(autouse=True)
def rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "REST_S", 0.05)


def ask(lane: Lane, **params: Any) -> asyncio.Task[Any]:
    desk = WorkshopDesk(lane.session, declined)
    return asyncio.ensure_future(desk.call("device.pulse", {"seconds": 1.0} | params))  # type: ignore[arg-type]


async def refusal(lane: Lane, **params: Any) -> str:
    with pytest.raises(RpcError) as refused:
        await ask(lane, **params)
    return str(refused.value.data["code"])


def trials(lane: Lane) -> list[dict[str, Any]]:
    return [e.payload | {"session": e.session_id} for e in lane.entries("device_tried")]


def test_a_pulse_by_hand_is_out_of_service_and_no_admission(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        gate = Gate(lane)
        assert await refusal(lane, **BY) == "GATE_CHIEF"
        asked = ask(lane, **TWO)
        await asyncio.sleep(0.01)
        assert (lane.state, lane.session.lane.failed) == ("out_of_order", "WORKSHOP")
        assert await refusal(lane, **TWO) == "GATE_IN_USE"  # one at a time
        lane.card(0)
        assert lane.state == "out_of_order", "nobody begins meanwhile"
        lane.session.gate.saw(GateEvent(GateEventKind.PASSED, 1.0))
        done = await asked
        assert (done["result"], done["end"], gate.pulses) == ("sent", "passed", 1)
        await asyncio.sleep(0.1)
        assert lane.state == "idle"
        about = {"device": "turnstile", "action": "pulse", "session": "S1", **TWO}
        assert trials(lane) == [about | {"result": "asked"},
                                about | {"result": "sent", "end": "passed"}]
        assert not {"gate_event", "gate_intent", "admitted"} & set(lane.kinds())
        assert lane.store.counts("S1").inside == 0

    play(story)


def test_it_is_refused_while_somebody_is_at_the_lane_or_everybody_may_walk(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(0)])
        gate = Gate(lane)
        lane.card(0)
        assert lane.state == "face"
        assert await refusal(lane, **TWO) == "GATE_IN_USE"
        lane.look(person(0))
        assert lane.state == "sign"
        assert await refusal(lane, **TWO) == "GATE_IN_USE"
        lane.leave()
        lane.session.gate.release(None)
        assert await refusal(lane, **TWO) == "GATE_RELEASED"
        assert gate.pulses == 0 and not trials(lane)

    play(story)


@pytest.mark.parametrize(
    ("fault", "result", "end"),
    [
        (UnlockUnknown("turnstile", "no answer"), "unknown", None),
        (DeviceFault("turnstile", FaultCode.REFUSED), "not_sent", None),
    ],
)
def test_what_became_of_it_is_said(
    play: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception, result: str, end: None
) -> None:
    async def story(lane: Lane) -> None:
        Gate(lane, fault)
        lane.session.workshop._end_s = 0.05
        done = await ask(lane, seconds=0.1, **BY)  # no session: nobody has to approve
        assert (done["result"], done["end"]) == (result, end)
        assert [t["result"] for t in trials(lane)] == ["asked", result]
        assert {t["session"] for t in trials(lane)} == {None}

    play(story)


def test_a_gate_that_is_lost_meanwhile_is_told_at_once_and_by_what(play: Any) -> None:
    """Not after the whole time in which its passage might have ended."""

    async def story(lane: Lane) -> None:
        Gate(lane)
        lane.session.supervisor.add_external("turnstile", "virtual", "/dev/gate")
        status = lane.session.supervisor.statuses["turnstile"]
        status.ok = True
        asked = ask(lane, seconds=30.0, **BY)
        await asyncio.sleep(0.05)
        status.ok, status.code = False, "unplugged"
        done = await asyncio.wait_for(asked, 5)
        assert (done["result"], done["end"], done["fault"]) == ("sent", None, "unplugged")
        assert [t["result"] for t in trials(lane)] == ["asked", "sent"]

    play(story)


def test_nothing_moves_when_it_cannot_be_written_down(play: Any) -> None:
    async def story(lane: Lane) -> None:
        gate = Gate(lane)

        def fails(*about: Any, **more: Any) -> None:
            raise StoreError("disk is full")

        lane.store.journal = fails  # type: ignore[method-assign]
        with pytest.raises(StoreError):
            await ask(lane, **BY)
        assert gate.pulses == 0 and not lane.session.workshop._pulsing

    play(story)


def test_a_daemon_that_ends_meanwhile_leaves_no_pulse_without_its_result(play: Any) -> None:
    async def story(lane: Lane) -> None:
        Gate(lane)
        asked = ask(lane, **BY)
        await asyncio.sleep(0.01)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert [t["result"] for t in trials(lane)] == ["asked", "sent"]
        about = {"device": "turnstile", "action": "pulse", "result": "asked", **BY}
        lane.store.journal(JournalKind.DEVICE_TRIED, payload=about)
        await lane.again()  # as after a crash
        lane.session.workshop.own_up()
        lane.session.workshop.own_up()
        assert [t["result"] for t in trials(lane)][2:] == ["asked", "unknown"]

    play(story)


def test_the_inputs_are_read_while_it_runs(play: Any) -> None:
    async def story(lane: Lane) -> None:
        Gate(lane)
        found = await WorkshopDesk(lane.session, declined).call("device.inputs", {})
        assert found["inputs"]["passage_b"] and not found["inputs"]["fire"]

    play(story)
