"""For all serial drivers: coroutines with a time limit, hostile cables, no thread left behind."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

TEST_LIMIT_S = 25.0
THREAD_END_S = 3.0


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine to its end, within the limit."""

    def go(body: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            return await asyncio.wait_for(body, TEST_LIMIT_S)

        return asyncio.run(limited())

    return go


@pytest.fixture
def no_leaked_threads() -> Iterator[None]:
    """Every thread that the test started ends with it."""
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + THREAD_END_S
    while time.monotonic() < end:
        left = [t for t in threading.enumerate() if t not in before and t.is_alive()]
        if not left:
            return
        time.sleep(0.01)
    pytest.fail(f"threads left behind: {[t.name for t in left]}")
