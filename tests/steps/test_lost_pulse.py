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
