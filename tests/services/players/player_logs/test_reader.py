from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar.domain.items.item import Item
from sidecar.domain.player_logs.matching import OurFiles
from sidecar.services.players.player_logs.reader import LINES_AT_ONCE, Reader, read_logs
from tests.device.examples import made


def look_up_nothing(ids: Iterable[str]) -> dict[str, Item]:
    return {}


@pytest.mark.parametrize("line", ["nonsense\n", "# a remark\n", "\n"])
def test_a_log_that_takes_too_long_is_left_where_it_is(tmp_path: Path, line: str) -> None:
    root = tmp_path / "stick"
    root.mkdir()
    folder = made(root)
    (root / ".scrobbler.log").write_text(line * (3 * LINES_AT_ONCE))
    nobody = OurFiles([])
    reader = Reader(
        mine=nobody, all=nobody, sees_all=True, zone=UTC, now=datetime(2026, 1, 1, tzinfo=UTC)
    )

    whole = read_logs(folder, reader, look_up_nothing, [])
    found = read_logs(folder, reader, look_up_nothing, [], is_over=lambda: True)
    folder.close()

    assert not whole.has_more
    assert found.has_more
    assert found.counts.bad < LINES_AT_ONCE
