"""One honest record for all tests of the folder."""

from __future__ import annotations

import pytest

from tests.audit.sessions import Made, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("day"))
