"""Playlists that are taken home, cut off before each thing that it asks of the kernel.

    noted ─▶ Jellyfin is told ─▶ done          undo: Jellyfin is told ─▶ forgotten

At each point the sidecar is killed, or what it asks for is refused: by the network or by the disk.
Whatever had arrived by then, one more time brings one playlist, each heart once, and nothing of it
twice; taking it back ends with what Jellyfin had before. `SIDECAR_CRASH_POINTS=all` walks every
point.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.demo.state.user_data import UserDataStore
from tests.device.tracing import needs_strace
from tests.faults.crashing import ADDRESS, GO, PLAYLISTS, TAKE, UNDO, WALKED_WITHIN_S, WALKS_ALL
from tests.faults.test_crash_walk import Call, Death, Nursery, each
from tests.patience import PATIENCE_S
from tests.services.identity.house import MovingHouse, moving_house, tracks
from tests.services.players.test_device_playlists import (
    EVENING,
    evening,
    hearts,
    in_jellyfin,
    put,
)

pytestmark = [needs_strace, pytest.mark.slow, pytest.mark.timeout(WALKED_WITHIN_S)]

POINTS = 14
# urllib3 waits for an answer after a reset that is told by `sendto`.
REFUSED = {
    "sendto": "ENETUNREACH",
    "recvfrom": "ECONNRESET",
    "pwrite64": "EIO",
    "fdatasync": "EIO",
    "fsync": "EIO",
}


@dataclass
class Walk:
    """A house that is put back, with what its Jellyfin had, before each death."""

    house: MovingHouse
    nursery: Nursery
    template: Path
    playlists: list[Any]
    opinions: list[Any]

    def begin(self, what: str) -> None:
        core = self.house.server.core
        with core.lock:
            core.playlists.restore(deepcopy(self.playlists))
            core.user_data = UserDataStore()
            core.user_data.restore(self.opinions)
        (self.template / PLAYLISTS).write_text(what)
        self.nursery.begin()

    def live(self, death: Death | None = None, *, watched: bool = False) -> tuple[int, list[Call]]:
        """Let a sidecar do its work, and Jellyfin end what it was told."""
        before = set(threading.enumerate())
        told = self.nursery.live(death, watched=watched)
        for connection in set(threading.enumerate()) - before:
            connection.join(PATIENCE_S)
            assert not connection.is_alive(), f"{death}: Jellyfin still answers"
        return told

    def keep(self) -> None:
        """Begin from what there is now, from now on."""
        shutil.rmtree(self.template)
        shutil.copytree(self.nursery.house, self.template, ignore=shutil.ignore_patterns(GO))
        self.remember()

    def remember(self) -> None:
        core = self.house.server.core
        with core.lock:
            self.playlists = deepcopy(core.playlists.to_json())
            self.opinions = core.user_data.to_json()

    def lists(self) -> list[tuple[str, list[int]]]:
        every = self.house.server.core.playlists.by_id.values()
        return sorted((one.name, in_jellyfin(self.house, one.id)) for one in every)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    """Ann made a list and changed two; she has another playlist of the same name."""
    folder = tmp_path / "house"
    folder.mkdir()
    with moving_house(folder, tracks(5)) as house:
        evening(house, 1, 2, 3)
        put(house, EVENING, 4, 3, 1)
        put(house, "road.m3u", 2, 1)
        put(house, "Hearts.m3u", 1, 2)
        house.server.core.playlists.create(
            "road", house.person("ann").user_id, [house.item("Tone 5").id], is_public=False
        )
        (folder / ADDRESS).write_text(house.server.url)
        template = tmp_path / "template"
        shutil.copytree(folder, template, ignore=shutil.ignore_patterns("media"))
        nursery = Nursery(tmp_path / "life", template, ",".join(REFUSED))
        made = Walk(house, nursery, template, [], [])
        made.remember()
        yield made
        nursery.close()


def choose_deaths(calls: Sequence[Call]) -> list[Death]:
    """Return all points from the first request on: killed at each, and refused."""
    deaths = each(calls)
    first = next(at for at, call in enumerate(calls) if call.name == "sendto")
    killed = deaths[first:]
    refused = [replace(one, how=f"error={REFUSED[one.call]}") for one in killed]
    every = [one for pair in zip(killed, refused, strict=True) for one in pair]
    if WALKS_ALL:
        return every
    step = len(every) / POINTS
    return [every[int(number * step)] for number in range(POINTS)]


def walk_through(walk: Walk, what: str) -> Iterator[Death]:
    """Yield each point after one more life that was not cut off."""
    walk.begin(what)
    code, calls = walk.live(watched=True)
    assert code == 0
    deaths = choose_deaths(calls)
    ended = 0
    for death in deaths:
        walk.begin(what)
        ended += walk.live(death)[0] != 0
        assert walk.live()[0] == 0, death
        yield death
    assert ended >= len(deaths) / 3


def test_whatever_is_cut_off_a_list_comes_home_once(walk: Walk) -> None:
    for death in walk_through(walk, TAKE):
        assert walk.lists() == [("Evening", [4, 3, 1]), ("road", [2, 1]), ("road", [5])], death
        assert hearts(walk.house) == {"Tone 1", "Tone 2"}, death


def test_whatever_is_cut_off_what_is_taken_back_is_as_it_was(walk: Walk) -> None:
    walk.begin(TAKE)
    assert walk.live()[0] == 0
    walk.keep()
    for death in walk_through(walk, UNDO):
        assert walk.lists() == [("Evening", [1, 2, 3]), ("road", [5])], death
        assert hearts(walk.house) == set(), death
