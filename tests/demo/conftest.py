from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.demo.protocol.version import Version
from tests.fakes.libraries.tiny import tiny_library
from tests.fakes.servers.demo import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tiny_library(tmp_path / "library"))
    with house.open:
        yield house


@pytest.fixture(params=Version, ids=lambda one: one.value)
def speaks(request: pytest.FixtureRequest) -> Version:
    version: Version = request.param
    return version
