"""A pulse whose answer was lost: the sensors' word on it, once, for the record and the proctor."""

from __future__ import annotations

import pytest

from drivers.contracts import GateEvent, GateEventKind
from drivers.errors import UnlockUnknown
from tests.steps.conftest import booking
from tests.steps.test_receipt import to_the_gate


def pulses(lane):
    kinds = ("gate_pulse", "gate_pulse_seen")
    return [(e.kind, next(v for k, v in e.payload.items() if k != "intent"))
            for kind in kinds for e in lane.entries(kind)]  # fmt: skip


@pytest.mark.parametrize(
    ("end", "opened"),
    [
        (GateEventKind.PASSED, True),
        (GateEventKind.TAILGATED, True),
        (GateEventKind.TIMED_OUT, False),
        (GateEventKind.TURNED_BACK, False),
    ],
)
def test_the_sensors_say_what_became_of_it(play, end, opened):
    async def story(lane):
        lane.open([booking(0)])
        await to_the_gate(lane, 0, UnlockUnknown("turnstile", "no answer"))
        lane.session.gate.saw(GateEvent(GateEventKind.ENTERED, 1.0))
        lane.session.gate.saw(GateEvent(end, 2.0))
        lane.session.gate.saw(GateEvent(end, 3.0))  # of nobody's unlock
        assert pulses(lane) == [("gate_pulse", "unknown"), ("gate_pulse_seen", opened)]

    play(story)


def test_of_a_pulse_that_was_answered_nothing_is_said(play):
    async def story(lane):
        lane.open([booking(0)])
        await to_the_gate(lane, 0)
        lane.session.gate.saw(GateEvent(GateEventKind.PASSED, 2.0))
        assert pulses(lane) == [("gate_pulse", "sent")]

    play(story)


def test_a_gate_without_sensors_lets_in_under_a_reason_of_its_own(play):
    """Journal, standing and screen: inside, and nowhere does it say that somebody was seen."""

    async def story(lane):
        lane.open([booking(0)])
        await to_the_gate(lane, 0)
        lane.session.gate.saw(GateEvent(GateEventKind.UNSEEN, 9.0))
        assert lane.state == "welcome"
        (outcome,), (admitted,) = lane.entries("gate_outcome"), lane.entries("admitted")
        assert (outcome.reason, admitted.reason) == ("GATE_UNSEEN", "GATE_UNSEEN")
        assert lane.store.counts(lane.session.session_id).inside == 1

    play(story)


def test_a_held_gate_and_a_blocked_sensor_are_in_the_record(play):
    async def story(lane):
        lane.open([booking(0)])
        for kind in (GateEventKind.HELD, GateEventKind.SENSOR_BLOCKED, GateEventKind.SENSOR_CLEAR):
            lane.session.gate.saw(GateEvent(kind, 1.0))
        told = [(e.reason, e.payload["event"]) for e in lane.entries("gate_event")]
        assert told == [("GATE_HELD", "held"), ("GATE_SENSOR", "sensor_blocked"),
                        (None, "sensor_clear")]  # fmt: skip

    play(story)
