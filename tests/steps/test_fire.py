"""A fire release is ended by a person and by nothing else; no disk is waited for."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from drivers.contracts import GateEvent, GateEventKind
from kiosk.latch import FILE, OpenLatch
from kiosk.store import Store
from kiosk.store.errors import StoreError
from tests.steps.conftest import Lane, booking

ON, OFF = GateEventKind.FIRE_ON, GateEventKind.FIRE_OFF


async def saw(lane: Lane, *kinds: GateEventKind) -> None:
    for kind in kinds:
        lane.session.gate.saw(GateEvent(kind, 0.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def fire_events(lane: Lane) -> list[str]:
    found = [e.payload["event"] for e in lane.entries("gate_event")]
    return [event for event in found if event.startswith("fire")]


def test_a_restart_ends_no_fire_release_whatever_the_contact_says(play: Any) -> None:
    async def story(lane: Lane) -> None:
        lane.open([booking(1)])
        await saw(lane, ON, OFF)
        await lane.again()
        assert lane.session.gate.fire and lane.state == "out_of_order"
        assert fire_events(lane) == ["fire_on", "fire_off"], "it is journalled once"
        lane.session.gate.resume("周静")
        assert lane.state == "idle"
        await lane.again()
        assert not lane.session.gate.fire and lane.state == "idle"

    play(story)


@pytest.mark.parametrize("lost", [(0,), (1,), (0, 1)])
def test_what_is_left_of_the_memory_is_enough(play: Any, lost: tuple[int, ...]) -> None:
    """After a reboot the runtime folder is empty; somebody has put an old disk in."""

    async def story(lane: Lane) -> None:
        await saw(lane, ON)
        for n in lost:
            (lane.folder, lane.folder / "data")[n].joinpath(FILE).unlink()
        await lane.again()
        assert lane.session.gate.fire
        assert lane.latch.is_set, "and complete again"

    play(story)


def test_a_release_that_could_not_be_journalled_is_at_the_next_start(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(lane: Lane) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise StoreError("disk full")

        with monkeypatch.context() as disk:
            disk.setattr(Store, "journal", full)
            await saw(lane, ON)
        assert lane.session.gate.fire and not fire_events(lane)
        await lane.again()
        assert lane.session.gate.fire and fire_events(lane) == ["fire_on"]

    play(story)


def test_what_cannot_be_journalled_is_not_ended(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(lane: Lane) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise StoreError("disk full")

        await saw(lane, ON, OFF)
        with monkeypatch.context() as disk, pytest.raises(StoreError):
            disk.setattr(Store, "_note", full)
            lane.session.gate.resume("周静")
        assert lane.session.gate.fire and lane.latch.is_set

    play(story)


def test_the_gate_is_told_before_anything_waits_for_a_disk(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(lane: Lane) -> None:
        order: list[str] = []

        async def release(on: bool) -> None:
            order.append(f"gate {on}")

        monkeypatch.setattr(lane.session.gate, "_release", release)
        monkeypatch.setattr(OpenLatch, "set", lambda _: order.append("marker"))
        await saw(lane, ON)
        assert order == ["gate True", "marker"]

    play(story)


def test_a_folder_that_refuses_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    latch = OpenLatch([tmp_path / "file", tmp_path / "none", tmp_path])
    assert not latch.is_set
    latch.set()
    assert latch.is_set and (tmp_path / FILE).exists()
    latch.clear()
    assert not latch.is_set


def test_what_cannot_be_found_out_counts_as_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OSError(5, os.strerror(5))

    latch = OpenLatch([tmp_path])
    monkeypatch.setattr(Path, "lstat", broken)
    assert latch.is_set


@pytest.mark.parametrize("opened", [True, False])
def test_a_person_lets_everybody_out_with_or_without_a_session(play: Any, opened: bool) -> None:
    async def story(lane: Lane) -> None:
        if opened:
            lane.open([booking(1)])
            lane.card(1)
        lane.session.gate.release(None)
        assert lane.session.gate.fire, "before any disk"
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert lane.state == "out_of_order" and lane.latch.is_set
        (entry,) = lane.entries("gate_event")
        assert (entry.reason, entry.payload) == (
            "FIRE", {"event": "emergency_release", "person": None})
        await lane.again()
        assert lane.session.gate.fire and len(lane.entries("gate_event")) == 1
        lane.session.gate.resume("周静")
        assert lane.state == ("idle" if opened else "closed")

    play(story)


def test_it_opens_though_nothing_can_be_recorded(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(lane: Lane) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise StoreError("disk full")

        with monkeypatch.context() as disk:
            disk.setattr(Store, "journal", full)
            lane.session.gate.release("1001 周静")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert lane.session.gate.fire and lane.latch.is_set and lane.entries("gate_event") == []
        await lane.again()
        assert lane.session.gate.fire

    play(story)
