"""What rules look up is kept for some minutes, and never longer than until it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sidecar.demo.protocol.messages import Reply, Request
from sidecar.services.rules.library_cache import CachedLibrary
from tests.services.identity.house import CountingServer, moving_house, tracks


class InterruptedServer(CountingServer):
    """A server on which something happens between an answer and its arrival."""

    meanwhile: Callable[[], object] | None = None

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        return reply


def test_what_was_asked_before_a_change_is_not_kept_after_it(tmp_path: Path) -> None:
    entries = tracks(3)
    with moving_house(tmp_path, entries, kind=InterruptedServer) as house:
        server = house.server
        assert isinstance(server, InterruptedServer)
        album = house.items()[0].album_id or ""
        library = CachedLibrary(
            house.client(), house.store.plays, house.person("ann").user_id, house.clock
        )

        def change() -> None:
            house.rescan(tracks=entries[:2])
            # As the listener does, in its own thread.
            library.forget()

        server.meanwhile = change
        assert len(library.album_tracks(album).items) == 3
        assert len(library.album_tracks(album).items) == 2

        asked = len(server.paths)
        assert len(library.album_tracks(album).items) == 2
        assert len(server.paths) == asked

        server.meanwhile = library.forget_listening
        ids = [one.id for one in library.album_tracks(album).items]
        library.items(ids)
        asked = len(server.paths)
        library.items(ids)
        assert len(server.paths) > asked
        asked = len(server.paths)
        library.items(ids)
        assert len(server.paths) == asked
