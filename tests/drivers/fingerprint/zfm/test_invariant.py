"""Whatever noise does to the bytes: a finger whose template was not loaded never matches.

An in-memory cable in place of the pseudo-terminal, so that hundreds of noisy conversations
between the real library and the twin's inside fit into seconds.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

import pytest

from drivers import link
from drivers.errors import DeviceFault, Retry
from drivers.fingerprint.zfm.channel import Limits
from drivers.fingerprint.zfm.chip import Chip
from drivers.fingerprint.zfm.codec import Command, Confirm, Packet, PacketType
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import make_template

FAST = Limits(call_s=0.02, upload_s=0.05, gap_s=0.005, drain_s=0.01, fence_s=0.01)
ATTEMPTS = 8
SEEDS = 2
ALICE, BOB = make_template("alice", 1), make_template("bob", 1)


@dataclass
class Noise:
    """Chances per byte."""

    flip: float = 0.0
    lose: float = 0.0
    double: float = 0.0
    insert: float = 0.0
    echo: float = 0.0  #: per answer: it comes twice


class NoisyPort:
    """A serial port with the twin's inside behind it."""

    def __init__(self, chip: Chip, seed: int) -> None:
        self.timeout: float | None = None
        self.noise = Noise()
        self._chip = chip
        self._chance = random.Random(seed)
        self._inbox = bytearray()

    @property
    def in_waiting(self) -> int:
        return len(self._inbox)

    def read(self, size: int = 1, /) -> bytes:
        if not self._inbox:
            time.sleep(0.0005)
            self._chip.forget_partial()
        taken = bytes(self._inbox[:size])
        del self._inbox[:size]
        return taken

    def write(self, data: bytes, /) -> int:
        for _, answer in self._chip.feed(self._spoil(data)):
            copies = 2 if self._chance.random() < self.noise.echo else 1
            for _ in range(copies):
                self._inbox += self._spoil(answer)
        return len(data)

    def close(self) -> None:
        self._inbox.clear()

    def _spoil(self, data: bytes) -> bytes:
        out, roll, noise = bytearray(), self._chance.random, self.noise
        for byte in data:
            if roll() < noise.insert:
                out.append(self._chance.randrange(256))
            if roll() < noise.lose:
                continue
            if roll() < noise.flip:
                byte ^= 1 << self._chance.randrange(8)
            out += bytes([byte]) * (2 if roll() < noise.double else 1)
        return bytes(out)


async def noisy_candidate(seed: int, noise: Noise, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = Chip()
    port = NoisyPort(chip, seed)
    monkeypatch.setattr(link, "open_serial", lambda *_, **__: port)
    reader = ZfmReader({"port": "memory"}, limits=FAST, poll_s=0.0)
    await reader.open()
    try:
        await reader.load([BOB])
        chip.finger = "bob"
        assert (await reader.verify()).matched  # the module's buffers now hold a matching pair
        port.noise = noise
        chip.finger = "mallory"
        for n in range(ATTEMPTS):
            try:
                await reader.load([(ALICE, BOB)[n % 2]])
                assert not (await reader.verify()).matched
            except (DeviceFault, Retry):
                continue
        port.noise = Noise()
        await reader.load([ALICE])
        chip.finger = "alice"
        assert (await reader.verify()).matched
    finally:
        await reader.close()


KINDS = {
    "rare flips": Noise(flip=0.0005),
    "flips": Noise(flip=0.005),
    "heavy flips": Noise(flip=0.05),
    "loss": Noise(lose=0.003),
    "doubled": Noise(double=0.003),
    "inserted": Noise(insert=0.005),
    "echoes": Noise(echo=0.3),
    "everything": Noise(flip=0.002, lose=0.001, double=0.001, insert=0.001, echo=0.05),
}


@pytest.mark.parametrize("kind", KINDS)
def test_never_a_match_for_another_finger(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(SEEDS):
        asyncio.run(noisy_candidate(seed, KINDS[kind], monkeypatch))


async def test_answers_of_an_earlier_command_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An OK that comes when nothing was asked must not become the conversion's OK."""
    chip = Chip(finger="bob")
    port = NoisyPort(chip, 0)
    monkeypatch.setattr(link, "open_serial", lambda *_, **__: port)
    reader = ZfmReader({"port": "memory"}, limits=FAST, poll_s=0.0)
    await reader.open()
    try:
        await reader.load([BOB])
        assert (await reader.verify()).matched
        chip.finger, chip.image_fault = "mallory", Confirm.SMEARED
        late = Packet(PacketType.ACK, bytes([Confirm.OK])).to_bytes()
        honest = port.write

        def write(data: bytes, /) -> int:
            count = honest(data)
            if data[9] == Command.READ_IMAGE:
                port._inbox += late
            return count

        monkeypatch.setattr(port, "write", write)
        with pytest.raises(DeviceFault):
            await reader.verify()
    finally:
        await reader.close()
