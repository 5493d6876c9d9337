"""When what is received is on the disk, and how long it stays in the memory: on a real disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import xxhash

from sidecar.transfer.durable import PartWriter
from tests.fakes.page_cache import count_cached_bytes
from tests.transfer.conftest import PlainPart

MIB = 1024 * 1024
BODY = bytes(range(256)) * (20 * MIB // 256)


@pytest.mark.parametrize("block", [MIB, 300_000, 77])
def test_never_more_than_8_mib_are_unsynced(tmp_path: Path, block: int) -> None:
    synced = [0]
    body = BODY[: 9 * MIB] if block < MIB // 10 else BODY
    with PlainPart(tmp_path / "part").open() as file:
        writer = PartWriter(file, synced.append)
        for start in range(0, len(body), block):
            writer.write(body[start : start + block])
            assert writer.held - synced[-1] < 8 * MIB
        assert writer.finish() == xxhash.xxh3_128_hexdigest(body)

    assert (tmp_path / "part").read_bytes() == body
    assert len(synced) - 1 <= len(body) // (13 * MIB // 2)  # each costs time


def test_what_is_on_the_disk_leaves_the_memory(tmp_path: Path) -> None:
    assert _write(tmp_path / "part", is_read_again=False) == 0


def test_what_is_read_again_stays_in_the_memory(tmp_path: Path) -> None:
    assert _write(tmp_path / "part", is_read_again=True) == len(BODY)


def test_a_part_that_is_gone_on_with_has_all_its_bytes(tmp_path: Path) -> None:
    synced: list[int] = []
    with PlainPart(tmp_path / "part").open() as file:
        writer = PartWriter(file, synced.append)
        writer.write(BODY[: 3 * MIB])
        writer.sync()
        assert (synced, count_cached_bytes(tmp_path / "part")) == ([3 * MIB], 0)
    with PlainPart(tmp_path / "part").open() as file:
        writer = PartWriter(file, synced.append)
        assert writer.keep(2 * MIB) == 2 * MIB
        writer.write(BODY[2 * MIB :])
        assert writer.finish() == xxhash.xxh3_128_hexdigest(BODY)

    assert (tmp_path / "part").read_bytes() == BODY


def _write(path: Path, *, is_read_again: bool) -> int:
    """Write a part; return how much of it is in the memory."""
    with PlainPart(path).open() as file:
        writer = PartWriter(file, lambda _held: None, is_read_again=is_read_again)
        for start in range(0, len(BODY), MIB):
            writer.write(BODY[start : start + MIB])
        writer.finish()
    return count_cached_bytes(path)
