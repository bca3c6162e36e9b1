"""A session's templates lie in the reader while it is open, and no longer; what a comparison went
by is journalled. The reader is a real driver on its twin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

from drivers.fingerprint.libfprint.device import LibfprintReader
from drivers.fingerprint.libfprint.virtual import VirtualImageReader
from drivers.fingerprint.zfm.codec import Command
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template
from kiosk.core import flow
from tests import prints
from tests.steps.conftest import booking, person

#: the head and the length of an ISO record, and nothing that could be compared
EMPTY_RECORD = b"FMR\0 20\0" + (60).to_bytes(4, "big") + bytes(48)
THUMB, INDEX = (make_template(f"anna/{finger}", 1) for finger in ("thumb", "index"))


@asynccontextmanager
async def libfprint_of(lane: Any, twin: VirtualImageReader) -> Any:
    reader = LibfprintReader({})
    supervisor = lane.session.supervisor
    supervisor.add_external("fingerprint", "libfprint", "")
    supervisor.device = {"fingerprint": reader}.__getitem__
    supervisor.statuses["fingerprint"].facts = (await reader.open()).facts
    supervisor.report("fingerprint", True)
    try:
        yield reader
    finally:
        await lane.session.stop()
        await reader.close()
        twin.close()


@asynccontextmanager
async def reader_of(lane: Any, twin: VirtualZfm) -> Any:
    reader = ZfmReader({"port": twin.port, "security": "high", "min_score": 60}, poll_s=0.01)
    supervisor = lane.session.supervisor
    supervisor.add_external("fingerprint", "zfm", twin.port)
    supervisor.device = {"fingerprint": reader}.__getitem__
    supervisor.statuses["fingerprint"].facts = (await reader.open()).facts
    supervisor.report("fingerprint", True)
    try:
        yield reader
    finally:
        await lane.session.stop()
        await reader.close()


async def until(true: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def test_templates_come_with_the_session_and_go_with_it(play: Any) -> None:
    async def story(lane: Any) -> None:
        with VirtualZfm() as twin:
            async with reader_of(lane, twin) as reader:
                library = twin.chip.library
                lane.open([booking(0, templates=(THUMB, INDEX)), booking(1)])
                await until(lambda: len(library) == 3)
                lane.session.session_changed()  # something else of it: nothing is written anew
                await asyncio.sleep(0.05)
                assert twin.commands(Command.EMPTY) == 0
                await reader.open()  # as the supervisor does after a fault
                assert not library
                lane.session.device_found("fingerprint")
                await until(lambda: len(library) == 3)
                lane.close()
                await until(lambda: not library)
                await lane.stop()
                assert not library

    play(story, flow.Rules(finger=True))


def test_what_a_comparison_went_by_is_journalled(play: Any) -> None:
    async def story(lane: Any) -> None:
        with VirtualZfm() as twin:
            async with reader_of(lane, twin):
                lane.open([booking(0, templates=(THUMB, INDEX))])
                await until(lambda: len(twin.chip.library) == 2)
                sent = twin.commands(Command.UPLOAD_CHARACTERISTICS)
                lane.card(0)
                lane.look(person(0))
                assert lane.state == "finger"
                twin.put_finger("bert/thumb")
                await until(lambda: bool(lane.entries("finger_failed")))
                twin.lift_finger()
                await asyncio.sleep(0.05)
                twin.put_finger("anna/index")
                await until(lambda: lane.state == "sign")
                bar = {"min_score": 60, "security_level": 4}
                failed, good = (lane.entries(f"finger_{k}")[0] for k in ("failed", "verified"))
                assert failed.payload == {"score": 0, "template": 0} | bar
                assert good.payload == {"score": good.payload["score"], "template": 1} | bar
                assert twin.commands(Command.UPLOAD_CHARACTERISTICS) == sent, "only page numbers"

    play(story, flow.Rules(finger=True))


def test_the_registered_fingers_are_asked_for_by_name(play: Any) -> None:
    async def story(lane: Any) -> None:
        with VirtualZfm() as twin:
            async with reader_of(lane, twin):
                lane.open([booking(0, templates=(THUMB, INDEX), fingers=(1, 7)), booking(1)])
                lane.card(0)
                lane.look(person(0))
                await until(lambda: lane.session.fingers.named == ["right_thumb", "left_index"])
                twin.put_finger("anna/index")
                await until(lambda: lane.state == "sign")
                assert lane.entries("finger_verified")[0].payload["finger"] == "left_index"
                assert lane.session.fingers.named == []
                lane.leave()
                lane.card(1)
                lane.look(person(1))
                assert lane.state == "finger" and lane.session.fingers.named == []

    play(story, flow.Rules(finger=True))


def test_a_template_in_another_format_is_never_compared(play: Any) -> None:
    async def story(lane: Any) -> None:
        with VirtualZfm() as twin:
            async with reader_of(lane, twin):
                lane.open([booking(0, templates=(EMPTY_RECORD,), template_format="iso-19794-2")])
                lane.card(0)
                lane.look(person(0))
                await until(lambda: lane.state == "refused")
                assert lane.visit.reason == "TEMPLATE_FORMAT"
                assert not twin.chip.library and not twin.commands(Command.READ_IMAGE)

    play(story, flow.Rules(finger=True))


def test_a_template_that_never_can_be_compared_in_time_ends_with_the_proctor(
    play: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    prints.need_libfprint()
    prints.be_patient(monkeypatch)
    (index,) = prints.iso_records("p1_1")
    monkeypatch.setattr(prints.host, "COMPARE_S", 0.0)
    twin = VirtualImageReader(tmp_path / "virtual")
    for name, value in twin.environment.items():
        monkeypatch.setenv(name, value)

    async def story(lane: Any) -> None:
        async with libfprint_of(lane, twin):
            lane.open([booking(0, templates=(index,), template_format="iso-19794-2")])
            lane.card(0)
            lane.look(person(0))
            with prints.laid_on(twin, "p1_2"):
                await until(lambda: lane.state == "refused", seconds=60)
            assert lane.visit.reason == "FINGER_NOT_COMPARED"
            failed = lane.entries("finger_failed")
            assert [e.reason for e in failed] == ["FINGER_NOT_COMPARED"] * 3
            assert all("score" not in e.payload for e in failed)
            assert lane.entries("help")

    play(story, flow.Rules(finger=True))


def test_a_reader_that_gives_images_goes_by_iso_records_only(
    play: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    prints.need_libfprint()
    prints.be_patient(monkeypatch)
    thumb, index = prints.iso_records("p2_1", "p1_1")
    twin = VirtualImageReader(tmp_path / "virtual")
    for name, value in twin.environment.items():
        monkeypatch.setenv(name, value)
    iso = {"template_format": "iso-19794-2"}

    async def story(lane: Any) -> None:
        async with libfprint_of(lane, twin):
            lane.open([
                booking(0, templates=(THUMB,)),
                booking(1, templates=(EMPTY_RECORD,), **iso),
                booking(2, templates=(thumb, index), fingers=(1, 7), **iso),
            ])  # fmt: skip
            for of_another_maker_or_none in (0, 1):
                lane.card(of_another_maker_or_none)
                lane.look(person(of_another_maker_or_none))
                await until(lambda: lane.state == "refused")
                assert lane.visit.reason == "TEMPLATE_FORMAT"
                lane.leave()
            lane.card(2)
            lane.look(person(2))
            with prints.laid_on(twin, "p1_2"):
                await until(lambda: lane.state == "sign", seconds=60)
            found = lane.entries("finger_verified")[0].payload
            assert found["score"] >= found["min_score"] == 40
            assert (found["template"], found["finger"]) == (1, "left_index")

    play(story, flow.Rules(finger=True))
