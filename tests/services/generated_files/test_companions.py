from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.services.identity.house import moving_house, tracks


def test_what_the_covers_wait_for_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with moving_house(tmp_path, tracks(2), change=lambda facts: facts.update(lyrics=True)) as house:
        house.fill(*house.items())
        house.server.stop()
        writer = house.services.background.companions

        for _ in range(5):
            house.clock.advance(61)
            writer.step()

        assert caplog.text.count("the covers of Car stick waits") == 1
