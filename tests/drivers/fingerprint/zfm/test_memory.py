"""The module's own memory: a session's templates in its flash, its security level, and that
nothing of anybody stays there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint.zfm.chip import Chip
from drivers.fingerprint.zfm.codec import Command
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template

NAMES = ("alice", "bob", "carol")
ALICE, BOB, CAROL = ALL = [make_template(name, 1) for name in NAMES]
Maker = Callable[..., ZfmReader]


async def test_kept_templates_are_recalled_by_their_page(
    twin: VirtualZfm, opened: ZfmReader
) -> None:
    assert await opened.keep(ALL) == 3
    assert sorted(twin.chip.library.values()) == sorted(ALL)
    sent = twin.commands(Command.UPLOAD_CHARACTERISTICS)
    for name, template in zip(NAMES, ALL, strict=True):
        await opened.load([template])
        twin.put_finger(name)
        assert (await opened.verify()).matched
        twin.put_finger("mallory")
        assert not (await opened.verify()).matched
        await opened.clear()
    assert twin.commands(Command.UPLOAD_CHARACTERISTICS) == sent
    await opened.check()


async def test_who_does_not_fit_in_is_sent(twin: VirtualZfm, reader: ZfmReader) -> None:
    twin.chip.capacity = 2
    await reader.open()
    assert await reader.keep([*ALL, ALICE]) == 2
    await reader.load([CAROL])
    twin.put_finger("carol")
    assert (await reader.verify()).matched


async def test_without_preload_the_flash_is_left_alone(
    twin: VirtualZfm, make_reader: Maker
) -> None:
    twin.chip.library[7] = BOB  # somebody else's
    reader = make_reader(preload=False)
    await reader.open()
    assert await reader.keep(ALL) == 0
    await reader.load([ALICE])
    twin.put_finger("alice")
    assert (await reader.verify()).matched
    await reader.close()
    assert twin.chip.library == {7: BOB}


async def test_nothing_stays_after_close(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.keep(ALL)
    await opened.close()
    assert not twin.chip.library


async def test_nothing_stays_after_the_session(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.keep(ALL)
    await opened.keep([BOB])
    assert list(twin.chip.library.values()) == [BOB]
    assert await opened.keep([]) == 0
    assert not twin.chip.library


async def test_what_a_crash_left_is_gone_at_the_next_start(
    twin: VirtualZfm, opened: ZfmReader, make_reader: Maker
) -> None:
    await opened.keep(ALL)
    twin.unplug()
    await opened.close()  # nothing can be asked of it any more
    twin.replug()
    assert len(twin.chip.library) == 3
    again = make_reader()
    assert (await again.open()).facts["library"] == "emptied of 3"
    assert not twin.chip.library
    assert await again.keep([CAROL]) == 1


async def test_nothing_stays_when_keeping_is_broken_off(
    twin: VirtualZfm, opened: ZfmReader
) -> None:
    many = [make_template("dora", n) for n in range(30)]
    for n in range(6):
        task = asyncio.create_task(opened.keep(many))
        await asyncio.sleep(0.01 * n + 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await opened.check()
    assert await opened.keep([]) == 0
    assert not twin.chip.library


async def test_another_module_in_its_place_is_noticed(twin: VirtualZfm, opened: ZfmReader) -> None:
    """Swapped so quickly that the adapter stayed: its pages are not ours."""
    await opened.keep(ALL)
    with twin.lock:
        twin.chip = Chip(library={0: BOB})
    with pytest.raises(DeviceFault) as caught:
        await opened.check()
    assert caught.value.code is FaultCode.MISBEHAVES
    await opened.open()
    assert not twin.chip.library


async def test_a_page_that_is_gone_is_a_fault(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.keep(ALL)
    with twin.lock:
        twin.chip.library.clear()
    with pytest.raises(DeviceFault) as caught:
        await opened.load([BOB])
    assert caught.value.code is FaultCode.MISBEHAVES


async def test_after_damage_a_page_is_read_back(twin: VirtualZfm, opened: ZfmReader) -> None:
    """Two errors that cancel in the sum could have named another page."""
    await opened.keep(ALL)
    twin.sleep(after_bytes=5)
    checking = asyncio.create_task(opened.check())
    await asyncio.sleep(0.1)
    twin.wake()
    await checking
    with twin.lock:
        twin.chip.library[0], twin.chip.library[1] = BOB, ALICE
    with pytest.raises(DeviceFault) as caught:
        await opened.load([ALICE])
    assert caught.value.code is FaultCode.GARBLED


async def test_keeping_waits_while_somebody_is_served(twin: VirtualZfm, opened: ZfmReader) -> None:
    await opened.load([ALICE])
    keeping = asyncio.create_task(opened.keep(ALL))
    await asyncio.sleep(0.1)
    assert not twin.chip.library
    twin.put_finger("alice")
    assert (await opened.verify()).matched
    await opened.clear()
    assert await keeping == 3


async def test_a_worn_flash_costs_only_the_head_start(
    twin: VirtualZfm, opened: ZfmReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    worn = twin.chip._ack(0x18)
    monkeypatch.setattr(Chip, "_store", lambda self, arguments: [worn])
    assert await opened.keep(ALL) == 0
    await opened.load([ALICE])
    twin.put_finger("alice")
    assert (await opened.verify()).matched


@pytest.mark.parametrize(
    ("name", "level"),
    [("lowest", 1), ("low", 2), ("normal", 3), ("high", 4), ("highest", 5), ("as_found", 2)],
)
async def test_the_security_level_is_set_when_it_differs(
    twin: VirtualZfm, make_reader: Maker, name: str, level: int
) -> None:
    twin.chip.security = 2
    info = await make_reader(security=name).open()
    assert (twin.chip.security, info.facts["security_level"]) == (level, str(level))
    assert twin.commands(Command.SET_PARAMETER) == (level != 2)


async def test_a_level_that_does_not_take_is_a_fault(
    twin: VirtualZfm, make_reader: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = twin.chip._ack(0)
    monkeypatch.setattr(Chip, "_set_parameter", lambda self, arguments: [done])
    with pytest.raises(DeviceFault) as caught:
        await make_reader(security="high").open()
    assert caught.value.code is FaultCode.REFUSED
    assert "stays 3 instead of 4" in caught.value.detail


@pytest.mark.parametrize(("baud", "heard"), [(57600, True), (115200, False), (9600, False)])
async def test_only_at_its_own_speed_it_is_heard(
    twin: VirtualZfm, make_reader: Maker, baud: int, heard: bool
) -> None:
    opening = make_reader(baud=baud).open()
    if heard:
        await opening
    else:
        with pytest.raises(DeviceFault) as caught:
            await opening
        assert caught.value.code is FaultCode.NO_ANSWER
