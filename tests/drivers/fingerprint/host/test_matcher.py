"""Comparing on this computer, with real prints: who matches, what is refused, what is bounded."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.fingerprint.host import matcher as host
from drivers.fingerprint.host.matcher import Matcher, Print
from drivers.fingerprint.host.worker import looks_like
from tests.prints import as_print

Picture = Callable[[str], Image.Image]


async def working(body: Callable[[Matcher], Any]) -> None:
    matcher = Matcher("fingerprint")
    await matcher.start()
    try:
        await body(matcher)
    finally:
        await matcher.stop()


def test_one_finger_matches_itself_and_no_other(run: Any, picture: Picture) -> None:
    async def body(matcher: Matcher) -> None:
        records = []
        for name in ("p1_1", "p2_1"):
            assert await matcher.extract(as_print(picture(name))) > 30
            records.append(await matcher.record())
        assert all(r.startswith(b"FMR\0 20\0") for r in records)
        await matcher.load(records)
        score, whose = await matcher.compare(as_print(picture("p1_2")), 40)
        assert (score >= 40, whose) == (True, 0)
        await matcher.load([b"FMR\0 20\0 no record", records[1], records[0]])
        score, whose = await matcher.compare(as_print(picture("p1_2")), 40)
        assert (score >= 40, whose) == (True, 2), "the other hand's, past one that is none"
        await matcher.load(records[1:])
        score, _ = await matcher.compare(as_print(picture("p1_2")), 40)
        assert score < 40
        quality, _ = await matcher.quality(as_print(picture("p1_1")))
        assert quality > 40

    run(working(body))


def test_templates_that_are_none_and_images_without_a_finger(run: Any, picture: Picture) -> None:
    async def body(matcher: Matcher) -> None:
        for odd in (b"", bytes(512), b"FMR\0 20\0" + bytes(60)):
            with pytest.raises(ValueError, match="19794-2"):
                await matcher.load([odd])
        blank = as_print(Image.new("L", (300, 300), 255))
        assert await matcher.quality(blank) == (0, RetryReason.FINGER_LIFTED)
        thick = picture("p1_1").filter(ImageFilter.MinFilter(7))
        quality, looks = await matcher.quality(as_print(thick))
        assert (quality < 20, looks) == (True, RetryReason.TOO_WET)
        thin = picture("p1_1").filter(ImageFilter.MaxFilter(5))
        quality, looks = await matcher.quality(as_print(thin))
        assert (quality < 20, looks) == (True, RetryReason.TOO_DRY)

    run(working(body))


def test_what_takes_too_long_is_killed_and_the_next_one_works(
    run: Any, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(matcher: Matcher) -> None:
        await matcher.extract(as_print(picture("p1_1")))
        record = await matcher.record()
        await matcher.load([record])
        process = matcher._child._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        monkeypatch.setattr(host, "EXTRACT_S", 0.3)
        with pytest.raises(Retry) as late:
            await matcher.compare(as_print(picture("p1_1")), 40)
        assert late.value.reason is RetryReason.NOT_COMPARED
        assert process.returncode is not None, "killed, not left behind"
        monkeypatch.setattr(host, "EXTRACT_S", 60.0)
        score, _ = await matcher.compare(as_print(picture("p1_1")), 40)
        assert score >= 40

    run(working(body))


def test_without_the_library_it_is_said(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DeviceFault) as fault:
        run(Matcher("fingerprint").start())
    assert fault.value.code is FaultCode.REFUSED and "pip install" in fault.value.detail


def test_an_image_shows_nothing_of_itself() -> None:
    assert repr(Print(2, 1, 0.0, b"ab")) == "Print(2×1)"


@pytest.mark.parametrize(
    ("image", "looks"),
    [
        (np.full((40, 40), 200, np.uint8), "blank"),
        (np.where(np.indices((40, 40)).sum(0) % 10 < 1, 20, 230).astype(np.uint8), "dry"),
        (np.where(np.indices((40, 40)).sum(0) % 10 < 8, 20, 230).astype(np.uint8), "wet"),
        (np.where(np.indices((40, 40)).sum(0) % 10 < 5, 20, 230).astype(np.uint8), "few"),
    ],
)
def test_what_a_poor_image_looks_like(image: Any, looks: str) -> None:
    assert looks_like(image) == looks
