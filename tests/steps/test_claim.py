"""The claim after *not sure*: card, typed number, scanned slip; and that nobody fishes here."""

from __future__ import annotations

import logging

import pytest

from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.number import NumberProblem
from kiosk.face.events import LivenessPassed, Observation
from kiosk.view import state_of
from tests.steps.conftest import POLICY, booking, like, person
from tests.store.conftest import row

BY_FACE = flow.Rules(claim_by_card=False, finger=False)
PATIENCE = 3 * POLICY.frames


def twins(apart: float = 0.05):
    """Rows 0 and 1 look alike; 2 is somebody else."""
    other = like(person(0), apart)
    return [booking(0), booking(1, embedding=tuple(map(float, other))), booking(2)]


def shown(lane):
    return state_of(lane.session.lane, seq=0, session=None, devices={}, deadline_in_s=None,
                    deadline_total_s=None, help_waiting=False)  # fmt: skip


def unsure(lane):
    """Twin 0 before the camera of a 1:N lane."""
    lane.open(twins())
    lane.step_up()
    lane.look(person(0), PATIENCE)
    assert lane.state == "claim"


@pytest.mark.parametrize("typed", [row(0).identity_number, row(0).admission_no.lower()])
def test_not_sure_then_a_number_then_one_to_one_from_the_start(play, typed):
    async def story(lane):
        unsure(lane)
        assert lane.worker.asked[-1] == "guard", "who types looks down"
        before = lane.worker.task
        assert lane.session.claims.on_number(typed) is None
        assert lane.state == "face" and lane.worker.task != before
        assert shown(lane)["candidate"] is None
        lane.glance(person(0), PATIENCE)
        assert lane.state == "face", "live once more, not live from before"
        lane.look(person(0))
        assert lane.state == "sign"
        assert shown(lane)["candidate"]["name"] == "考*0"
        assert lane.kinds()[-3:] == ["claim_typed", "claimed", "identity_verified"]

    play(story, BY_FACE)


def test_a_card_goes_as_well(play):
    async def story(lane):
        unsure(lane)
        lane.card(0)
        lane.look(person(0))
        assert lane.state == "sign"

    play(story, BY_FACE)


def test_whosever_number_it_is_the_screen_says_the_same(play):
    """On the roster, on no roster, of another session: as many looks, the same words, no name."""

    async def story(lane):
        lane.store.create_session("S2", "x", lane.clock.now(), ["1"], person="t")
        unsure(lane)
        lane.store.apply_roster([booking(5, "S2")], "test", "t")
        told = []
        for number in (row(2), row(9), row(5)):
            lane.session.claims.on_number(number.identity_number)
            says = []
            lane.session.faces.on_face(_live(lane))
            for _ in range(PATIENCE):
                says.append(shown(lane) | {"numbers_left": None, "reason": None})
                lane.glance(person(0))
            told.append(says)
            last = lane.state
        assert told[0] == told[1] == told[2]
        assert last == "refused" and lane.visit.reason == "FACE_NOT_SURE"
        assert lane.visit.candidate is None
        typed = [(e.reason, bool(e.pseudonym)) for e in lane.entries("claim_typed")]
        assert typed == [(None, True), ("NOT_ON_ROSTER", False), ("OTHER_SESSION", True)]
        assert len(lane.entries("claim_failed")) == 3

    play(story, BY_FACE)


def _live(lane):
    return LivenessPassed(lane.worker.task, "turn_left")


def test_after_a_wrong_number_another_one_may_be_tried(play):
    async def story(lane):
        unsure(lane)
        lane.session.claims.on_number(row(2).identity_number)
        lane.look(person(0), PATIENCE)
        assert (lane.state, shown(lane)["numbers_left"]) == ("claim", 2)
        assert shown(lane)["number_failed"]
        lane.session.claims.on_number(row(0).identity_number)
        lane.look(person(0))
        assert lane.state == "sign"

    play(story, BY_FACE)


def test_the_other_twins_number_is_no_way_in(play):
    """0.2 apart: 1:N itself would be sure, so a claim as the other one must not be easier."""

    async def story(lane):
        lane.open(twins(apart=0.2))
        lane.card(0)
        lane.look(person(0))
        assert lane.state == "sign"
        lane.leave()
        lane.card(1)
        lane.look(person(0), PATIENCE)
        assert (lane.state, lane.visit.reason) == ("refused", "FACE_NOT_SURE")

    play(story)


def test_what_is_no_number_is_said_at_once_and_costs_nothing(play):
    async def story(lane):
        unsure(lane)
        claims = lane.session.claims
        assert claims.on_number("") is NumberProblem.EMPTY
        assert claims.on_number("3706021980") is NumberProblem.LENGTH
        assert claims.on_number(row(0).identity_number[:-1] + "Y") is NumberProblem.CHARACTERS
        assert (lane.state, shown(lane)["numbers_left"]) == ("claim", 3)

    play(story, BY_FACE)


def test_what_one_verification_saw_is_nothing_to_the_next(play):
    """A card laid on at once: looks still in the line belong to the try before."""

    async def story(lane):
        unsure(lane)
        old = lane.worker.task
        lane.card(0)
        assert lane.worker.task != old
        lane.worker.task, new = old, lane.worker.task
        lane.look(person(0), PATIENCE)
        assert lane.state == "face"
        lane.worker.task = new
        lane.look(person(0))
        assert lane.state == "sign"

    play(story, BY_FACE)


def test_a_look_by_another_encoder_counts_for_nothing(play):
    async def story(lane):
        lane.open([booking(0)])
        lane.card(0)
        lane.session.faces.on_face(_live(lane))
        for _ in range(PATIENCE):
            seen = tuple(map(float, person(0)))
            lane.session.faces.on_face(Observation(lane.worker.task, seen, 0.5, 0.0, "another"))
        assert lane.state == "face"

    play(story)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_card_lane_offers_typing_only_where_it_is_set_to(play, at_once):
    async def story(lane):
        lane.open([booking(0)])
        assert lane.session.claims.may_ask() is at_once
        assert shown(lane)["may_type"] is at_once
        lane.session.offer(ev.NumberAsked())
        assert lane.session.claims.awaits_number is at_once

    play(story, flow.Rules(may_type_at_once=at_once))


def test_numbers_are_in_no_log_and_not_in_the_journal(play, capsys, caplog):
    caplog.set_level(logging.DEBUG)

    async def story(lane):
        unsure(lane)
        for number in (row(2).identity_number, row(9).identity_number, "A00000"):
            lane.session.claims.on_number(number)
            lane.look(person(1), PATIENCE)
        journal = "".join(str(e) for e in lane.store.entries(0, 1000))
        written = journal + str(lane.happened) + caplog.text + "".join(capsys.readouterr())
        for number in (row(2).identity_number, row(9).identity_number, "A00000"):
            assert number not in written

    play(story, BY_FACE)


# --- a scanner on a serial line -----------------------------------------------------------------


def hint(lane):
    return lane.session.claims.scan_problem


@pytest.mark.parametrize("code", [row(0).admission_no, row(0).identity_number])
def test_a_scanned_slip_is_a_claim_and_the_face_still_decides(play, code):
    async def story(lane):
        lane.open([booking(0), booking(1)])
        lane.session.claims.on_scan(code)
        assert lane.state == "face" and shown(lane)["candidate"] is None
        lane.look(person(1), PATIENCE)
        assert lane.state == "claim", "somebody else's slip lets nobody in"
        lane.session.claims.on_scan(code)
        lane.look(person(0))
        assert lane.state == "sign"
        assert lane.kinds()[-3:] == ["claim_typed", "claimed", "identity_verified"]

    play(story, flow.Rules(finger=False, may_type_at_once=True))


def test_a_code_that_is_no_number_is_said_and_forgotten(play):
    async def story(lane):
        lane.open([booking(0)])
        bad = row(0).identity_number[:17] + ("0" if row(0).identity_number[17] != "0" else "1")
        lane.session.claims.on_scan(bad)
        assert (lane.state, hint(lane)) == ("claim", "checksum")
        lane.session.claims.on_scan("https://example.cn/advert")
        assert (lane.state, hint(lane)) == ("claim", "length")
        lane.session.claims.on_scan(row(0).admission_no)
        assert (lane.state, hint(lane)) == ("face", None)
        lane.session.offer(ev.Cancelled())
        lane.session.claims.on_scan(bad)
        lane.session.offer(ev.Cancelled())
        assert (lane.state, hint(lane)) == ("idle", None)
        assert not any(bad in str(e) for e in lane.happened)

    play(story, flow.Rules(finger=False, may_type_at_once=True))


@pytest.mark.parametrize("rules", [flow.Rules(finger=False), flow.Rules(may_type=False)])
def test_where_no_number_may_be_typed_none_is_scanned(play, rules):
    async def story(lane):
        lane.open([booking(0)])
        lane.session.claims.on_scan(row(0).admission_no)
        assert (lane.state, hint(lane)) == ("idle", None)

    play(story, rules)


def test_a_code_while_somebody_is_at_the_lane_or_nothing_is_open_is_nobodys(play):
    async def story(lane):
        lane.session.claims.on_scan(row(0).admission_no)
        assert lane.state == "closed"
        lane.open([booking(0), booking(1)])
        lane.session.claims.on_scan(row(0).admission_no)
        assert lane.state == "face"
        lane.session.claims.on_scan(row(1).admission_no)
        lane.look(person(0))
        assert lane.state == "sign" and shown(lane)["candidate"]["name"] == "考*0"

    play(story, flow.Rules(finger=False, may_type_at_once=True))
