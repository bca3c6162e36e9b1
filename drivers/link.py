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
_CHUNK = 4096


def open_serial(role: str, port: str, baud: int) -> serial.Serial:
    """Open `port` for this process alone, 8N1. Raises `DeviceFault` with PORT_*."""
    try:
        return serial.Serial(
            port, baud, timeout=READ_TIMEOUT_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True
        )
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise serial_fault(role, port, error) from error


def serial_fault(role: str, port: str, error: BaseException) -> DeviceFault:
    """What an error of the serial library means for the technician."""
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return DeviceFault(role, FaultCode.PORT_BUSY, port)
    if number in (errno.EACCES, errno.EPERM):
        return DeviceFault(role, FaultCode.PORT_DENIED, port)
    if not os.path.exists(port):
        code = FaultCode.PORT_MISSING if number == errno.ENOENT else FaultCode.UNPLUGGED
        return DeviceFault(role, code, port)
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return DeviceFault(role, FaultCode.PORT_MISSING, port)
    return DeviceFault(role, FaultCode.UNPLUGGED, port)


# --- the virtual cable ------------------------------------------------------------------------


@dataclass
class Link:
    """How bad the cable is; may be changed while it runs. Rates are per byte, 0 to 1."""

    chunk: int = 0  #: bytes that arrive together; 0: as they come
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
        self._thread = threading.Thread(
            target=self._run, name=type(self).__name__, daemon=True
        )
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
    def plugged(self) -> bool:
        return self._master is not None

    def _plug_in(self) -> None:
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

    # --- the cable's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        waiting: deque[tuple[float, bytes]] = deque()  # (when it arrives at the host, bytes)
        while not self._stop.is_set():
            with self.lock:
                master = self._master
            if master is None:
                waiting.clear()
                time.sleep(TICK_S)
                continue
            data = self._receive(master)
            with self.lock:
                if self._master != master:
                    continue
                link = self.link
                heard = link.mangle(data) if link.both_ways else data
                said = self.feed(heard) if heard else b""
                said += self.tick()
                out = link.mangle(said) + link.noise()
                if out:
                    waiting.append((time.monotonic() + link.delay_s, out))
                while waiting and waiting[0][0] <= time.monotonic():
                    self._send(master, waiting.popleft()[1], link.chunk)

    def _receive(self, master: int) -> bytes:
        try:
            ready, _, _ = select.select([master], [], [], TICK_S)
            return os.read(master, _CHUNK) if ready else b""
        except (OSError, ValueError):  # unplugged under our hands
            return b""

    def _send(self, master: int, data: bytes, chunk: int) -> None:
        step = chunk or len(data)
        for at in range(0, len(data), step):
            # a full buffer means that nobody reads: a real line loses the bytes too
            with contextlib.suppress(OSError):
                os.write(master, data[at : at + step])
            if chunk:
                time.sleep(0.0005)
