"""The daemon's side of the face worker: starts it, listens, starts it again when it dies.

Owns the child process and its back-off. Knows nothing of what the events mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Sequence

from kiosk.face import framing
from kiosk.face.events import FaceEvent, WorkerDied, WorkerReady
from kiosk.face.framing import Alive, Command, Guard, Rest, Stop, Verify, Watch

BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_LIVED_WELL_S = 30.0  #: a run this long starts the back-off anew
_STARTING_S = 60.0  #: silence allowed before it is ready (a first start converts the model)
#: … and after. It says Alive every second, and before it opens the camera, which may take 6 s.
_SILENT_S = 8.0
_STOPPING_S = 3.0
_CHUNK = 256 * 1024


class FaceWorker:
    """`argv` + ["--fd", N] is the worker; `on_event` is called in the event loop.

    The last command is given again to a worker that had to be restarted.
    """

    def __init__(self, argv: Sequence[str], on_event: Callable[[FaceEvent], None]) -> None:
        self._argv = tuple(argv)
        self._on_event = on_event
        self._mode: Command = Rest()
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._ready = False

    async def start(self) -> None:
        """Begin; returns at once, `WorkerReady` follows."""
        self._stopping = False
        self._task = asyncio.create_task(self._keep_running(), name="face-worker")

    async def stop(self) -> None:
        """Ask it to end, then make it."""
        self._stopping = True
        self._send(Stop())
        if self._task is None:
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._task), _STOPPING_S)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    def watch(self) -> None:
        self._command(Watch())

    def verify(self, task_id: int, liveness: bool) -> None:
        self._command(Verify(task_id, liveness))

    def guard(self, task_id: int) -> None:
        self._command(Guard(task_id))

    def rest(self) -> None:
        self._command(Rest())

    def _command(self, command: Command) -> None:
        self._mode = command
        if self._ready:
            self._send(command)

    def _send(self, command: Command) -> None:
        """Commands are a few bytes: what does not fit means a worker that does not read."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(framing.encode(command))

    async def _keep_running(self) -> None:
        failures = 0
        while not self._stopping:
            began = time.monotonic()
            exit_code = await self._run_once()
            if self._stopping:
                return
            failures = 0 if time.monotonic() - began > _LIVED_WELL_S else failures
            self._on_event(WorkerDied(exit_code))
            await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1

    async def _run_once(self) -> int:
        """One process from start to end. Returns its exit code (negative: the signal)."""
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._argv,
                    "--fd",
                    str(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                )
            self._socket = ours
            patience_s = _STOPPING_S
            try:
                if await self._fell_silent(ours):
                    patience_s = 0.0  # stopped or stuck, it would not hear
            finally:
                self._socket, self._ready = None, False
                ours.close()
                exit_code = await _end(process, patience_s)
        return exit_code

    async def _fell_silent(self, ours: socket.socket) -> bool:
        """Listen until it does (true), or the socket closes or turns to garbage."""
        loop = asyncio.get_running_loop()
        decoder = framing.Decoder()
        while True:
            patience = _SILENT_S if self._ready else _STARTING_S
            try:
                data = await asyncio.wait_for(loop.sock_recv(ours, _CHUNK), patience)
                messages = decoder.feed(data)
            except TimeoutError:
                return True
            except (OSError, framing.FramingError):
                return False
            if not data:
                return False
            for message in messages:
                self._dispatch(message)

    def _dispatch(self, message: framing.Message) -> None:
        if isinstance(message, WorkerReady):
            self._ready = True
            self._send(self._mode)
        if not isinstance(message, Command | Alive):
            self._on_event(message)


async def _end(process: asyncio.subprocess.Process, patience_s: float) -> int:
    """Its socket is closed, so it ends by itself; if not, it is made to."""
    try:
        return await asyncio.wait_for(process.wait(), patience_s)
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()
