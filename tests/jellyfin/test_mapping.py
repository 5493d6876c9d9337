from __future__ import annotations

import json

import pytest

from sidecar.domain.files.naming import build_path
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.sessions import NowPlaying, QueueEntry, Repeat
from sidecar.jellyfin import models
from sidecar.jellyfin.mapping import MOST_QUEUED, list_now_playing, list_open_clients, to_item
from tests.jellyfin.recorded import VERSIONS, body

ID = "1bf5462706b4367473f9fd0725bdd586"
OTHER = "aab664f2ef5f8c0aac8c0ad0cebebe79"
SERIES = "6f70211eb56a98c62e700f8563dcfa44"


def item(**keys: object) -> Item:
    return to_item(models.ITEM.validate_json(json.dumps({"Id": ID, "Type": "Audio"} | keys)))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_track_comes_in_our_words(version: str) -> None:
    page = models.ITEMS_PAGE.validate_json(body(version, "favourites"))
    track, album = [to_item(one) for one in page.items if one]

    assert track == Item(
        id="1bf5462706b4367473f9fd0725bdd586",
        type=ItemType.AUDIO,
        title="Tone 3",
        artist="The Sine Waves",
        album="First Light",
        album_id="aab664f2ef5f8c0aac8c0ad0cebebe79",
        album_artist="The Sine Waves",
        number=3,
        disc=1,
        year=2019,
        seconds=41.0,
        extension="flac",
        size=4489494,
        source_etag="38c642849300d137e43ce9b5ed6298fa",
        source_path="/media/music/The Sine Waves/First Light (2019)/03 - Tone 3.flac",
        artist_id="e482f34a4dcfa5cbdec81d5518bc4186",
        image_item_id="aab664f2ef5f8c0aac8c0ad0cebebe79",
        image_tag="7249c2c549b1a56e683c75b0228ae0e6",
        is_favorite=True,
        can_download=True,
        is_played=False,
    )
    assert (album.type, album.title, album.can_download) == (ItemType.ALBUM, "First Light", False)
    assert album.image_item_id == album.id


# What both versions answered of libraries without online metadata, as far as names need it.
PLAIN = {"Name": "Plain (2005)", "Type": "Movie", "ProductionYear": 2005}
DOUBLE = {
    "Name": "Double Show S01E01-E02",
    "Type": "Episode",
    "SeriesName": "Double Show",
    "SeasonName": "Season 1",
    "IndexNumber": 1,
    "IndexNumberEnd": 2,
    "ParentIndexNumber": 1,
}
SPECIAL = {
    "Name": "Double Show S00E01 - Special",
    "Type": "Episode",
    "SeriesName": "Double Show",
    "SeasonName": "Specials",
    "IndexNumber": 1,
    "ParentIndexNumber": 0,
}
DAILY = {
    "Name": "Daily Show 2024-05-06",
    "Type": "Episode",
    "SeriesName": "Daily Show",
    "SeasonName": "Season Unknown",
    "ProductionYear": 2024,
    "PremiereDate": "2024-05-06T00:00:00.0000000Z",
}


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        (PLAIN, "Plain (2005)/Plain (2005).bin"),
        (DOUBLE, "Double Show/Season 01/Double Show - S01E01-E02.bin"),
        (SPECIAL, "Double Show/Specials/Double Show - S00E01 - Special.bin"),
        (DAILY, "Daily Show/2024/Daily Show - 2024-05-06.bin"),
    ],
)
def test_what_is_named_after_its_file_gets_a_name_without_repeats(
    answer: dict[str, object], path: str
) -> None:
    assert build_path(item(**answer)) == path


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_episode_knows_its_series_and_season(version: str) -> None:
    page = models.ITEMS_PAGE.validate_json(body(version, "episodes"))
    first = to_item(next(one for one in page.items if one))

    assert first.type is ItemType.EPISODE
    assert first.series is not None
    assert first.series.startswith("The Signal")
    assert (first.disc, first.number, first.extension) == (1, 1, "mkv")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_films_extension_is_its_files_and_not_the_list_of_its_container(version: str) -> None:
    page = models.ITEMS_PAGE.validate_json(body(version, "movies"))
    films = {one.container: to_item(one).extension for one in page.items if one}

    assert films["mov,mp4,m4a,3gp,3g2,mj2"] == "mp4"


@pytest.mark.parametrize(
    ("keys", "extension"),
    [
        ({"Path": "/m/a.FLAC"}, "flac"),
        ({"Path": "C:\\music\\a.b\\c.m4a"}, "m4a"),
        ({"Path": "/m/a.b/no extension", "Container": "mp3"}, "mp3"),
        ({"Path": "/m/.flac", "Container": "flac"}, "flac"),
        ({"Container": "mov,mp4,m4a"}, None),
        ({"Container": "../x"}, None),
        ({"Path": "/m/x.ä"}, None),
        ({"Path": "/m/x.html"}, None),
        ({"Path": "/m/x.mp3.lnk", "Container": "exe"}, None),
        ({"Path": "/m/x.desktop", "Container": "flac"}, "flac"),
        ({"Path": "/m/x.mp3/"}, None),
        ({}, None),
    ],
)
def test_the_extension_is_found_or_left_open(
    keys: dict[str, object], extension: str | None
) -> None:
    assert item(**keys).extension == extension


@pytest.mark.parametrize(
    ("keys", "is_remote"),
    [
        ({}, False),
        ({"LocationType": "FileSystem", "Path": "/m/a.flac"}, False),
        ({"LocationType": "Virtual"}, True),
        ({"LocationType": "Remote"}, True),
        ({"Path": "/m/radio.strm"}, True),
        ({"Path": "https://radio.example/a.mp3"}, True),
        ({"MediaSources": [{"Id": ID, "IsRemote": True}]}, True),
        ({"MediaSources": [{"Id": ID, "Protocol": "Http"}]}, True),
        ({"MediaSources": [{"Id": ID, "Protocol": "File"}]}, False),
    ],
)
def test_what_has_no_file_of_its_own_is_remote(keys: dict[str, object], *, is_remote: bool) -> None:
    assert item(**keys).is_remote is is_remote
    assert item(**keys).is_playable is not is_remote


def test_the_size_is_that_of_the_items_own_file_and_not_of_another_version() -> None:
    sources = [{"Id": OTHER, "Size": 1, "ETag": "a"}, {"Id": ID, "Size": 2, "ETag": "b"}]

    assert (item(MediaSources=sources).size, item(MediaSources=sources).source_etag) == (2, "b")
    assert item(MediaSources=sources[:1]).size is None


@pytest.mark.parametrize(
    ("keys", "image"),
    [
        ({"ImageTags": {"Primary": "own"}, "AlbumId": OTHER}, (ID, "own")),
        ({"AlbumId": OTHER, "AlbumPrimaryImageTag": "album"}, (OTHER, "album")),
        ({"SeriesId": SERIES, "SeriesPrimaryImageTag": "series"}, (SERIES, "series")),
        (
            {"ParentPrimaryImageItemId": SERIES, "ParentPrimaryImageTag": "above"},
            (SERIES, "above"),
        ),
        ({"AlbumId": OTHER}, (None, None)),
        ({"AlbumPrimaryImageTag": "album"}, (None, None)),
    ],
)
def test_the_cover_is_its_own_or_the_albums_or_the_series(
    keys: dict[str, object], image: tuple[str | None, str | None]
) -> None:
    assert (item(**keys).image_item_id, item(**keys).image_tag) == image


def test_several_artists_are_joined_and_a_missing_album_artist_is_made_up_from_the_list() -> None:
    track = item(Artists=["Ann", "", "Ben;Co"], AlbumArtists=[{"Name": "Ann"}, {"Name": "Kid"}])

    assert (track.artist, track.album_artist) == ("Ann, Ben;Co", "Ann, Kid")


def test_an_untagged_track_has_no_artist_and_no_year() -> None:
    track = item(Artists=[], Album=None, PremiereDate="0001-01-01T00:00:00.0000000Z")

    assert (track.artist, track.album, track.year) == (None, None, None)
    assert track.title == "Untitled"


def test_the_year_comes_from_the_date_where_there_is_no_other() -> None:
    assert item(PremiereDate="2019-05-04T00:00:00.0000000Z").year == 2019
    assert item(PremiereDate="2019-05-04T00:00:00.0000000Z").aired is None


def test_an_unknown_type_is_something_else_and_never_downloaded() -> None:
    photo = item(Type="Photo")

    assert photo.type is ItemType.OTHER
    assert not photo.is_playable


@pytest.mark.parametrize("version", VERSIONS)
def test_what_plays_is_told_and_our_own_session_is_left_out(version: str) -> None:
    sessions = models.SESSIONS.validate_json(body(version, "sessions-playing-user"))

    (playing,) = list_now_playing(sessions, except_device="sidecar-ann")

    assert playing.item.id == "399ff486acfe493e6d082af3c275330f"
    assert (playing.client, playing.device_name) == ("Jellyfin Web", "Firefox")
    assert (playing.playlist_item_id, playing.position_s) == ("playlistItem0", 3.0)
    assert playing.checked_in is not None
    assert list_now_playing(sessions, except_device="firefox-ann") == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_clients_that_are_open_tell_what_messages_depend_on(version: str) -> None:
    sessions = models.SESSIONS.validate_json(body(version, "sessions-playing-user"))

    clients, now = list_open_clients(sessions, except_device="sidecar-ann")

    (web,) = [one for one in clients if one.plays]
    assert web.plays == "399ff486acfe493e6d082af3c275330f"
    assert (web.plays_film, web.shows_messages, web.is_connected) == (False, False, False)
    assert web.active_at is not None
    assert now is not None
    assert web.active_at <= now


def test_a_client_that_says_so_shows_messages_and_a_film_is_one() -> None:
    session = {
        "Id": "s",
        "UserId": ID,
        "SupportsRemoteControl": True,
        "SupportedCommands": ["Mute", "DisplayMessage"],
        "NowPlayingItem": {"Id": ID, "Type": "Episode"},
    }
    read = models.SESSIONS.validate_json(json.dumps([session, {"Id": "t", "DeviceId": "ours.x"}]))

    ((web,), now) = list_open_clients(read, except_device="ours")

    assert (web.shows_messages, web.is_connected, web.plays_film) == (True, True, True)
    assert (web.active_at, now) == (None, None)


def test_a_session_of_nobody_has_no_user() -> None:
    session = {"Id": "s", "UserId": "0" * 32, "NowPlayingItem": {"Id": ID}}

    (playing,) = list_now_playing(
        models.SESSIONS.validate_json(json.dumps([session])), except_device="x"
    )

    assert playing.user_id is None


@pytest.mark.parametrize("ticks", [-1, -(2**62), 2**62, 2**70, 1e300])
def test_a_place_or_a_length_that_none_can_have_counts_as_absent(ticks: float) -> None:
    playing = played(
        [],
        NowPlayingItem={"Id": ID, "RunTimeTicks": ticks},
        PlayState={"PositionTicks": ticks},
    )

    assert (playing.position_s, playing.item.seconds) == (0, None)


def test_how_long_a_client_is_silent_is_told_by_the_servers_own_clock() -> None:
    sessions: list[dict[str, object]] = [
        {
            "Id": "s",
            "DeviceId": "tab",
            "NowPlayingItem": {"Id": ID},
            "LastPlaybackCheckIn": "2026-11-01T10:00:00.0000000Z",
            "LastActivityDate": "2026-11-01T10:00:01.0000000Z",
        },
        {"Id": "o", "DeviceId": "ours", "LastActivityDate": "2026-11-01T10:02:30.0000000Z"},
    ]

    def silent(told: list[dict[str, object]]) -> float | None:
        read = models.SESSIONS.validate_json(json.dumps(told))
        (playing,) = list_now_playing(read, except_device="ours")
        return playing.silent_s

    assert silent(sessions) == 150
    assert silent(sessions[:1]) == 1
    assert silent([{**sessions[0], "LastPlaybackCheckIn": None}]) is None


def played(queue: object, current: str | None = "playlistItem1", **facts: object) -> NowPlaying:
    session = {
        "Id": "s",
        "NowPlayingItem": {"Id": ID},
        "PlaylistItemId": current,
        "NowPlayingQueue": queue,
        **facts,
    }
    read = models.SESSIONS.validate_json(json.dumps([session]))
    (playing,) = list_now_playing(read, except_device="x")
    return playing


def queued(*ids: str) -> list[dict[str, str]]:
    return [{"Id": one, "PlaylistItemId": f"playlistItem{at}"} for at, one in enumerate(ids)]


OTHER, THIRD = "b" * 32, "c" * 32


def test_the_queue_is_told_from_the_current_entry_on() -> None:
    assert played(queued(OTHER, ID, THIRD)).queue == (
        QueueEntry(ID, "playlistItem1"),
        QueueEntry(THIRD, "playlistItem2"),
    )


@pytest.mark.parametrize(
    ("queue", "current"),
    [
        pytest.param(queued(OTHER, ID), "playlistItem7", id="the previous queue"),
        pytest.param(queued(ID, OTHER), "playlistItem1", id="its numbers begin again"),
        pytest.param(queued(OTHER, ID), None, id="a client that names no entry now"),
        pytest.param([], "playlistItem1", id="empty"),
        pytest.param("nonsense", "playlistItem1", id="no queue at all"),
        pytest.param([5, None, {}], "playlistItem1", id="broken entries"),
    ],
)
def test_a_queue_without_the_current_entry_is_not_believed(
    queue: object, current: str | None
) -> None:
    assert played(queue, current).queue == ()


def test_a_client_that_never_names_entries_is_found_by_its_item() -> None:
    queue = [{"Id": OTHER}, {"Id": ID}, {"Id": THIRD}]

    assert [one.item_id for one in played(queue, None).queue] == [ID, THIRD]


def test_a_repeat_in_the_queue_is_told_apart_by_its_entry() -> None:
    queue = queued(ID, ID, OTHER)

    assert [one.playlist_item_id for one in played(queue).queue] == [
        "playlistItem1",
        "playlistItem2",
    ]


def test_of_a_queue_of_thousands_only_the_next_ones_are_kept() -> None:
    read = models.SESSIONS.validate_json(
        json.dumps(
            [
                {
                    "Id": "s",
                    "NowPlayingItem": {"Id": ID},
                    "PlaylistItemId": "playlistItem3",
                    "NowPlayingQueue": queued(*[ID] * 5000),
                }
            ]
        )
    )
    (playing,) = list_now_playing(read, except_device="x")

    assert len(playing.queue) == MOST_QUEUED
    # What is cut off was never made into objects: it is still waiting to be read.
    assert sum(1 for _ in read[0].now_playing_queue) >= 5000 - MOST_QUEUED - 4


def test_repeat_and_shuffle_are_told() -> None:
    state = {"RepeatMode": "RepeatAll", "PlaybackOrder": "Shuffle"}
    told, odd = played([], PlayState=state), played([], PlayState={"RepeatMode": "RepeatMaybe"})

    assert (told.repeat, told.is_shuffled) == (Repeat.ALL, True)
    assert (odd.repeat, odd.is_shuffled) == (Repeat.NONE, False)


def test_devices_beside_our_own_are_ours_as_well() -> None:
    def sessions(device_id: str) -> tuple[models.ClientSession, ...]:
        one = {"Id": "s", "DeviceId": device_id, "NowPlayingItem": {"Id": ID}}
        return models.SESSIONS.validate_json(json.dumps([one]))

    assert list_now_playing(sessions("ours.stick"), except_device="ours") == ()
    assert len(list_now_playing(sessions("ours2"), except_device="ours")) == 1


@pytest.mark.parametrize(
    ("takes_commands", "paused", "ticks", "plays"),
    [
        (False, True, 0, False),
        (False, True, 1, True),
        (False, False, 0, True),
        (True, True, 0, True),
        (None, True, 0, True),
    ],
)
def test_a_client_without_remote_control_that_is_paused_at_zero_was_stopped(
    takes_commands: bool | None,
    paused: bool,
    ticks: int,
    plays: bool,
) -> None:
    session: dict[str, object] = {
        "Id": "s1",
        "UserId": ID,
        "NowPlayingItem": {"Id": OTHER, "Type": "Audio", "Name": "Tone 3"},
        "PlayState": {"PositionTicks": ticks, "IsPaused": paused},
    }
    if takes_commands is not None:
        session["SupportsRemoteControl"] = takes_commands

    found = list_now_playing(
        models.SESSIONS.validate_json(json.dumps([session])), except_device="sidecar"
    )

    assert bool(found) is plays
