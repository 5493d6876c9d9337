"""What Jellyfin answers when the library is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract.client import Client, Site


def test_parameters_that_nobody_knows_are_dropped(ann: Client) -> None:
    wrong = ann.ask("GET", "/Items?recursive=true&isFavourite=true&fields=Nonsense&limit=2")

    assert wrong.status_code == 200
    assert wrong.json()["Items"]


def test_parameters_are_in_any_case(ann: Client) -> None:
    told = ann.get("/items", RECURSIVE="true", IncludeItemTypes="audio", LIMIT="2")

    assert [one["Type"] for one in told["Items"]] == ["Audio", "Audio"]


def test_without_counting_the_total_is_only_what_came(ann: Client) -> None:
    told = ann.get(
        "/Items",
        recursive="true",
        includeItemTypes="Audio",
        limit="1",
        enableTotalRecordCount="false",
    )

    assert told["TotalRecordCount"] == 1


def test_pages_are_parts_of_the_whole(ann: Client) -> None:
    whole = [one["Id"] for one in ann.songs(sortBy="SortName,Id", limit="4")]

    pages = [
        one["Id"]
        for start in ("0", "2")
        for one in ann.songs(sortBy="SortName,Id", limit="2", startIndex=start)
    ]

    assert pages == whole


def test_sources_come_only_when_asked_for(ann: Client) -> None:
    without, with_them = ann.songs(limit="1"), ann.songs(limit="1", fields="MediaSources")

    assert "MediaSources" not in without[0]
    assert with_them[0]["MediaSources"][0]["Size"] > 0


def test_ids_are_answered_in_the_order_asked(ann: Client) -> None:
    ids = [one["Id"] for one in ann.songs(limit="3")][::-1]

    told = ann.get("/Items", ids=",".join(ids))["Items"]

    assert [one["Id"] for one in told] == ids


@contextmanager
def without_libraries(ann: Client, admin: Client) -> Iterator[None]:
    policy = admin.get(f"/Users/{ann.user_id}")["Policy"]
    none_of_them = {"EnableAllFolders": False, "EnabledFolders": []}
    admin.post(f"/Users/{ann.user_id}/Policy", policy | none_of_them)
    try:
        yield
    finally:
        admin.post(f"/Users/{ann.user_id}/Policy", policy)


def test_ids_alone_are_answered_whoever_may_see_them(ann: Client, admin: Client) -> None:
    """So what a person may see is never concluded from them."""
    song = ann.songs(limit="1")[0]
    album = f"/Items?recursive=true&parentId={song['AlbumId']}"

    with without_libraries(ann, admin):
        named = ann.get("/Items", ids=song["Id"])["Items"]
        hidden = [ann.ask("GET", f"/Items/{song[key]}").status_code for key in ("Id", "AlbumId")]
        listed = ann.ask("GET", album).status_code
        searched = ann.songs(searchTerm=song["Name"])

    assert [one["Name"] for one in named] == [song["Name"]]
    assert hidden == [404, 404]
    assert listed == 401
    assert searched == []
    assert ann.get(f"/Items/{song['Id']}")["Name"] == song["Name"]


def test_an_id_with_dashes_is_the_same_id(ann: Client, song: str) -> None:
    dashed = "-".join((song[:8], song[8:12], song[12:16], song[16:20], song[20:]))

    assert ann.get(f"/Items/{dashed}")["Id"] == song


def test_nothing_is_told_as_null_but_the_channel(ann: Client) -> None:
    told = ann.songs(limit="1")[0]

    assert [name for name, value in told.items() if value is None] == ["ChannelId"]


def test_the_tracks_of_an_album_are_found_below_it(ann: Client) -> None:
    song = ann.songs(limit="1", sortBy="SortName")[0]

    tracks = ann.songs(parentId=song["AlbumId"], limit="1000")

    assert {one["AlbumId"] for one in tracks} == {song["AlbumId"]}
    assert song["Id"] in {one["Id"] for one in tracks}


def test_the_latest_come_as_a_bare_list(ann: Client) -> None:
    assert isinstance(ann.get("/Items/Latest"), list)


def test_an_instant_mix_begins_with_its_song(ann: Client, song: str) -> None:
    assert ann.get(f"/Items/{song}/InstantMix", limit="5")["Items"][0]["Id"] == song


@contextmanager
def playlist(ann: Client, ids: list[str]) -> Iterator[str]:
    made = str(
        ann.post("/Playlists", {"Name": "Contract", "Ids": ids, "UserId": ann.user_id})["Id"]
    )
    try:
        yield made
    finally:
        ann.delete(f"/Items/{made}")


def _entries(ann: Client, made: str) -> list[dict[str, str]]:
    items: list[dict[str, str]] = ann.get(f"/Playlists/{made}/Items")["Items"]
    return items


def test_a_playlist_keeps_its_order(ann: Client) -> None:
    ids = [one["Id"] for one in ann.songs(limit="3")][::-1]

    with playlist(ann, ids) as made:
        assert [one["Id"] for one in _entries(ann, made)] == ids
        assert ann.get(f"/Playlists/{made}")["ItemIds"] == ids


def test_entries_of_a_playlist_are_moved_and_removed(ann: Client) -> None:
    first, second, third = (str(one["Id"]) for one in ann.songs(limit="3"))

    with playlist(ann, [first, second, third]) as made:
        entries = [one["PlaylistItemId"] for one in _entries(ann, made)]
        moved = ann.ask("POST", f"/Playlists/{made}/Items/{entries[2]}/Move/0")
        removed = ann.ask("DELETE", f"/Playlists/{made}/Items?entryIds={entries[1]}")

        assert (moved.status_code, removed.status_code) == (204, 204)
        assert [one["Id"] for one in _entries(ann, made)] == [third, first]


def test_a_changed_playlist_is_told_much_later_and_once(site: Site, ann: Client) -> None:
    patience = site.library_changed_s + 15
    song = ann.songs(limit="1")[0]["Id"]

    with ann.socket() as socket, playlist(ann, [song]) as made:
        told = socket.next("LibraryChanged", within_s=patience)

    assert made in told["ItemsAdded"] + told["ItemsUpdated"]


def test_the_next_episode_of_a_series_is_that_of_the_account(ann: Client) -> None:
    """Asked for one series it is the first one too; asked for all, only of what was begun."""
    series = ann.get("/Items", recursive="true", includeItemTypes="Series")["Items"][0]["Id"]
    within = {"recursive": "true", "parentId": series, "includeItemTypes": "Episode"}
    listed = ann.get("/Items", **within, sortBy="ParentIndexNumber,IndexNumber")["Items"]
    episodes = [one["Id"] for one in listed if one["ParentIndexNumber"]]

    def next_up(**query: str) -> list[str]:
        return [one["Id"] for one in ann.get("/Shows/NextUp", **query)["Items"]]

    of_series = {"seriesId": series, "disableFirstEpisode": "false", "enableResumable": "true"}
    assert next_up(**of_series, limit="1") == episodes[:1]
    assert next_up(disableFirstEpisode="true") == []
    ann.post(f"/UserPlayedItems/{episodes[0]}")
    try:
        assert next_up(**of_series) == next_up(disableFirstEpisode="true") == episodes[1:2]
        [told] = ann.get("/Items", ids=series)["Items"]
        assert told["UserData"]["UnplayedItemCount"] == len(listed) - 1
    finally:
        ann.delete(f"/UserPlayedItems/{episodes[0]}")
