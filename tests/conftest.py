from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.two_syncthings import OneSyncthing, two_syncthings


@pytest.fixture(scope="session")
def syncthings(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[OneSyncthing, OneSyncthing]]:
    """Two real Syncthings that share a folder: the sidecar's machine and Ann's phone."""
    with two_syncthings(tmp_path_factory.mktemp("syncthing")) as both:
        yield both
