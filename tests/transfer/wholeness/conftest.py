from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.clock import SystemClock
from sidecar.transfer.converting.programs import find_programs
from sidecar.transfer.wholeness import WholenessChecker
from tests.fakes.media.kinds import make


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Real files by name, each made once."""
    folder = tmp_path_factory.mktemp("media")
    return lambda name: make(folder, name)


@pytest.fixture(scope="session")
def decoding() -> WholenessChecker:
    """An inspection with this machine's ffmpeg."""
    programs = find_programs("ffmpeg")
    return WholenessChecker(lambda: programs, SystemClock())


@pytest.fixture(scope="session")
def alone() -> WholenessChecker:
    """An inspection on a machine without ffmpeg."""
    return WholenessChecker(lambda: None, SystemClock())
