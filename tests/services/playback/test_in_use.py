"""What plays in the sight of one process is kept by another one that makes room."""

from __future__ import annotations

from sidecar.services.playback.in_use import IN_USE, SharedInUse
from tests.services.conftest import World


def test_what_plays_is_told_once_and_read_by_the_others(world: World) -> None:
    playing = {"a", "b"}
    watch = SharedInUse(lambda: playing, world.meta)
    work = SharedInUse(frozenset, world.meta)
    assert work.read() == frozenset()

    watch.tell()
    assert work.read() == {"a", "b"}

    world.meta.set(IN_USE, "[]")
    watch.tell()
    assert work.read() == frozenset(), "it is written only when it changes"
    playing.clear()
    playing.add("c")
    watch.tell()
    assert work.read() == {"c"}
