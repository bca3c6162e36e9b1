"""A child process that answers questions in order, each within its time, or is killed.

For libraries that may hang or crash: whatever they do, the daemon goes on. Knows frames and
processes, nothing of fingers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint import frames

ROOT = Path(__file__).resolve().parents[2]  #: where `drivers` is imported from
START_S = 10.0  #: a Python with a large library, on a busy machine


class Child:
    """`command` runs a program that speaks `frames` on its standard input and output.

    Raises `DeviceFault(role, …)`: NO_ANSWER for one that took too long and was killed,
    UNPLUGGED for one that ended by itself; FileNotFoundError where there is no such program. It
    is started anew by the next `ask`.
    """

    def __init__(
        self, role: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._role = role
        self._command = tuple(command)
        self._environment = dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def ask(
        self, head: dict[str, Any], body: bytes = b"", *, bound_s: float | None
    ) -> tuple[dict[str, Any], bytes]:
        """The answer to one question. `bound_s`: None waits for as long as it takes.

        A caller that is cancelled leaves an answer on its way, so the child is killed.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(bound_s):
                    return await self._exchange(head, body)
            except TimeoutError as late:
                await self._kill()
                raise self._fault(FaultCode.NO_ANSWER, f"no answer in {bound_s:g} s") from late
            except FileNotFoundError:
                raise
            except (OSError, ValueError, asyncio.IncompleteReadError) as gone:
                await self._kill()
                raise self._fault(FaultCode.UNPLUGGED, "its process ended") from gone
            except asyncio.CancelledError:
                await asyncio.shield(self._kill())
                raise

    def tell(self, head: dict[str, Any]) -> None:
        """Something that hastens the answer to the question that is waited for."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(frames.pack(head))

    async def stop(self) -> None:
        """At once; may be repeated."""
        await self._kill()

    async def _exchange(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        process = await self._started()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(frames.pack(head, body))
        await process.stdin.drain()
        sizes = frames.lengths(await process.stdout.readexactly(8))
        whole = await process.stdout.readexactly(sum(sizes))
        return json.loads(whole[: sizes[0]]), whole[sizes[0] :]

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": str(ROOT)} | self._environment,
            )
        return self._process

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def _fault(self, code: FaultCode, detail: str) -> DeviceFault:
        return DeviceFault(self._role, code, detail)
