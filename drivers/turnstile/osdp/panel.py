"""One OSDP board on one port through libosdp's control panel: a session with a secure channel,
one command at a time, a bounded wait, and no second try by the library.

Left to itself, libosdp sends a command again a second after its answer was lost, and takes a board
that declined one for dead for five minutes. So this turns the library's crank itself (`refresh`)
and gives a session up at the first lost answer; the next call begins a new one. Knows no gate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import osdp_sys
import serial
from osdp import Capability, Command, Event, EventNotification, LibFlag, PDInfo, StatusReportType

from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.osdp import codec
from drivers.turnstile.osdp.line import Line

ANSWER_S = 0.2  #: a board must begin to answer within 200 ms
POLL_S = 0.05  #: the library asks a board what there is when it has been silent for so long
_SLACK_S = 0.03  #: from a command's being asked for until it is on the line
_QUIET = osdp_sys.LOG_EMERG  #: the library writes its log to stderr, where nobody reads it

PERMANENT_OFF, PERMANENT_ON = 1, 2  #: control codes: for good, ending what was timed
TEMPORARY_ON, TEMPORARY_OFF = 5, 6  #: … for a time, and back by itself
TIMER_STEP_MS = 100
TIMER_MAX = 255  #: more does not pass through the library's Python binding


@dataclass(frozen=True, slots=True)
class About:
    """What a board says of itself."""

    vendor: int
    model: int
    version: int
    serial_number: int
    firmware: int
    inputs: int
    outputs: int


class Panel:
    """Every call is bounded and raises `DeviceFault`: NO_ANSWER, GARBLED, REFUSED (the board said
    no, inside the secure channel), WRONG_KEY, UNPLUGGED. Not thread-safe. `install`: for a board
    that has no key yet: it is given this one."""

    def __init__(
        self,
        role: str,
        name: str,
        port: serial.Serial,
        address: int,
        key: bytes,
        *,
        install: bool = False,
    ) -> None:
        self._role, self._name = role, name
        self._line = Line(port)
        flags = [LibFlag.EnableNotification] + ([] if install else [LibFlag.EnforceSecure])
        self._info = PDInfo(address, self._line, key, name="board", flags=flags)
        self._panel: Any = None
        self._failed = False  #: the command in hand
        self._answered = False
        self._secure_then = False  #: the secure channel held when the command failed
        self.sessions = 0
        self.inputs: list[bool] | None = None  #: as the board last reported, in this session
        self.outputs: list[bool] | None = None
        self.reports = 0  #: of inputs

    def close(self) -> None:
        self._drop()
        self._line.close()

    @property
    def outputs_sent(self) -> int:
        """How many output commands have been on the line."""
        return self._line.outputs_sent

    def up(self) -> About:
        """Make sure of a session; cheap when there is one."""
        if self._panel is None:
            self._begin()
        return self._about()

    def poll(self) -> None:
        """Hear what the board reports by itself: one exchange, after a pause that the library
        keeps."""
        self.up()
        before = self._line.sent_s
        self._turn(lambda: self._line.sent_s > before and self._line.answer is not None, POLL_S)

    def ask_inputs(self) -> None:
        self._ask({"command": Command.Status, "type": StatusReportType.Input})

    def ask_outputs(self) -> None:
        self._ask({"command": Command.Status, "type": StatusReportType.Output})

    def set_output(self, number: int, code: int, steps: int = 0) -> None:
        """`code`: one of the constants above; `steps` of a tenth of a second."""
        self._ask(
            {
                "command": Command.Output,
                "output_no": number,
                "control_code": code,
                "timer_count": min(steps, TIMER_MAX),
            },
            tickets=1,
        )

    # --- one exchange -----------------------------------------------------------------------------

    def _ask(self, command: dict[str, int], tickets: int = 0) -> None:
        self.up()
        self._failed = self._answered = False
        self._line.tickets = tickets
        if not self._panel.submit_command(0, command):
            self._drop()
            raise DeviceFault(self._role, FaultCode.NO_ANSWER, f"{self._name}: session lost")
        self._turn(lambda: self._answered)

    def _turn(self, done: Callable[[], bool], pause_s: float = 0.0) -> None:
        """Let the library work until `done`. The session is over when it does not come to that."""
        begun_s = time.monotonic() + pause_s + _SLACK_S
        while True:
            self._panel.refresh()
            if self._line.gone:
                raise self._fault(FaultCode.UNPLUGGED)
            if self._failed:
                raise self._why()
            if done():
                return
            if time.monotonic() > max(begun_s, self._line.sent_s) + ANSWER_S:
                raise self._why()
            self._line.wait(0.005)

    def _why(self) -> DeviceFault:
        """What the frames tell of a failed exchange."""
        sent, answer = self._line.sent, self._line.answer
        asked = f"command {sent.code:02X}" if sent else "nothing sent"
        if answer is None:
            heard = self._line.heard
            code = FaultCode.GARBLED if heard else FaultCode.NO_ANSWER
            return self._fault(code, f"{asked}, {heard} bytes came")
        if sent is not None and sent.code in (codec.CHLNG, codec.SCRYPT):
            if answer.code == codec.NAK and sent.code == codec.CHLNG:
                return self._fault(FaultCode.REFUSED, "no secure channel with this board")
            return self._fault(FaultCode.WRONG_KEY, "the board has another key")
        if answer.code == codec.NAK and answer.secure and self._secure_then:
            return self._fault(FaultCode.REFUSED, f"NAK to {asked}")
        return self._fault(FaultCode.GARBLED, f"{asked}, answer {answer.code:02X}")

    def _fault(self, code: FaultCode, detail: str = "") -> DeviceFault:
        self._drop()
        return DeviceFault(self._role, code, f"{self._name}: {detail}" if detail else self._name)

    # --- the session ------------------------------------------------------------------------------

    def _begin(self) -> None:
        osdp_sys.set_loglevel(_QUIET)
        self._line.fresh()
        self._failed = self._secure_then = False
        self.inputs = self.outputs = None
        self._panel = osdp_sys.ControlPanel([self._info.get()])
        self._panel.set_event_callback(self._told)
        self._turn(lambda: bool(self._panel.status() & 1))
        if not self._panel.sc_status() & 1:  # only where a key may be given: it has another one
            raise self._fault(FaultCode.WRONG_KEY, "the board has a key, and another one")
        self.sessions += 1

    def _drop(self) -> None:
        """Not from within the library's own call; it frees the library's memory."""
        self._panel = None

    def _about(self) -> About:
        who = self._panel.get_pd_id(0)
        _, inputs = self._panel.check_capability(0, Capability.ContactStatusMonitoring)
        _, outputs = self._panel.check_capability(0, Capability.OutputControl)
        return About(
            who["vendor_code"],
            who["model"],
            who["version"],
            who["serial_number"] & 0xFFFFFFFF,
            who["firmware_version"],
            inputs,
            outputs,
        )

    def _told(self, _number: int, event: dict[str, Any]) -> int:
        """The library's events. It never frees their dictionaries, so they are emptied here."""
        kind, about = event["event"], dict(event)
        event.clear()
        if kind == Event.Status:
            levels = [bool(level) for level in about["report"]]
            if about["type"] == StatusReportType.Input:
                self.inputs = levels
                self.reports += 1
            elif about["type"] == StatusReportType.Output:
                self.outputs = levels
        elif kind == Event.Notification:
            if about["type"] == EventNotification.Command:
                self._answered = bool(about["arg1"])
                self._failed = not self._answered
                self._secure_then = bool(self._panel is not None and self._panel.sc_status() & 1)
            elif about["type"] == EventNotification.PeripheralDeviceStatus and not about["arg0"]:
                self._failed = True
        return 0
