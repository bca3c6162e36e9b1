"""The receipt at the gate: after the pulse, for the person before it, and gone with them."""

from __future__ import annotations

import asyncio

import pytest

from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from kiosk.core import events as ev
from kiosk.core.codes import Reason
from kiosk.core.receipt import parse_receipt
from kiosk.signature import Pad
from kiosk.view import state_of
from tests.steps.conftest import booking, person

LINE = [(10.0 * n, 100.0, 5.0 * n, 0.5) for n in range(60)]


class Turnstile:
    """Says what had been signed when the pulse was asked for; then fails as told."""

    def __init__(self, lane, fault=None):
        self.lane, self.fault = lane, fault
        self.signed_before = None

    async def unlock(self, timeout_s, way=None):
        self.signed_before = self.lane.store.newest_checkpoint().size
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault


def shown(lane):
    return state_of(lane.session.lane, seq=0, session=None, devices={}, deadline_in_s=None,
                    deadline_total_s=None, help_waiting=False,
                    receipt=lane.session.receipt)["receipt"]  # fmt: skip


def signature(lane):
    return Pad(visit=lane.visit.number, strokes=[LINE], width=800, height=300,
               text_sha256="0" * 64)  # fmt: skip


async def to_the_gate(lane, n, fault=None):
    turnstile = Turnstile(lane, fault)
    lane.session.supervisor.device = {"turnstile": turnstile}.__getitem__
    lane.session.supervisor.fault = lambda fault: None
    lane.card(n)
    lane.look(person(n))
    if lane.state == "sign":
        lane.session.on_signature(signature(lane))
    assert lane.state == "gate"
    assert shown(lane) is None, "before the pulse nothing is signed"
    for _ in range(5):
        await asyncio.sleep(0)
    return turnstile


@pytest.mark.parametrize("fault", [None, UnlockUnknown("turnstile", FaultCode.NO_ANSWER)])
def test_it_is_made_after_the_pulse_and_leaves_with_the_person(play, fault):
    async def story(lane):
        lane.open([booking(0), booking(1)])
        turnstile = await to_the_gate(lane, 0, fault)
        drawn = lane.entries("seat_drawn")[0]
        assert turnstile.signed_before < drawn.seq, "no head was signed before the gate opened"
        receipt = parse_receipt(shown(lane))
        assert (receipt.seq, receipt.leaf_hash) == (drawn.seq, drawn.leaf_hash)
        assert receipt.terminal == lane.visit.terminal
        lane.session.offer(ev.PassageEnded(Reason.ADMITTED))
        assert lane.state == "welcome"
        assert parse_receipt(shown(lane)) == receipt
        lane.card(1)
        assert lane.session.receipt is None and shown(lane) is None

    play(story)


def test_who_turned_back_has_none_and_comes_back_to_the_same_draw(play):
    async def story(lane):
        lane.open([booking(0)])
        await to_the_gate(lane, 0)
        first = shown(lane)
        lane.session.offer(ev.PassageEnded(Reason.GATE_TURNED_BACK))
        assert lane.state == "refused" and shown(lane) is None
        lane.leave()
        await to_the_gate(lane, 0)
        assert shown(lane) == first

    play(story)


def test_a_session_that_closes_at_the_gate_takes_no_receipt_away(play):
    async def story(lane):
        lane.open([booking(0)])
        turnstile = Turnstile(lane)
        lane.session.supervisor.device = {"turnstile": turnstile}.__getitem__
        lane.card(0)
        lane.look(person(0))
        lane.session.on_signature(signature(lane))
        lane.close()
        for _ in range(5):
            await asyncio.sleep(0)
        assert parse_receipt(shown(lane)).terminal == lane.visit.terminal

    play(story)


def test_a_gate_that_cannot_open_shows_none(play):
    async def story(lane):
        lane.open([booking(0)])
        await to_the_gate(lane, 0, DeviceFault("turnstile", FaultCode.NO_ANSWER))
        assert lane.state == "refused" and shown(lane) is None

    play(story)
