"""The virtual turnstile's OSDP board: libosdp's own peripheral device, wired to the gate as the map
says.

Knows nothing of the driver or the lane.
"""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Any, Self

import osdp_sys
from osdp import Capability, Command, LibFlag, PDCapabilities, PdId, PDInfo
from osdp import Event as OsdpEvent
from osdp import StatusReportType as Report

from drivers.contracts import Way
from drivers.turnstile.gate import RELOCK_S, STRIDE_S, VirtualGate
from drivers.turnstile.osdp import panel
from drivers.turnstile.osdp.codec import FrameReader
from drivers.turnstile.osdp.key import make_key, read_key
from drivers.turnstile.osdp.outputmap import OutputMap
from drivers.turnstile.wiring import INPUTS

OUTPUTS = 4
INPUT_COUNT = 8
WHO = PdId(
    version=1,
    model=7,
    vendor_code=0x0E60AD,
    serial_number=0x20261126,
    firmware_version=0x010203,
)
SILENCE_S = 0.02  #: half a frame is forgotten after this
NAK = -1  #: what the library's peripheral is told to say no


class VirtualOsdp(VirtualGate):
    """`key`: the board's; None: it has none yet and takes the one it is given (`given_key`).
    `inputs`: how many it has; 0: a board of outputs only.

    `refuses`: declines every output command; `stuck`: its outputs do not move; `reports`: off, it
    tells of its inputs only when asked; `lost_answers`: the next so many are not given, `lose_out`:
    only those to output commands; `mute`: hears and obeys but does not answer.
    """

    def __init__(
        self,
        link_path: Path | None = None,
        *,
        key: bytes | None,
        address: int = 0,
        inputs: int = INPUT_COUNT,
        stride_s: float = STRIDE_S,
        relock_s: float = RELOCK_S,
        wiring: OutputMap | None = None,
    ) -> None:
        self.wiring = wiring or OutputMap()
        super().__init__(
            link_path,
            stride_s=stride_s,
            relock_s=relock_s,
            own_controller=self.wiring.pulse != "latch",
            ways_apart=self.wiring.exit_output is not None,
        )
        self.key, self.address, self._inputs = key, address, inputs
        self.refuses = self.stuck = self.mute = False
        self.reports = True
        self.lost_answers = 0
        self.lose_out = False
        self.given_key: bytes | None = None
        self._cable = _Cable()
        self._heard_out = False
        self._wake()

    @classmethod
    def keyed(cls, link_path: Path, key_file: Path) -> Self:
        """With the key of a file, made where there is none. Raises `KeyProblem`."""
        key = read_key(key_file) if key_file.exists() else make_key(key_file)
        return cls(link_path, key=key)

    def output(self, number: int) -> bool:
        with self.lock:
            return self._level(number)

    def inputs(self) -> bytes:
        """The board's inputs as they are now, a byte each."""
        levels = [False] * INPUT_COUNT
        for name in INPUTS:
            if (number := getattr(self.wiring, name)) is not None:
                levels[number] = self.wiring.level(name, self.sees(name.removeprefix("input_")))
        return bytes(levels[: self._inputs])

    # --- the board ------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._permanent = [False] * OUTPUTS
        self._temporary: dict[int, tuple[float, bool]] = {}  #: output → until when, which level
        self._reported = b""
        self._lock_relays = {w: self.wiring.level(self.wiring.unlocker(w), False) for w in Way}
        self._release_relay = self.wiring.level("release_output", False)
        self._cable.clear()
        osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
        flags = [LibFlag.EnforceSecure] if self.key else []
        info = PDInfo(self.address, self._cable, self.key, name="board", flags=flags, id=WHO)
        capabilities = [
            (Capability.OutputControl, 1, OUTPUTS),
            (Capability.ContactStatusMonitoring, 1, self._inputs),
            (Capability.CommunicationSecurity, 1, 1),
        ]
        given = PDCapabilities([c for c in capabilities if c[2]]).get()
        self._board = osdp_sys.PeripheralDevice(info.get(), capabilities=given)
        self._board.set_command_callback(self._answer)

    def lost_power(self) -> None:
        super().lost_power()
        self._wake()

    def feed(self, data: bytes) -> bytes:
        return self._speak() if self._cable.hear(data) else b""

    def tick(self) -> bytes:
        self.gate_tick()
        now_s = time.monotonic()
        for number, (until_s, _) in list(self._temporary.items()):
            if now_s >= until_s:
                del self._temporary[number]
                self._moved(number)
        if self.reports and self._inputs and (levels := self.inputs()) != self._reported:
            self._reported = levels
            self._board.flush_events()
            told = {"event": OsdpEvent.Status, "type": Report.Input, "report": levels}
            self._board.submit_event(told)
        return self._speak()

    def _speak(self) -> bytes:
        """Let the library work on what was heard; what it says to that."""
        self._heard_out = False
        said = b""
        for _ in range(3):  # a frame each time
            self._board.refresh()
            if answer := self._cable.take():
                said += self._given(answer)
        return said

    def _given(self, answer: bytes) -> bytes:
        if self.lost_answers:
            self.lost_answers -= 1
            return b""
        lost, self._heard_out = self.lose_out and self._heard_out, False
        return b"" if self.mute or lost else answer

    def _answer(self, command: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        answer = self._obey(command)
        # pd_command_cb of the library's binding (3.2.9) gives back a reference to the second that
        # it never took; without one more here that is freed memory, and sooner or later a crash
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(answer[1]))
        return answer

    def _obey(self, command: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        match command["command"]:
            case Command.Output:
                self._heard_out = True
                return (NAK if self.refuses else self._switch(command)), None
            case Command.Status:
                return 0, self._report(command["type"])
            case Command.Keyset:
                self.given_key = self.key = bytes(command["data"])
                return 0, None
        return NAK, None

    def _report(self, kind: int) -> dict[str, Any] | None:
        """The binding takes no status from here, only its kind. A manufacturer's command has the
        same shape in the library's memory (a number, then bytes), so the status goes in as one."""
        if kind == Report.Input:
            levels = self.inputs()
        elif kind == Report.Output:
            levels = bytes(self._level(n) for n in range(OUTPUTS))
        else:
            return None
        data = len(levels).to_bytes(4, "little") + levels
        return {"command": Command.Manufacturer, "vendor_code": kind, "data": data}

    def _switch(self, command: dict[str, int]) -> int:
        number, code = command["output_no"], command["control_code"]
        on = code in (panel.PERMANENT_ON, panel.TEMPORARY_ON)
        if code in (panel.TEMPORARY_ON, panel.TEMPORARY_OFF):
            until_s = time.monotonic() + command["timer_count"] * panel.TIMER_STEP_MS / 1000
            self._temporary[number] = (until_s, on)
        elif code in (panel.PERMANENT_ON, panel.PERMANENT_OFF):
            self._temporary.pop(number, None)
            self._permanent[number] = on
        else:
            return NAK
        self._moved(number)
        return 0

    def _level(self, number: int) -> bool:
        if self.stuck:
            return False
        temporary = self._temporary.get(number)
        return temporary[1] if temporary else self._permanent[number]

    def _moved(self, number: int) -> None:
        level = self._level(number)
        if number == self.wiring.unlock_output:
            self.switch_lock(self.wiring.level("unlock_output", level))
        elif number == self.wiring.exit_output:
            self.switch_lock(self.wiring.level("exit_output", level), Way.EXIT)
        elif number == self.wiring.release_output:
            self.switch_release(self.wiring.level("release_output", level))


class _Cable:
    """Between the library's peripheral and the twin's line."""

    def __init__(self) -> None:
        self.id = 0
        self._heard = FrameReader()
        self._heard_s = 0.0
        self._said = bytearray()

    def clear(self) -> None:
        self._heard.clear()
        self._said.clear()

    def hear(self, data: bytes) -> bool:
        """Whether a frame is complete; the library loses one that comes a byte at a time."""
        now_s = time.monotonic()
        if now_s - self._heard_s > SILENCE_S:
            self._heard.clear()
        self._heard_s = now_s
        return bool(self._heard.feed(data))

    def take(self) -> bytes:
        said = bytes(self._said)
        self._said.clear()
        return said

    def read(self, max_bytes: int) -> bytes:
        return self._heard.take(min(max_bytes, 60))

    def write(self, buf: bytes) -> int:
        self._said += buf
        return len(buf)

    def flush(self) -> None:
        """The library calls this before it speaks; nothing is dropped."""
