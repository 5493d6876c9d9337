from __future__ import annotations

import json
import logging

import pytest

from sidecar.jellyfin.live.events import (
    KeepAliveFrame,
    LibraryChanged,
    ServerStopping,
    SessionsNews,
    UserDataChanged,
    decode,
)
from tests.fakes.servers.live import frame
from tests.jellyfin.recorded import VERSIONS, recording

ID = "1bf5462706b4367473f9fd0725bdd586"
USER = "eca72f36678648dfacdbb6f40ea1199a"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_frame_is_understood_or_none_of_our_business(version: str) -> None:
    kinds = {
        "Sessions": SessionsNews,
        "UserDataChanged": UserDataChanged,
        "LibraryChanged": LibraryChanged,
        "ServerShuttingDown": ServerStopping,
        "KeepAlive": KeepAliveFrame,
        "ForceKeepAlive": KeepAliveFrame,
        "UserUpdated": type(None),
    }
    frames = recording(version, "frames")

    assert {one["MessageType"] for one in frames} == set(kinds)
    for one in frames:
        told = decode(json.dumps(one).encode(), own_device="x")
        assert isinstance(told, kinds[one["MessageType"]])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_heart_is_told_with_its_album_beside_it(version: str) -> None:
    first = next(
        told
        for one in recording(version, "frames")
        if one["MessageType"] == "UserDataChanged"
        and one["Data"]["UserDataList"][0]["IsFavorite"]
        and (told := decode(json.dumps(one).encode(), own_device="x"))
    )

    assert isinstance(first, UserDataChanged)
    assert [(one.item_id, one.is_favorite) for one in first.entries] == [
        (ID, True),
        ("aab664f2ef5f8c0aac8c0ad0cebebe79", False),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_playback_is_followed_from_start_to_stop(version: str) -> None:
    told = [
        decode(json.dumps(one).encode(), own_device="sidecar-ann")
        for one in recording(version, "frames")
        if one["MessageType"] == "Sessions"
    ]
    playing = [one.playing for one in told if isinstance(one, SessionsNews)]

    assert [one[0].playlist_item_id if one else None for one in playing][:6] == [
        "playlistItem0",
        "playlistItem0",
        "playlistItem0",
        "playlistItem0",
        "playlistItem0",
        None,
    ]
    assert playing[4][0].is_paused


def test_ids_are_told_in_one_spelling_and_broken_ones_left_out() -> None:
    told = decode(
        frame(
            "LibraryChanged",
            {"ItemsAdded": [ID.upper(), "x", None], "ItemsUpdated": None, "IsEmpty": False},
        ),
        own_device="x",
    )

    assert told == LibraryChanged(added=(ID,), updated=(), removed=())


def test_a_whole_library_that_was_scanned_again_is_one_message() -> None:
    """As after the rename of 300 artists: of what vanished only their folders are told."""
    ids = [f"{number:032x}" for number in range(8_110)]
    told = decode(
        frame(
            "LibraryChanged",
            {
                "ItemsAdded": ids[:6_900],
                "ItemsUpdated": ids[6_900:6_910],
                "ItemsRemoved": ids[6_910:7_210],
                "FoldersAddedTo": ids[7_210:],
            },
        ),
        own_device="x",
    )

    assert isinstance(told, LibraryChanged)
    assert list(map(len, (told.added, told.updated, told.removed))) == [6_900, 10, 300]


def test_an_entry_that_cannot_be_read_does_not_hide_the_others() -> None:
    entries = [{"ItemId": ID}, {"IsFavorite": True}, {"ItemId": ID, "IsFavorite": True}]

    told = decode(
        frame("UserDataChanged", {"UserId": USER, "UserDataList": entries}), own_device="x"
    )

    assert isinstance(told, UserDataChanged)
    assert [one.is_favorite for one in told.entries] == [True]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"messagetype": "KeepAlive"}',
        frame("Play", {"ItemIds": [ID]}),
        frame("Sessions", {"not": "a list"}),
        frame("UserDataChanged"),
        frame("UserDataChanged", {"UserId": "../x", "UserDataList": []}),
        b"[" * 100_000,
    ],
)
def test_a_frame_that_says_nothing_is_passed_over(
    broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    assert decode(broken, own_device="x") is None
    assert ID not in caplog.text


def test_our_own_session_is_no_news() -> None:
    session = {"Id": "s", "DeviceId": "ours", "NowPlayingItem": {"Id": ID}}

    assert decode(frame("Sessions", [session]), own_device="ours") == SessionsNews(())
