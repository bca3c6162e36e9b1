"""The twin on its cable, made-up cards, and readers that are always closed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from drivers.contracts import IdCard
from drivers.idcard.device import SamReader
from drivers.idcard.virtual import VirtualSamReader


def _card(name: str, number: str, /, **changes: str) -> IdCard:
    fields = {
        "name": name,
        "sex": "女",
        "nation": "维吾尔",
        "birth_date": number[6:14],
        "address": "示范省示范市示范路一号",
        "number": number,
        "issuer": "示范市公安局",
        "valid_from": "20200229",
        "valid_to": "长期",
    }
    return IdCard(**(fields | changes))


@pytest.fixture
def make_card() -> Callable[..., IdCard]:
    return _card


@pytest.fixture
def card() -> IdCard:
    return _card("示例甲", "110101199003070134")


@pytest.fixture
def other() -> IdCard:
    return _card("示例乙", "11010119880229069X", sex="男", nation="汉", valid_to="20400229")


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[VirtualSamReader]:
    with VirtualSamReader(tmp_path / "id_card") as running:
        yield running


@pytest.fixture
def make_reader(twin: VirtualSamReader) -> Callable[..., SamReader]:
    def make(port: str | None = None) -> SamReader:
        return SamReader({"port": port or twin.port, "baud": 115200})

    return make


@pytest.fixture
def opened(
    make_reader: Callable[..., SamReader],
) -> Callable[[], contextlib.AbstractAsyncContextManager[SamReader]]:
    """`async with opened() as reader`."""

    @contextlib.asynccontextmanager
    async def using() -> AsyncIterator[SamReader]:
        reader = make_reader()
        await reader.open()
        try:
            yield reader
        finally:
            await reader.close()

    return using
