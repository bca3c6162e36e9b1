"""One serial bus with the pymodbus client on it: a bounded wait, one frame a request, no retry.

Owns when bytes go out and how long an answer may take; knows nothing of gates. The library
frames, checks and decodes; its own waiting follows the wall clock and can take twice as long.
"""

from __future__ import annotations

import contextlib
import logging
import select
import time
from collections.abc import Callable

from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from drivers import link
from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.board import NotSent
from drivers.turnstile.modbus.codec import (
    COIL_OFF,
    COIL_ON,
    READ_COILS,
    READ_INPUTS,
    READ_REGISTERS,
    WRITE_COIL,
)

ANSWER_S = 0.25  #: longest wait for one answer; a board answers in a few milliseconds
#: silence before a frame, 3.5 characters and at least this (Modbus over Serial Line, 2.5.1.1)
QUIET_S = 0.00175
_BITS_PER_CHARACTER = 11

# every lost answer would be a line on a technician's screen; it is told as a fault
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL + 1)


class _BoundedClient(ModbusSerialClient):
    """The library's client with one deadline for a whole exchange; never reconnects by itself."""

    touched = False  #: a write was attempted: the request may be on its way

    def __init__(self, role: str, port: str, baud: int) -> None:
        super().__init__(port, baudrate=baud, timeout=ANSWER_S, retries=0)
        self.socket = link.open_serial(role, port, baud)
        self._quiet_s = max(QUIET_S, 3.5 * _BITS_PER_CHARACTER / baud)
        self._last_s = 0.0  #: when the line was last busy
        self._end_s = 0.0

    def connect(self) -> bool:
        return self.socket is not None

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def send(self, request: bytes, addr: tuple[str, int] | None = None) -> int:
        self.touched = False
        if self.socket is None:
            raise ConnectionException("closed")
        time.sleep(max(0.0, self._last_s + self._quiet_s - time.monotonic()))
        self.socket.reset_input_buffer()  # a late answer to an earlier request is not ours
        self.touched = True
        self.socket.write(request)
        self._last_s = time.monotonic()
        self._end_s = self._last_s + ANSWER_S
        return len(request)

    def recv(self, size: int | None) -> bytes:
        """What has come, waiting for a first byte; nothing when the exchange's time is over."""
        if self.socket is None:
            raise ConnectionException("closed")
        left_s = max(0.0, self._end_s - time.monotonic())
        if not select.select([self.socket.fileno()], [], [], left_s)[0]:
            return b""
        data: bytes = self.socket.read(self.socket.in_waiting or 1)
        self._last_s = time.monotonic()
        return data


class _RawCoilWrite(ModbusPDU):
    """Function 05 with a value of our own: the library's knows only on and off."""

    function_code = WRITE_COIL
    rtu_frame_size = 8

    def __init__(self, unit: int, address: int, value: int) -> None:
        super().__init__(dev_id=unit, address=address)
        self._value = value

    def encode(self) -> bytes:
        return self.address.to_bytes(2, "big") + self._value.to_bytes(2, "big")


class Bus:
    """Opened by construction. Every call is one request, sent once, and raises `DeviceFault`:
    NO_ANSWER, GARBLED (somebody else's answer), REFUSED (the board said no), UNPLUGGED.
    Not thread-safe.
    """

    def __init__(self, role: str, port: str, baud: int, unit: int) -> None:
        self._role, self._port, self.unit = role, port, unit
        self._client = _BoundedClient(role, port, baud)

    def close(self) -> None:
        with contextlib.suppress(*link.PORT_ERRORS, ModbusException):
            self._client.close()

    def read_inputs(self, first: int, count: int) -> list[bool]:
        answer = self._exchange(
            lambda: self._client.read_discrete_inputs(first, count=count, device_id=self.unit)
        )
        self._check(answer, READ_INPUTS, len(answer.bits) == (count + 7) // 8 * 8)
        return [bool(bit) for bit in answer.bits[:count]]

    def read_coils(self, first: int, count: int) -> list[bool]:
        answer = self._exchange(
            lambda: self._client.read_coils(first, count=count, device_id=self.unit)
        )
        self._check(answer, READ_COILS, len(answer.bits) == (count + 7) // 8 * 8)
        return [bool(bit) for bit in answer.bits[:count]]

    def read_registers(self, first: int, count: int) -> list[int]:
        """Input registers (function 04), 16 bits each."""
        answer = self._exchange(
            lambda: self._client.read_input_registers(first, count=count, device_id=self.unit)
        )
        self._check(answer, READ_REGISTERS, len(answer.registers) == count)
        return list(answer.registers)

    def write_coil(self, coil: int, on: bool) -> None:
        self.write_raw(coil, COIL_ON if on else COIL_OFF)

    def write_raw(self, address: int, value: int) -> None:
        """Function 05 with any value; the answer must be its echo."""
        request = _RawCoilWrite(self.unit, address, value)
        answer = self._exchange(lambda: self._client.execute(False, request))
        echoed = answer.address == address and answer.bits == [bool(value)]
        self._check(answer, WRITE_COIL, echoed)

    def _exchange(self, ask: Callable[[], ModbusPDU]) -> ModbusPDU:
        self._client.touched = False
        try:
            answer = ask()
        except ModbusException as error:
            raise self._fault(FaultCode.NO_ANSWER) from error
        except (*link.PORT_ERRORS, ValueError) as error:  # the port vanished under the library
            raise self._fault(FaultCode.UNPLUGGED) from error
        return answer

    def _check(self, answer: ModbusPDU, function: int, ours: bool) -> None:
        if answer.isError() and answer.function_code & 0x7F == function:
            raise DeviceFault(self._role, FaultCode.REFUSED, f"exception {answer.exception_code}")
        if answer.function_code != function or not ours:
            raise DeviceFault(self._role, FaultCode.GARBLED, f"{self._port}: another's answer")

    def _fault(self, code: FaultCode) -> DeviceFault:
        made = DeviceFault if self._client.touched else NotSent
        return made(self._role, code, self._port)
