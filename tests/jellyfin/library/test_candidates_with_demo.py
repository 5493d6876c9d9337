from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.jellyfin.library.candidates import FillCandidates
from tests.fakes.libraries.tiny import tiny_library
from tests.jellyfin.library.test_browse_with_demo import client


@pytest.fixture(params=list(Version))
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path), speaks=request.param) as running:
        yield running


def test_an_instant_mix_names_others_of_the_genre_and_none_for_what_is_gone(
    demo: DemoServer,
) -> None:
    candidates = FillCandidates(client(demo, "ann"))
    tracks = candidates.list_tracks(1).tracks
    one = next(found for found in tracks if found.item.title == "Tone 1")
    alike = {found.item.id for found in tracks if found.genre == one.genre}

    mixed = candidates.list_mixed(one.item.id)

    assert len(mixed) == len(set(mixed))
    assert set(mixed) == alike - {one.item.id} != set()
    assert not candidates.list_mixed("9" * 32)


def test_what_is_similar_shares_a_genre_and_is_not_the_item_itself(demo: DemoServer) -> None:
    candidates = FillCandidates(client(demo, "ann"))
    tracks = candidates.list_tracks(1).tracks
    one = next(found for found in tracks if found.item.title == "Tone 1")
    alike = {found.item.id for found in tracks if found.genre == one.genre}

    similar = candidates.list_similar(one.item.id)

    assert len(similar) == len(set(similar))
    assert set(similar) == alike - {one.item.id} != set()
    assert not candidates.list_similar("9" * 32)
