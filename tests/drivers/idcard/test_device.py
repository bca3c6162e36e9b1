"""The driver against the twin: cards once each, what people do with them, and faults."""

from __future__ import annotations

import asyncio
import time

import pytest

from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.idcard import device
from drivers.idcard.codec import Command
from drivers.idcard.status import OF_THE_CARD, Means, Status
from drivers.idcard.virtual import VirtualSamReader

pytestmark = pytest.mark.usefixtures("no_leaked_threads")
LOOKS_S = 0.7  #: a few looks


async def nothing_comes(reader, bound_s=LOOKS_S):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.next_card(), bound_s)


async def looks(reader, twin, count=4):
    """So many looks go by, and no card comes: as many as a lifted card takes to be noticed."""
    until = twin.heard[Command.FIND] + count
    waiting = asyncio.ensure_future(reader.next_card())
    while twin.heard[Command.FIND] < until:
        await asyncio.sleep(0.001)
    waiting.cancel()
    outcome = await asyncio.gather(waiting, return_exceptions=True)
    assert isinstance(outcome[0], asyncio.CancelledError)


def test_a_card_is_reported_once_until_lifted(run, twin, opened, card, other):
    async def body():
        async with opened() as reader:
            await nothing_comes(reader, 0.3)
            twin.lay_card(card)
            assert await reader.next_card() == card
            await nothing_comes(reader)
            twin.lift_card()
            await nothing_comes(reader)
            twin.lay_card(other)
            assert await reader.next_card() == other
            assert twin.reads == 2

    run(body())


def test_the_same_card_laid_again(run, twin, opened, card):
    async def body():
        async with opened() as reader:
            for _ in range(2):
                twin.lay_card(card)
                assert await reader.next_card() == card
                twin.lift_card()
                await nothing_comes(reader)

    run(body())


def test_modules_that_find_a_card_only_once(run, tmp_path, make_reader, card):
    async def body():
        with VirtualSamReader(tmp_path / "once", finds_once=True) as twin:
            reader = make_reader(twin.port)
            await reader.open()
            twin.lay_card(card)
            assert await reader.next_card() == card
            await nothing_comes(reader, 1.0)
            twin.lift_card()
            twin.lay_card(card)
            assert await reader.next_card() == card
            await reader.close()

    run(body())


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"lift_at": Command.SELECT}, RetryReason.CARD_REMOVED),
        ({"lift_at": Command.READ}, RetryReason.CARD_REMOVED),
        ({"fails": {Command.READ: Status.INFO_CHECK_FAILED}}, RetryReason.CARD_NOT_TRUSTED),
        ({"fails": {Command.READ: Status.CARD_AUTH_FAILED}}, RetryReason.CARD_NOT_TRUSTED),
        ({"fails": {Command.FIND: Status.BAD_CARD_TYPE}}, RetryReason.CARD_OTHER),
        ({"letter": "Z"}, RetryReason.CARD_OTHER),
    ],
)
def test_a_bad_reading_is_told_once(
    run, monkeypatch, twin, opened, card, spoil, reason
):
    monkeypatch.setattr(device, "POLL_S", 0.01)

    async def body():
        async with opened() as reader:
            for name, value in spoil.items():
                setattr(twin, name, value)
            twin.lay_card(card)
            with pytest.raises(Retry) as caught:
                await reader.next_card()
            assert caught.value.reason is reason
            await looks(reader, twin)
            twin.fails, twin.lift_at, twin.letter = {}, None, None
            twin.lift_card()
            await looks(reader, twin)
            twin.lay_card(card)
            assert await reader.next_card() == card

    run(body())


RETRIES = {
    Means.NO_CARD: RetryReason.CARD_REMOVED,
    Means.UNREADABLE: RetryReason.CARD_UNREADABLE,
    Means.NOT_TRUSTED: RetryReason.CARD_NOT_TRUSTED,
    Means.OTHER_CARD: RetryReason.CARD_OTHER,
    Means.LINE: RetryReason.CARD_UNREADABLE,
}


@pytest.mark.parametrize("command", [Command.SELECT, Command.READ])
def test_every_status_word_becomes_what_the_paper_says(
    run, monkeypatch, twin, opened, card, command
):
    """From a card that was selected; the card's own two bytes in front change nothing."""
    monkeypatch.setattr(device, "POLL_S", 0.005)

    async def outcome(reader):
        twin.lay_card(card)
        try:
            await asyncio.wait_for(reader.next_card(), 2)
        except Retry as retry:
            return retry.reason
        except DeviceFault as fault:
            return fault.code
        finally:
            twin.fails = {}
            twin.lift_card()
            await looks(reader, twin)
        return None

    async def body():
        async with opened() as reader:
            for word in Status:
                twin.fails = {command: word}
                twin.of_card = b"\x69\x82" if word in OF_THE_CARD else None
                got = await outcome(reader)
                if word is Status.OK:
                    continue
                if command is Command.SELECT and word.means is Means.LINE:
                    assert got is FaultCode.GARBLED
                else:
                    assert got is RETRIES.get(word.means, FaultCode.REFUSED), word

    run(body())


def test_a_card_left_lying_is_read_once_however_long(run, monkeypatch, twin, opened, card):
    monkeypatch.setattr(device, "POLL_S", 0.002)

    async def body():
        async with opened() as reader:
            assert reader.lying_s is None
            twin.lay_card(card)
            assert await reader.next_card() == card
            await looks(reader, twin, 50)
            assert (twin.heard[Command.SELECT], twin.heard[Command.READ]) == (1, 1)
            assert reader.lying_s > 0
            twin.lift_card()
            await looks(reader, twin)
            assert reader.lying_s is None

    run(body())


def test_another_card_in_the_same_place_is_found_when_asked_for(
    run, monkeypatch, twin, opened, card, other
):
    """Swapped between two looks, or laid on top: only a reading can tell."""
    monkeypatch.setattr(device, "POLL_S", 0.005)

    async def body():
        async with opened() as reader:
            reader.look_again()  # nothing lies there: nothing is asked for
            twin.lay_card(card)
            assert await reader.next_card() == card
            reader.look_again()
            await looks(reader, twin)
            assert twin.reads == 2, "read once more, and it was the same"
            twin.swap_card(other)
            await looks(reader, twin)
            assert twin.reads == 2
            reader.look_again()
            assert await reader.next_card() == other
            await looks(reader, twin)
            assert twin.reads == 3

    run(body())


def test_a_card_that_becomes_readable_while_it_lies(run, twin, opened, card):
    async def body():
        async with opened() as reader:
            twin.lay_card(card, unreadable=True)
            with pytest.raises(Retry):
                await reader.next_card()
            twin.lay_card(card)  # pushed into place, not lifted
            assert await reader.next_card() == card

    run(body())


def test_a_cancelled_call_loses_no_card(run, twin, opened, card):
    """Cancelled at any moment of a look, the card is still to be reported."""

    async def body():
        async with opened() as reader:
            twin.lay_card(card)
            for delay_ms in range(0, 14, 2):
                task = asyncio.create_task(reader.next_card())
                await asyncio.sleep(delay_ms / 1000)
                if task.done():
                    break
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            else:
                task = asyncio.create_task(reader.next_card())
            assert await task == card
            await nothing_comes(reader)
            await reader.check()

    run(body())


def test_describes_what_answered(run, twin, make_reader):
    async def body():
        reader = make_reader()
        info = await reader.open()
        assert (info.role, info.driver, info.port) == ("id_card", "sam", twin.port)
        await reader.close()
        await reader.close()

    run(body())


# --- faults --------------------------------------------------------------------------------------


async def fault_of(call, within_s):
    started = time.monotonic()
    with pytest.raises(DeviceFault) as caught:
        await call
    assert time.monotonic() - started < within_s
    assert caught.value.device == "id_card"
    return caught.value.code


def test_silence(run, twin, opened, make_reader, card):
    async def body():
        async with opened() as reader:
            twin.silent = True
            assert await fault_of(reader.next_card(), 1.5) is FaultCode.NO_ANSWER
            assert await fault_of(reader.check(), 1.5) is FaultCode.NO_ANSWER
            twin.silent = False
            twin.lay_card(card)
            assert await reader.next_card() == card
        twin.silent = True
        assert await fault_of(make_reader().open(), 1.5) is FaultCode.NO_ANSWER

    run(body())


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.SAM_NOT_AUTHORISED, FaultCode.REFUSED),
        (Status.SELFTEST_FAILED, FaultCode.REFUSED),
        (Status.CHECKSUM, FaultCode.GARBLED),
    ],
)
def test_a_module_that_is_not_well(run, twin, opened, status, code):
    async def body():
        async with opened() as reader:
            twin.fails = {Command.FIND: status}
            assert await fault_of(reader.next_card(), 1.5) is code

    run(body())


def test_something_else_answers_at_the_port(run, twin, make_reader):
    async def body():
        twin.fails = {Command.STATUS: Status.SELFTEST_FAILED}
        reader = make_reader()
        assert await fault_of(reader.open(), 1.5) is FaultCode.REFUSED
        twin.fails = {Command.STATUS: Status.FOUND}
        assert await fault_of(reader.open(), 1.5) is FaultCode.WRONG_DEVICE
        twin.fails = {}
        second = make_reader()
        await second.open()  # the first one holds no port
        await second.close()
        await reader.close()

    run(body())


def test_a_late_answer_to_an_earlier_question_is_no_other_device(run, twin, make_reader, card):
    """Of a question that was given up when the port was closed: it comes after it is open again."""

    async def body():
        for status in (Status.NOT_FOUND, Status.FOUND):
            twin.late = status
            reader = make_reader()
            await reader.open()
            twin.lay_card(card)
            assert await asyncio.wait_for(reader.next_card(), 2) == card
            twin.lift_card()
            await reader.close()

    run(body())


def test_ports(run, twin, opened, make_reader):
    async def body():
        async with opened():
            assert await fault_of(make_reader().open(), 1.0) is FaultCode.PORT_BUSY
        missing = make_reader(twin.port + "-not")
        assert await fault_of(missing.open(), 1.0) is FaultCode.PORT_MISSING
        await missing.close()
        assert await fault_of(make_reader().next_card(), 1.0) is FaultCode.UNPLUGGED

    run(body())


def test_closing_does_not_wait_for_a_silent_reader(run, twin, make_reader):
    async def body():
        reader = make_reader()
        await reader.open()
        twin.silent = True
        waiting = asyncio.create_task(reader.next_card())
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await reader.close()
        assert time.monotonic() - started < 0.3
        with pytest.raises(DeviceFault):
            await waiting

    run(body())
