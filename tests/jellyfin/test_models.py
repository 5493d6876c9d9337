from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from sidecar.jellyfin import models
from tests.jellyfin.recorded import VERSIONS, body, recording

ID = "1bf5462706b4367473f9fd0725bdd586"
LISTINGS = (
    "items-by-ids",
    "favourites",
    "favourite-artists",
    "albums",
    "artists",
    "album-tracks-flac",
    "episodes",
    "movies",
    "playlist-items",
    "playlist-as-ben",
    "playlists",
    "seasons",
    "search",
    "tracks-page",
    "next-up",
)
SESSIONS = (
    "sessions-playing-user",
    "sessions-playing-admin",
    "sessions-second-track",
    "sessions-idle-user",
    "sessions-as-ben",
)
SINGLE: tuple[tuple[str, TypeAdapter[Any]], ...] = (
    ("public-info", models.PUBLIC_SERVER),
    ("public-info-before-wizard", models.PUBLIC_SERVER),
    ("me", models.USER),
    ("sign-in", models.SIGN_IN),
    ("quick-connect-sign-in", models.SIGN_IN),
    ("quick-connect-initiate", models.QUICK_CONNECT),
    ("quick-connect-pending", models.QUICK_CONNECT),
    ("quick-connect-approved", models.QUICK_CONNECT),
    ("favourite-on", models.USER_ITEM_DATA),
    ("favourite-off", models.USER_ITEM_DATA),
    ("userdata-get", models.USER_ITEM_DATA),
    ("item", models.ITEM),
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", LISTINGS)
def test_every_recorded_listing_is_read_without_a_gap(version: str, name: str) -> None:
    page = models.ITEMS_PAGE.validate_json(body(version, name))

    assert [one and one.id for one in page.items] == [
        one["Id"] for one in recording(version, name)["json"]["Items"]
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "shape"), SINGLE)
def test_every_recorded_answer_is_read(
    version: str, name: str, shape: TypeAdapter[models.JellyfinModel]
) -> None:
    shape.validate_json(body(version, name))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SESSIONS)
def test_every_recorded_list_of_sessions_is_read(version: str, name: str) -> None:
    sessions = models.SESSIONS.validate_json(body(version, name))

    assert [one.now_playing_item and one.now_playing_item.name for one in sessions] == [
        one.get("NowPlayingItem", {}).get("Name") for one in recording(version, name)["json"]
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_starting_servers_public_info_is_not_taken_for_a_ready_ones(version: str) -> None:
    starting = [
        one["body"]
        for one in recording(version, "restart")
        if one["path"] == "/System/Info/Public" and '"serverName"' in one.get("body", "")
    ]

    assert starting
    for text in starting:
        with pytest.raises(ValueError, match="PublicServer"):
            models.PUBLIC_SERVER.validate_json(text)


def test_a_token_does_not_show_when_printed() -> None:
    answer = models.SIGN_IN.validate_json(body("12.0", "sign-in"))

    assert answer.access_token.get_secret_value() == "tokenrec000000000000000000000000"
    assert "tokenrec" not in f"{answer} {answer!r} {answer.model_dump()}"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-23T13:57:28.8580464Z", datetime(2026, 11, 23, 13, 57, 28, 858046, UTC)),
        ("2026-11-23T13:57:28Z", datetime(2026, 11, 23, 13, 57, 28, 0, UTC)),
        ("2026-11-23T13:57:28.85", datetime(2026, 11, 23, 13, 57, 28, 850000, UTC)),
        ("2026-11-23T15:57:28+02:00", datetime(2026, 11, 23, 13, 57, 28, 0, UTC)),
        ("0001-01-01T00:00:00.0000000Z", None),
        ("0001-01-01T00:00:00.0000000+05:00", None),
        ("yesterday", None),
        (None, None),
        ([], None),
    ],
)
def test_times_are_read_in_all_their_forms(written: object, moment: datetime | None) -> None:
    told = {"ItemId": ID, "IsFavorite": True, "LastPlayedDate": written}

    read = models.USER_ITEM_DATA.validate_json(json.dumps(told))

    assert read.last_played_date == moment


def test_an_item_is_read_however_odd_its_other_keys_are() -> None:
    odd = {
        "Id": "1BF54627-06B4-3674-73F9-FD0725BDD586",
        "Type": "Audio",
        "Name": None,
        "Artists": None,
        "AlbumArtists": [{"Name": None}, "x", {}],
        "IndexNumber": "many",
        "RunTimeTicks": None,
        "ImageTags": {"Primary": None},
        "AlbumId": "none",
        "UserData": {"IsFavorite": None},
        "MediaSources": [None, {"Size": -1, "Id": None}, {"Size": "12"}],
        "PremiereDate": "0001-01-01T00:00:00.0000000Z",
        "Novelty": {"deep": [1]},
    }

    read = models.ITEM.validate_json(json.dumps(odd))

    assert read.id == ID
    assert (read.name, read.artists, read.index_number, read.album_id) == (None, (), None, None)
    assert [one and one.size for one in read.media_sources] == [None, None, 12]
    assert read.image_tags.primary is None


@pytest.mark.parametrize("broken", [{}, {"Id": "../x", "Type": "Audio"}, {"Id": ID}, None, 7])
def test_an_entry_that_is_no_item_leaves_a_gap_and_the_others_stay(broken: object) -> None:
    page = {"Items": [broken, {"Id": ID, "Type": "Audio"}], "TotalRecordCount": 2}

    read = models.ITEMS_PAGE.validate_json(json.dumps(page))

    assert [one and one.id for one in read.items] == [None, ID]


def test_what_an_older_server_does_not_say_of_a_user_means_yes() -> None:
    user = models.USER.validate_json(json.dumps({"Id": ID, "Name": "ann"}))

    assert user.policy.enable_content_downloading
    assert not user.policy.is_administrator


def test_a_mistake_in_an_answer_is_told_without_its_content() -> None:
    wrong = {"User": {"Id": "x", "Name": "ann"}, "AccessToken": 5, "ServerId": ID, "Pw": "s3cret"}

    with pytest.raises(ValueError, match="SignInAnswer") as caught:
        models.SIGN_IN.validate_json(json.dumps(wrong | {"AccessToken": ["0123secret"]}))

    assert "0123secret" not in str(caught.value)


def test_a_queue_of_thousands_is_passed_over() -> None:
    session = recording("10.11", "sessions-playing-user")["json"][0]
    full = session["NowPlayingQueueFullItems"][:1] * 5000
    session = session | {"NowPlayingQueueFullItems": full, "NowPlayingQueue": "nonsense"}

    (read,) = models.SESSIONS.validate_json(json.dumps([session]))

    assert read.now_playing_item is not None
    assert set(read.now_playing_queue) <= {None}
