"""Serial lines: opening a real one with honest errors, and the virtual cable that twins hang on.

A twin is a `VirtualDevice`: it gets bytes in `feed`, answers with bytes, and may speak by
itself in `tick`. The cable can be made hostile while it runs, and unplugged:

    with Echo() as twin:                       # class Echo(VirtualDevice): feed = lambda …
        port = serial.Serial(twin.port)
        twin.link.loss = 0.01                  # from now on every hundredth byte is lost
        twin.unplug(); …; twin.replug()        # the port goes away and comes back

Knows no device's protocol.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import random
import select
import termios
import threading
import time
import tty
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import serial

from drivers.errors import DeviceFault, FaultCode

READ_TIMEOUT_S = 0.02  #: of one read; drivers bound the whole exchange themselves
WRITE_TIMEOUT_S = 1.0
TICK_S = 0.004
CHUNK_GAP_S = 0.0005  #: between two chunks of a chopped answer
_READ_BYTES = 4096

#: What pyserial lets through when a port goes away under it: its own errors, the terminal
#: layer's, and the traces of a file descriptor that became None.
PORT_ERRORS = (OSError, termios.error, TypeError, AttributeError)


def open_serial(role: str, port: str, baud: int) -> serial.Serial:
    """Open `port` for this process alone, 8N1.

    Raises `DeviceFault` with PORT_MISSING, PORT_BUSY, PORT_DENIED, UNPLUGGED, or WRONG_DEVICE
    for something that is not a serial port or cannot do that baud rate.
    """
    try:
        return serial.Serial(
            port, baud, timeout=READ_TIMEOUT_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True
        )
    except (*PORT_ERRORS, ValueError) as error:  # SerialException is an OSError
        fault = serial_fault(role, port, error)
        if fault.code is FaultCode.UNPLUGGED and _errno(error) not in _GONE:
            raise DeviceFault(role, FaultCode.WRONG_DEVICE, f"{port} at {baud} baud") from error
        raise fault from error


def serial_fault(role: str, port: str, error: BaseException) -> DeviceFault:
    """What an error of the serial library means for the technician."""
    number = _errno(error)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return DeviceFault(role, FaultCode.PORT_BUSY, port)
    if number in (errno.EACCES, errno.EPERM):
        return DeviceFault(role, FaultCode.PORT_DENIED, port)
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return DeviceFault(role, FaultCode.PORT_MISSING, port)
    return DeviceFault(role, FaultCode.UNPLUGGED, port)


_BAUDS = {
    getattr(termios, f"B{baud}"): baud for baud in (9600, 19200, 38400, 57600, 115200)
}
_GONE = (errno.EIO, errno.EBADF)


def _errno(error: BaseException) -> int | None:
    if isinstance(error, termios.error):
        return int(error.args[0])
    return getattr(error, "errno", None)


# --- the virtual cable ------------------------------------------------------------------------


@dataclass
class Link:
    """How bad the cable is; may be changed while it runs. Rates are per byte, 0 to 1."""

    chunk: int = 0  #: bytes that arrive together, both ways; 0: as they come
    loss: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    delay_s: float = 0.0  #: from the twin to the host
    babble: float = 0.0  #: chance a tick that noise comes by itself
    seed: int = 0
    both_ways: bool = True  #: the host's bytes suffer too
    random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def mangle(self, data: bytes) -> bytes:
        """What arrives of `data`."""
        if not (self.loss or self.flip or self.duplicate):
            return data
        out = bytearray()
        for byte in data:
            if self.random.random() < self.loss:
                continue
            if self.random.random() < self.flip:
                byte ^= 1 << self.random.randrange(8)
            out.append(byte)
            if self.random.random() < self.duplicate:
                out.append(byte)
        return bytes(out)

    def noise(self) -> bytes:
        if self.babble and self.random.random() < self.babble:
            return self.random.randbytes(self.random.randint(1, 12))
        return b""


class VirtualDevice:
    """A twin on a pseudo-terminal. `link_path`: a symlink that keeps one name over replugging.

    `feed` and `tick` run in the cable's own thread with `lock` held; commands to the twin
    from other threads take `lock` too.
    """

    def __init__(self, link_path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.link = Link()
        self._link_path = link_path
        self._master: int | None = None
        self._slave: int | None = None
        self._name = ""
        self._waiting: deque[tuple[float, bytes]] = deque()  # (when it arrives, bytes)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # --- what a twin overrides ------------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        """Bytes from the host; returns the bytes to answer at once."""
        return b""

    def tick(self) -> bytes:
        """Called every few milliseconds; returns bytes to send by itself."""
        return b""

    def lost_power(self) -> None:
        """Unplugged: what the device forgets."""

    # --- life -----------------------------------------------------------------------------------

    @property
    def port(self) -> str:
        """What the driver opens; valid after `start`, whether plugged in or not."""
        return str(self._link_path) if self._link_path is not None else self._name

    def start(self) -> Self:
        self._plug_in()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self.lock:
            self._pull_out()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def unplug(self) -> None:
        """The cable is pulled: the port vanishes and whoever has it open gets an error."""
        with self.lock:
            self._pull_out()
            self.lost_power()

    def replug(self) -> None:
        with self.lock:
            if self._master is None:
                self._plug_in()

    @property
    def host_baud(self) -> int | None:
        """At which speed the other end has opened the port; None: not a usual one, or unplugged."""
        if self._slave is None:
            return None
        return _BAUDS.get(termios.tcgetattr(self._slave)[5])

    @property
    def plugged(self) -> bool:
        return self._master is not None

    def _plug_in(self) -> None:
        self._waiting.clear()
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._name = os.ttyname(self._slave)
        if self._link_path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._link_path.unlink()
            self._link_path.symlink_to(self._name)

    def _pull_out(self) -> None:
        if self._link_path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._link_path.unlink()
        for end in (self._master, self._slave):
            if end is not None:
                os.close(end)
        self._master = self._slave = None
        self._waiting.clear()

    # --- the cable's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            with self.lock:
                master = self._master
                due_s = self._waiting[0][0] if self._waiting else None
            if master is None:
                time.sleep(TICK_S)
                continue
            patience_s = TICK_S if due_s is None else min(TICK_S, due_s - time.monotonic())
            with contextlib.suppress(OSError, ValueError):  # unplugged under our hands
                select.select([master], [], [], max(0.0, patience_s))
            with self.lock:
                if self._master == master:
                    self._turn(master)

    def _turn(self, master: int) -> None:
        """Hear what came, say what there is to say, deliver what is due."""
        heard = self._receive(master)
        if self.link.both_ways:
            heard = self.link.mangle(heard)
        for piece in _pieces(heard, self.link.chunk):
            self._say(self.link.mangle(self.feed(piece)))
        self._say(self.link.mangle(self.tick()))
        self._say(self.link.noise())
        while self._master == master and self._waiting and self._waiting[0][0] <= time.monotonic():
            # a full buffer means that nobody reads: a real line loses the bytes too
            with contextlib.suppress(OSError):
                os.write(master, self._waiting.popleft()[1])

    def _say(self, data: bytes) -> None:
        at_s = time.monotonic() + self.link.delay_s
        if self._waiting:
            at_s = max(at_s, self._waiting[-1][0])  # a line keeps the order
        for piece in _pieces(data, self.link.chunk):
            self._waiting.append((at_s, piece))
            at_s += CHUNK_GAP_S

    @staticmethod
    def _receive(master: int) -> bytes:
        with contextlib.suppress(OSError):
            return os.read(master, _READ_BYTES)
        return b""


def _pieces(data: bytes, size: int) -> list[bytes]:
    step = size or max(1, len(data))
    return [data[at : at + step] for at in range(0, len(data), step)]
