"""ZfmReader against the twin over a sound cable: results, retries, buffers, cancelling."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.fingerprint.zfm.codec import Command, Confirm
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template

ALICE, ALICE_2, BOB = make_template("alice", 1), make_template("alice", 2), make_template("bob", 1)


async def test_open_tells_what_answered(twin: VirtualZfm, reader: ZfmReader) -> None:
    info = await reader.open()
    assert (info.role, info.driver, info.port) == ("fingerprint", "zfm", twin.port)
    assert info.facts == {
        "capacity": "1000",
        "library": "empty",
        "security_level": "3",
        "min_score": "50",
        "packet_bytes": "128",
        "baud": "57600",
        "address": "0xFFFFFFFF",
        "system_id": "0x0009",
    }
    await reader.check()


async def test_match(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    before = time.monotonic()
    twin.put_finger("alice")
    result = await opened.verify()
    assert result.matched
    assert result.score >= 50
    assert result.template_index == 0
    assert before <= result.image_ready_s <= time.monotonic()


async def test_no_match_then_match(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    twin.put_finger("bob")
    result = await opened.verify()
    assert (result.matched, result.score) == (False, 0)
    twin.lift_finger()
    await opened.wait_lifted()
    twin.put_finger("alice")
    assert (await opened.verify()).matched


async def test_any_of_several_templates(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([BOB, make_template("carol", 1), ALICE])
    twin.put_finger("alice")
    result = await opened.verify()
    assert (result.matched, result.template_index) == (True, 2)
    twin.put_finger("bob")  # and the first again, although the third now lies in the module
    result = await opened.verify()
    assert (result.matched, result.template_index) == (True, 0)


async def test_a_low_score_is_no_match(
    twin: VirtualZfm, make_reader: Callable[..., ZfmReader]
) -> None:
    reader = make_reader(min_score=10_000)
    await reader.open()
    await reader.load([ALICE])
    twin.put_finger("alice")
    result = await reader.verify()
    assert not result.matched
    assert 0 < result.score < 10_000


async def test_same_templates_are_not_sent_again(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    assert twin.commands(Command.UPLOAD_CHARACTERISTICS) == 1
    await opened.load([ALICE])
    twin.put_finger("alice")
    await opened.verify()
    assert twin.commands(Command.UPLOAD_CHARACTERISTICS) == 1
    await opened.load([ALICE_2])
    assert twin.commands(Command.UPLOAD_CHARACTERISTICS) == 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Confirm.TOO_DRY, RetryReason.TOO_DRY),
        (Confirm.TOO_WET, RetryReason.TOO_WET),
        (Confirm.SMEARED, RetryReason.SMEARED),
        (Confirm.TOO_FEW_FEATURES, RetryReason.TOO_FEW_FEATURES),
        (Confirm.NO_IMAGE, RetryReason.FINGER_LIFTED),
        (Confirm.IMAGE_FAILED, RetryReason.FINGER_LIFTED),
    ],
)
async def test_bad_image_is_a_retry(
    twin: VirtualZfm, opened: ZfmReader, fault: Confirm, reason: RetryReason
) -> None:
    await opened.load([ALICE])
    twin.next_image(fault)
    twin.put_finger("alice")
    with pytest.raises(Retry) as caught:
        await opened.verify()
    assert caught.value.reason is reason
    assert (await opened.verify()).matched


async def test_wrong_password(twin: VirtualZfm, reader: ZfmReader) -> None:
    twin.set_password(0xBEEF)
    with pytest.raises(DeviceFault) as caught:
        await reader.open()
    assert caught.value.code is FaultCode.WRONG_PASSWORD


async def test_right_password(twin: VirtualZfm, make_reader: Callable[..., ZfmReader]) -> None:
    twin.set_password(0xBEEF)
    await make_reader(password=0xBEEF).open()


async def test_another_address_does_not_answer(make_reader: Callable[..., ZfmReader]) -> None:
    with pytest.raises(DeviceFault) as caught:
        await make_reader(address=0x1).open()
    assert caught.value.code is FaultCode.NO_ANSWER


async def test_missing_port(make_reader: Callable[..., ZfmReader]) -> None:
    with pytest.raises(DeviceFault) as caught:
        await make_reader(port="/dev/examgate-no-such-port").open()
    assert caught.value.code is FaultCode.PORT_MISSING
    assert caught.value.device == "fingerprint"


async def test_unknown_packet_size(twin: VirtualZfm, reader: ZfmReader) -> None:
    twin.chip.size_code = 7
    with pytest.raises(DeviceFault) as caught:
        await reader.open()
    assert caught.value.code is FaultCode.WRONG_DEVICE


async def test_restarted_module_is_logged_into_and_loaded_again(
    twin: VirtualZfm, opened: ZfmReader
) -> None:
    """A brown-out on the module's own supply: the port stays, its memory does not."""
    twin.chip.needs_login = True
    await opened.load([ALICE])
    twin.power_cycle()
    twin.put_finger("alice")
    assert (await opened.verify()).matched


async def test_silent_restart_costs_one_attempt(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    twin.power_cycle()
    twin.put_finger("alice")
    assert not (await opened.verify()).matched
    assert (await opened.verify()).matched


async def test_cancelled_verify_frees_the_reader(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    waiting = asyncio.create_task(opened.verify())
    await asyncio.sleep(0.15)
    waiting.cancel()
    started = time.monotonic()
    await opened.load([BOB])
    assert time.monotonic() - started < 1.0
    twin.put_finger("alice")
    assert not (await opened.verify()).matched
    twin.put_finger("bob")
    assert (await opened.verify()).matched


async def test_cancelling_in_the_middle_of_anything(twin: VirtualZfm, opened: ZfmReader) -> None:
    """Cancelled after any delay, in the middle of an upload too; the next call is right."""
    for step in range(12):
        task = asyncio.create_task(opened.load([BOB if step % 2 else ALICE_2]))
        await asyncio.sleep(0.002 * step)
        task.cancel()
        started = time.monotonic()
        await opened.load([ALICE])
        assert time.monotonic() - started < 1.0
        twin.put_finger("alice" if step % 3 else "bob")
        assert (await opened.verify()).matched is bool(step % 3)
        twin.lift_finger()


async def test_cancelling_while_the_module_sleeps(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    twin.sleep()
    task = asyncio.create_task(opened.verify())
    await asyncio.sleep(0.05)
    task.cancel()
    twin.wake()
    started = time.monotonic()
    await opened.check()
    assert time.monotonic() - started < 1.0


async def test_check_gets_its_turn_while_verify_waits(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    waiting = asyncio.create_task(opened.verify())
    for _ in range(5):
        await asyncio.wait_for(opened.check(), 1.0)
    twin.put_finger("alice")
    assert (await waiting).matched


async def test_clear_forgets(opened: ZfmReader) -> None:
    await opened.load([ALICE])
    await opened.clear()
    with pytest.raises(RuntimeError, match="verify before load"):
        await opened.verify()


@pytest.mark.parametrize("templates", [[], [b"short"], [ALICE, ALICE[:-1]]])
async def test_load_wants_whole_templates(opened: ZfmReader, templates: list[bytes]) -> None:
    with pytest.raises(ValueError, match="512 bytes"):
        await opened.load(templates)


async def test_close_ends_the_thread_and_may_be_repeated(reader: ZfmReader) -> None:
    await reader.open()
    await reader.close()
    await reader.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("fingerprint")]
    with pytest.raises(DeviceFault):
        await reader.check()


async def test_reopening_keeps_the_templates(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    await opened.open()
    twin.put_finger("alice")
    assert (await opened.verify()).matched


def test_a_captured_finger_is_a_template_that_matches_it_again(run, tmp_path):
    from drivers.fingerprint.zfm.device import ZfmReader
    from drivers.fingerprint.zfm.virtual import VirtualZfm

    async def body():
        with VirtualZfm(tmp_path / "capture") as twin:
            reader = ZfmReader({"port": twin.port}, poll_s=0.01)
            await reader.open()
            try:
                twin.put_finger("anna/thumb")
                template = await reader.capture()
                assert len(template) == 512
                await reader.load([template])
                assert (await reader.verify()).matched
                twin.put_finger("bert/thumb")
                assert not (await reader.verify()).matched
            finally:
                await reader.close()

    run(body())
