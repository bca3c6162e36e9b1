"""The card reader beside the lane, to the byte: whose turn it is, cards left lying, and cards
whose day, name or kind is not as it should be."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

import pytest

from drivers.contracts import CardKind, IdCard
from drivers.idcard import device
from drivers.idcard.codec import Command
from drivers.idcard.device import SamReader
from drivers.idcard.status import Status
from drivers.idcard.virtual import VirtualSamReader
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import Reason
from kiosk.steps import cards
from tests.steps.conftest import ZONE, booking
from tests.store.conftest import row

BY_CARD = flow.Rules(finger=False)


def card_of(n: int, **change: object) -> IdCard:
    r = row(n)
    whole = {"name": r.name, "sex": "男", "nation": "汉", "birth_date": r.identity_number[6:14],
             "address": "示范路一号", "number": r.identity_number, "issuer": "示范市公安局",
             "valid_from": "20200101", "valid_to": "长期"}  # fmt: skip
    return IdCard(**(whole | change))


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(device, "POLL_S", 0.005)
    monkeypatch.setattr(cards, "AGAIN_S", 0.01)
    monkeypatch.setattr(cards, "LEFT_S", 0.05)
    monkeypatch.setattr(cards, "KEPT_S", 0.1)


@contextlib.asynccontextmanager
async def serving(lane, **how):
    with VirtualSamReader(**how) as twin:
        reader = SamReader({"port": twin.port, "baud": 115200})
        await reader.open()
        task = asyncio.create_task(lane.session.cards.serve(reader))
        try:
            yield twin
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await reader.close()


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def looks(twin, count=6):
    """So many looks of the driver go by."""
    seen = twin.heard[Command.FIND]
    await until(lambda: twin.heard[Command.FIND] >= seen + count)


def hint(lane):
    return lane.session.cards.hint


def test_the_next_card_waits_for_its_turn_while_it_lies_there(play):
    async def story(lane):
        lane.open([booking(0), booking(1)])
        async with serving(lane) as twin:
            twin.lay_card(card_of(0))
            await until(lambda: lane.state == "face")
            twin.lift_card()
            await looks(twin)
            twin.lay_card(card_of(1))  # the next is quick
            await until(lambda: twin.reads == 2)
            await looks(twin)
            assert lane.state == "face" and lane.visit.who.name == "考生0"
            lane.session.post(ev.FaceRefused(Reason.FACE_MISMATCH))
            await looks(twin)
            assert lane.state == "refused", "the first may read why"
            lane.session.post(ev.Cancelled())
            await until(lambda: lane.state == "face")
            assert lane.visit.who.name == "考生1"
            assert twin.reads == 2, "it was not read again for that"

    play(story, BY_CARD)


def test_a_waiting_card_that_is_taken_away_claims_nothing(play):
    async def story(lane):
        lane.open([booking(0), booking(1)])
        async with serving(lane) as twin:
            twin.lay_card(card_of(0))
            await until(lambda: lane.state == "face")
            twin.lift_card()
            await looks(twin)
            twin.lay_card(card_of(1))
            await until(lambda: twin.reads == 2)
            twin.lift_card()
            await asyncio.sleep(0.15)  # KEPT_S, where nothing tells that it lies there
            lane.session.post(ev.Cancelled())
            await looks(twin, 20)
            assert lane.state == "idle"

    play(story, BY_CARD)


def test_ones_own_card_laid_on_again_claims_nothing_for_later(play):
    async def story(lane):
        lane.open([booking(0)])
        async with serving(lane) as twin:
            twin.lay_card(card_of(0))
            await until(lambda: lane.state == "face")
            twin.lift_card()
            await looks(twin)
            twin.lay_card(card_of(0))
            await until(lambda: twin.reads == 2)
            await looks(twin)
            lane.session.post(ev.FaceRefused(Reason.FACE_MISMATCH))
            lane.session.post(ev.Cancelled())
            await looks(twin, 20)
            assert lane.state == "idle"

    play(story, BY_CARD)


def test_a_card_left_lying_is_said_and_another_in_its_place_is_found(play):
    """Read once for its owner, once more for the next visit, and then not again."""

    async def story(lane):
        lane.open([booking(0), booking(1)])
        async with serving(lane) as twin:
            twin.lay_card(card_of(0))
            await until(lambda: lane.state == "face")
            assert hint(lane) is None
            lane.session.post(ev.Cancelled())
            await until(lambda: hint(lane) == "card_left")
            await looks(twin, 30)
            assert lane.state == "idle" and twin.reads == 2
            twin.lift_card()
            await until(lambda: hint(lane) is None)
            twin.lay_card(card_of(0))
            await until(lambda: lane.state == "face")
            twin.swap_card(card_of(1))  # on top of it, while the first is still at the lane
            lane.session.post(ev.Cancelled())
            await until(lambda: lane.state == "face")
            assert lane.visit.who.name == "考生1"

    play(story, BY_CARD)


def test_what_went_wrong_is_on_the_screen_until_a_card_is_read(play):
    async def story(lane):
        lane.open([booking(0)])
        async with serving(lane) as twin:
            twin.lift_at = Command.READ
            twin.lay_card(card_of(0))
            await until(lambda: hint(lane) == "card_removed")
            twin.lift_at, twin.fails = None, {Command.READ: Status.INFO_CHECK_FAILED}
            await looks(twin)
            twin.lay_card(card_of(0))
            await until(lambda: hint(lane) == "card_not_trusted")
            why = [e["text_args"]["why"] for e in lane.happened if e["kind"] == "card_retry"]
            assert why == ["card_removed", "card_not_trusted"]
            twin.fails = {}
            await until(lambda: lane.state == "face")
            assert hint(lane) is None

    play(story, BY_CARD)


def test_modules_that_find_a_card_once(play):
    """They cannot tell that it still lies there: it waits a short while."""

    async def story(lane):
        lane.open([booking(0), booking(1)])
        async with serving(lane, finds_once=True) as twin:
            twin.lay_card(card_of(0))
            await until(lambda: lane.state == "face")
            await looks(twin)
            twin.lay_card(card_of(1))
            await until(lambda: twin.reads == 2)
            lane.session.post(ev.Cancelled())
            await until(lambda: lane.state == "face")
            assert lane.visit.who.name == "考生1"

    play(story, BY_CARD)


# --- what is let pass ----------------------------------------------------------------------------


def noted(lane):
    return [(e.payload["notes"], bool(e.pseudonym)) for e in lane.entries("card_noted")]


@pytest.mark.parametrize("policy", ["refuse", "warn"])
def test_the_last_day_counts_in_the_halls_time(play, policy):
    async def story(lane):
        lane.open([booking(0)])
        hall = datetime.now(ZONE)
        midnight = hall.replace(hour=23, minute=59, second=0, microsecond=0)
        lane.clock.on += midnight - hall  # still that day here, and not yet or no more elsewhere
        lane.session.session = None
        lane.store.close_session("S1", "t")
        lane.open([booking(0, "S2")], "S2")
        last = f"{midnight:%Y%m%d}"
        lane.card(0, valid_to=last)
        assert lane.state == "face", "valid on its last day"
        lane.session.post(ev.Cancelled())
        lane.clock.on += timedelta(minutes=2)
        lane.card(0, valid_to=last)
        if policy == "refuse":
            assert (lane.state, lane.visit.reason) == ("refused", "CARD_EXPIRED")
            assert noted(lane) == []
        else:
            assert lane.state == "face"
            assert noted(lane) == [(["expired"], True)]
            assert lane.kinds()[-2:] == ["card_noted", "claimed"]

    play(story, flow.Rules(finger=False, expired_card=policy == "warn"))


@pytest.mark.parametrize(
    ("roster", "card", "notes", "reason"),
    [
        ("吕龑", "呂䶮", ["name_variant"], None),
        ("阿布都拉•买买提", "阿布都拉·买买提", ["name_written"], None),
        ("王晓明", "王小明", None, "CARD_NAME_SIMILAR"),
        ("李敏", "王小明", None, "CARD_NAME_DIFFERS"),
    ],
)
def test_a_name_written_otherwise(play, roster, card, notes, reason):
    async def story(lane):
        lane.open([booking(0, name=roster)])
        lane.card(0, name=card)
        assert lane.state == ("refused" if reason else "face")
        assert lane.visit.reason == reason
        assert noted(lane) == ([(notes, True)] if notes else [])
        if reason:
            assert [h.reason for h in lane.store.open_help()] == [reason]

    play(story, BY_CARD)


def test_a_foreigner_is_known_by_either_name_and_the_kind_is_noted(play):
    async def story(lane):
        lane.open([booking(0, name="Smith John"), booking(1, name="史约翰")])
        about = {"other_name": "SMITH JOHN", "nation": "GBR", "kind": CardKind.FOREIGN_2023}
        async with serving(lane) as twin:
            for n in range(2):
                twin.lay_card(card_of(n, name="史约翰", **about))
                await until(lambda: lane.state == "face")
                lane.session.post(ev.Cancelled())
                twin.lift_card()
                await looks(twin)
        assert noted(lane) == [(["foreign_2023", "name_written"], True), (["foreign_2023"], True)]

    play(story, BY_CARD)


def test_a_card_whose_number_no_roster_has_room_for_is_named_in_the_journal(play):
    async def story(lane):
        lane.open([booking(0)])
        card = card_of(0, name="史约翰", other_name="SMITH JOHN", nation="GBR", address="",
                       number="GBR110080010100", issuer="1100", kind=CardKind.FOREIGN_2017)
        async with serving(lane) as twin:
            twin.lay_card(card)
            await until(lambda: lane.state == "refused")
        assert lane.visit.reason == "NOT_ON_ROSTER"
        assert noted(lane) == [(["foreign_2017"], False)]

    play(story, BY_CARD)


def test_by_hand_the_variant_fits_too(play):
    async def story(lane):
        lane.open([booking(0, name="吕布")])
        lookup = lane.store.lookup("S1", row(0).identity_number)
        lane.session.verify.begin(lookup, "1001 李敏")
        lane.card(0, name="呂布")
        assert lane.session.verify.card_fits() is True
        lane.card(0, name="吕市")
        assert lane.session.verify.card_fits() is False
        lane.card(1, name="吕布")
        assert lane.session.verify.card_fits() is False

    play(story, BY_CARD)
