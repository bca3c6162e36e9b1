"""What the daemon does when a part of itself ends."""

from __future__ import annotations

import asyncio
from typing import Any

from kiosk.daemon import beside_the_lane


def test_the_death_of_a_task_is_told_at_once_and_its_end_is_not() -> None:
    told: list[Any] = []

    async def dies() -> None:
        raise RuntimeError("a mistake of our own")

    async def ends() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(about))
        tasks = [beside_the_lane(work) for work in (dies(), ends(), asyncio.sleep(60))]
        await asyncio.sleep(0.01)
        assert [str(about["exception"]) for about in told] == ["a mistake of our own"]
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert len(told) == 1
