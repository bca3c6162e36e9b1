"""A lane elsewhere as if its daemon ran here: a private unix socket that goes on over TLS.

For a screen on another computer. Carries bytes; knows nothing of what they say.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

CONNECT_S = 10.0
BLOCK = 64 * 1024


class Relay:
    """Use as a context manager; `path` is the socket. A lane that does not answer is told on
    standard error, once for each reason, and the connection here closed."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self._where, self._context = (host, port), context
        self._folder = tempfile.TemporaryDirectory(prefix="examgate-")  # mode 0700
        self.path = Path(self._folder.name) / "lane.sock"
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._said = ""

    def __enter__(self) -> Relay:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._folder.cleanup()

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_unix_server(self._one, str(self.path), limit=BLOCK)
        self._ready.set()
        await self._over.wait()
        server.close()

    async def _one(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the screen is closed: nothing to tell
            await self._join(here, back)

    async def _join(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            there, out = await asyncio.wait_for(
                asyncio.open_connection(*self._where, ssl=self._context, limit=BLOCK), CONNECT_S
            )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            self._say(str(error) or "no answer")
            back.transport.abort()
            return
        ways = [asyncio.create_task(_carry(here, out)), asyncio.create_task(_carry(there, back))]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                self._say(way.result())
        finally:
            for way in ways:
                way.cancel()
            for writer in (out, back):
                writer.transport.abort()

    def _say(self, why: str) -> None:
        if why and why != self._said:
            print(f"{self._where[0]}:{self._where[1]}: {why}", file=sys.stderr, flush=True)
        self._said = why


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Until one end is gone; returns why, where that is no ordinary end."""
    with contextlib.suppress(ConnectionError):
        try:
            while block := await reader.read(BLOCK):
                writer.write(block)
                await writer.drain()
        except ssl.SSLError as error:  # in TLS 1.3 a refusal comes after the handshake
            return str(error)
    return ""
