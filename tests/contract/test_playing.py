"""What Jellyfin makes of playback reports, and what it tells of them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator

import pytest

from sidecar.demo.protocol.version import Version
from tests.contract.client import Client, Message, Site, Socket

SECOND = 10_000_000


@pytest.fixture
def other(ann: Client, song: str) -> Iterator[str]:
    """A track of the same library that is not `song`, no favourite before and after."""
    songs = ann.songs_without_heart()
    item_id = next(str(one["Id"]) for one in songs if one["Id"] != song)
    yield item_id
    ann.ask("DELETE", f"/UserFavoriteItems/{item_id}")
    ann.ask("DELETE", f"/UserPlayedItems/{item_id}")


def _queue(*ids: str) -> list[dict[str, str]]:
    return [{"Id": one, "PlaylistItemId": f"playlistItem{at}"} for at, one in enumerate(ids)]


def test_a_session_has_the_id_of_its_client_and_device(player: Client, song: str) -> None:
    player.report("", song)
    text = (player.client + player.device_id).encode("utf-16-le")
    digest = hashlib.md5(text, usedforsecurity=False).digest()

    assert player.session()["Id"] == uuid.UUID(bytes_le=digest).hex


def test_what_plays_is_told_and_then_no_more(player: Client, song: str) -> None:
    player.report("", song)
    during = player.session()
    player.report("/Stopped", song, PositionTicks=SECOND)
    after = player.session()

    assert during["NowPlayingItem"]["Id"] == song
    assert "UserData" not in during["NowPlayingItem"]
    assert "MediaSources" not in during["NowPlayingItem"]
    assert "NowPlayingItem" not in after


def test_nobody_played_yet_is_the_year_one(ann: Client) -> None:
    with ann.socket():
        assert ann.session()["LastPlaybackCheckIn"] == "0001-01-01T00:00:00.0000000Z"


def test_music_counts_as_played_from_its_start(ann: Client, player: Client, song: str) -> None:
    ann.ask("DELETE", f"/UserPlayedItems/{song}")

    player.report("", song)

    told = ann.get(f"/UserItems/{song}/UserData")
    assert (told["Played"], told["PlayCount"]) == (True, 1)


def test_a_queue_is_told_from_the_first_report_only_before_version_12(
    site: Site, player: Client, song: str, other: str
) -> None:
    queue = _queue(song, other)
    player.report("", song, NowPlayingQueue=queue, PlaylistItemId="playlistItem0")

    at_start = player.session()
    player.report("/Stopped", song, PositionTicks=SECOND, NowPlayingQueue=queue)
    stopped = player.session()

    told = queue if (site.speaks is Version.V10_11) else []
    assert at_start["NowPlayingQueue"] == told
    assert at_start["PlaylistItemId"] == "playlistItem0"
    assert ("NowPlayingQueueFullItems" in at_start) == (site.speaks is Version.V10_11)
    assert stopped["NowPlayingQueue"] == queue


def test_the_queue_of_the_last_stop_stays_though_another_plays_in_version_12(
    site: Site, player: Client, song: str, other: str
) -> None:
    before, after = _queue(song), _queue(other)
    player.report("", song, NowPlayingQueue=before)
    player.report("/Stopped", song, PositionTicks=SECOND, NowPlayingQueue=before)

    player.report("", other, NowPlayingQueue=after)

    told = after if (site.speaks is Version.V10_11) else before
    assert player.session()["NowPlayingQueue"] == told


@pytest.mark.parametrize("report", ["/Progress", "/Stopped"])
def test_version_12_forgets_a_heart_that_was_pressed_while_the_track_plays(
    site: Site, ann: Client, player: Client, song: str, report: str
) -> None:
    player.report("", song)
    pressed = ann.post(f"/UserFavoriteItems/{song}")
    before = ann.is_favourite(song)

    player.report(report, song, PositionTicks=SECOND)

    assert pressed["IsFavorite"]
    assert before
    assert ann.is_favourite(song) is not (site.speaks is Version.V12_0)


def test_version_12_gives_a_heart_back_that_was_taken_while_the_track_plays(
    site: Site, ann: Client, player: Client, song: str
) -> None:
    ann.post(f"/UserFavoriteItems/{song}")
    player.report("", song)
    ann.delete(f"/UserFavoriteItems/{song}")

    player.report("/Progress", song, PositionTicks=SECOND)

    assert ann.is_favourite(song) is (site.speaks is Version.V12_0)


def test_hearts_of_other_tracks_are_never_forgotten(
    ann: Client, player: Client, song: str, other: str
) -> None:
    player.report("", song)
    ann.post(f"/UserFavoriteItems/{other}")

    player.report("/Progress", song, PositionTicks=SECOND)
    player.report("/Stopped", song, PositionTicks=2 * SECOND)

    assert ann.is_favourite(other)


def test_a_heart_pressed_after_the_playback_stays(ann: Client, player: Client, song: str) -> None:
    player.report("", song)
    player.report("/Stopped", song, PositionTicks=SECOND)

    ann.post(f"/UserFavoriteItems/{song}")

    assert ann.is_favourite(song)


def test_a_heart_is_told_at_once_with_its_album(ann: Client, song: str) -> None:
    album_id = ann.get(f"/Items/{song}")["AlbumId"]
    with ann.socket() as socket:
        ann.post(f"/UserFavoriteItems/{song}")
        # The end of the check before may still be told.
        told = socket.next("UserDataChanged", where=lambda told: _hearts(told).get(song) is True)

    hearts = _hearts(told)
    assert told["UserId"] == ann.user_id
    assert hearts[song] is True
    assert album_id in hearts


def test_several_hearts_at_once_are_told_together(ann: Client, song: str, other: str) -> None:
    with ann.socket() as socket:
        ann.post(f"/UserFavoriteItems/{song}")
        ann.post(f"/UserFavoriteItems/{other}")
        told = socket.next("UserDataChanged", where=lambda told: _hearts(told).get(song) is True)

    assert _hearts(told).get(other) is True


def test_progress_is_not_announced(ann: Client, player: Client, song: str, other: str) -> None:
    player.report("", song)
    with ann.socket() as socket:
        socket.next("UserDataChanged", where=lambda told: song in _hearts(told))
        player.report("/Progress", song, PositionTicks=SECOND)
        ann.post(f"/UserFavoriteItems/{other}")
        told = socket.next("UserDataChanged", where=lambda told: _hearts(told).get(other) is True)

    assert song not in {one["ItemId"] for one in told["UserDataList"]}


def test_keep_alive_is_answered(ann: Client) -> None:
    with ann.socket() as socket:
        socket.say("KeepAlive")

        assert socket.next("KeepAlive") is None


def _watch(socket: Socket) -> None:
    """Ask to be told of the sessions, and wait until the server has heard it."""
    socket.say("SessionsStart", "0,1500")
    socket.say("KeepAlive")
    socket.next("KeepAlive")


def test_who_watches_the_sessions_is_told_of_a_start(
    ann: Client, player: Client, song: str
) -> None:
    with ann.socket() as socket:
        _watch(socket)
        player.report("", song)

        socket.next("Sessions", where=lambda told: song in _playing(told))


def test_a_session_goes_with_its_socket(ann: Client, player: Client) -> None:
    with ann.socket() as watching:
        _watch(watching)
        with player.socket():
            assert player.session()

        watching.next("Sessions", where=lambda told: player.device_id not in _devices(told))


def test_that_a_socket_opens_is_told_to_nobody(ann: Client, player: Client, song: str) -> None:
    with ann.socket() as watching:
        _watch(watching)
        with player.socket():
            player.report("", song)
            told = watching.next("Sessions", where=lambda told: player.device_id in _devices(told))

    assert song in _playing(told)


def _hearts(told: Message) -> dict[str, bool]:
    return {one["ItemId"]: one["IsFavorite"] for one in told["UserDataList"]}


def _playing(told: list[Message]) -> set[str]:
    return {one["NowPlayingItem"]["Id"] for one in told if "NowPlayingItem" in one}


def _devices(told: list[Message]) -> set[str]:
    return {one["DeviceId"] for one in told}
