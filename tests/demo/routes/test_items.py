"""What the demo finds, and in which of its voices."""

from __future__ import annotations

import gzip

import pytest
import requests

from sidecar.demo.protocol.version import Version
from tests.contract.client import Client
from tests.fakes.servers.demo import House, device_of
from tests.patience import PATIENCE_S


def found(client: Client, **query: str) -> list[str]:
    told = client.get("/Items", **({"recursive": "true", "sortBy": "SortName"} | query))
    return [one["Name"] for one in told["Items"]]


def item(client: Client, name: str, kind: str) -> str:
    told = client.get("/Items", recursive="true", includeItemTypes=kind, searchTerm=name)
    return str(told["Items"][0]["Id"])


def test_albums_are_meant_by_name_before_version_12(house: House, speaks: Version) -> None:
    ann = device_of(house.server(speaks), "ann")
    hits, double = item(ann, "Greatest Hits", "MusicAlbum"), item(ann, "Double", "MusicAlbum")

    both = ["Hit of Choir", "Hit of Kettle"]
    by_name = speaks is Version.V10_11
    tracks = found(ann, albumIds=hits, includeItemTypes="Audio")
    assert (tracks == both) if by_name else (len(tracks) == 1)
    # The tracks of its discs are not directly in the album.
    discs = ["Side 1", "Side 2"] if by_name else []
    assert found(ann, albumIds=double, includeItemTypes="Audio") == discs


def test_below_an_album_are_the_tracks_of_all_its_discs(house: House) -> None:
    ann = device_of(house.server(), "ann")
    double = item(ann, "Double", "MusicAlbum")

    assert found(ann, parentId=double, includeItemTypes="Audio") == ["Side 1", "Side 2"]
    assert found(ann, parentId=double, recursive="false", includeItemTypes="Audio") == []


def test_an_artist_has_tracks_and_albums(house: House) -> None:
    ann = device_of(house.server(), "ann")
    artist = item(ann, "Choir", "MusicArtist")

    assert found(ann, artistIds=artist, includeItemTypes="Audio") == ["Hit of Choir"]
    assert found(ann, albumArtistIds=artist, includeItemTypes="MusicAlbum") == ["Greatest Hits"]
    assert found(ann, artistIds="0" * 32, includeItemTypes="Audio") == []


def test_a_favourite_artist_is_found_among_artists(house: House) -> None:
    ann = device_of(house.server(), "ann")
    ann.post(f"/UserFavoriteItems/{item(ann, 'Choir', 'MusicArtist')}")

    told = ann.get("/Artists", isFavorite="true")["Items"]

    assert [one["Name"] for one in told] == ["Choir"]
    assert len(ann.get("/Artists/AlbumArtists")["Items"]) == 4


def test_filters_that_exclude_each_other_are_400_in_version_12(
    house: House, speaks: Version
) -> None:
    ann = device_of(house.server(speaks), "ann")

    answer = ann.ask("GET", "/Items?recursive=true&filters=IsPlayed,IsUnplayed")

    if speaks is Version.V12_0:
        assert answer.status_code == 400
    else:
        assert answer.json()["Items"] == []


def test_a_query_of_no_place_lists_libraries_before_version_12(
    house: House, speaks: Version
) -> None:
    ann = device_of(house.server(speaks), "ann")

    told = found(ann, recursive="false", includeItemTypes="Movie")

    films, libraries = ["Colour Bars", "Test Pattern"], ["Movies", "Music", "Shows"]
    assert told == (films if (speaks is Version.V12_0) else libraries)


def test_search_looks_past_accents_and_case(house: House) -> None:
    ann = device_of(house.server(), "ann")

    assert found(ann, searchTerm="TÖNE 1", includeItemTypes="Audio") == ["Tone 1"]


@pytest.mark.parametrize(
    ("sort", "order", "first"),
    [
        ("Name", "Descending", "Tone 3"),
        ("ProductionYear,Name", "Descending,Ascending", "Tone 1"),
        ("Nonsense,Name", "Ascending", "Hit of Choir"),
    ],
)
def test_the_order_is_as_asked(house: House, sort: str, order: str, first: str) -> None:
    ann = device_of(house.server(), "ann")

    assert found(ann, includeItemTypes="Audio", sortBy=sort, sortOrder=order)[0] == first


def test_a_series_has_seasons_and_episodes_in_order(house: House) -> None:
    ann = device_of(house.server(), "ann")
    series = item(ann, "The Signal", "Series")

    seasons = ann.get(f"/Shows/{series}/Seasons")["Items"]
    episodes = ann.get(f"/Shows/{series}/Episodes")["Items"]
    second = ann.get(f"/Shows/{series}/Episodes", seasonId=seasons[1]["Id"])["Items"]
    after = ann.get(f"/Shows/{series}/Episodes", startItemId=episodes[2]["Id"])["Items"]

    assert [one["Name"] for one in seasons] == ["Season 1", "Season 2"]
    assert [one["IndexNumber"] for one in episodes] == [1, 2, 1, 2]
    assert second == episodes[2:]
    assert after == episodes[2:]


def test_the_next_episode_follows_the_last_one_seen(house: House) -> None:
    ann = device_of(house.server(), "ann")
    series = item(ann, "The Signal", "Series")
    episodes = [one["Id"] for one in ann.get(f"/Shows/{series}/Episodes")["Items"]]

    def next_up() -> list[str]:
        return [one["Id"] for one in ann.get("/Shows/NextUp")["Items"]]

    seen = [next_up()]
    of_series = ann.get("/Shows/NextUp", seriesId=series)["Items"]
    assert [one["Id"] for one in of_series] == episodes[:1]
    for one in episodes:
        ann.post(f"/UserPlayedItems/{one}")
        seen.append(next_up())

    assert seen == [[], episodes[1:2], episodes[2:3], episodes[3:4], []]
    assert ann.get(f"/Items/{series}")["UserData"]["UnplayedItemCount"] == 0


def test_a_film_left_in_the_middle_can_be_resumed(house: House) -> None:
    ann = device_of(house.server(), "ann")
    film = item(ann, "Colour Bars", "Movie")
    half = 2700 * 10_000_000
    ann.report("", film)
    ann.report("/Stopped", film, PositionTicks=half)

    [told] = ann.get("/UserItems/Resume")["Items"]

    assert (told["Id"], told["UserData"]["PlaybackPositionTicks"]) == (film, half)


def test_a_tick_on_an_album_is_a_tick_on_its_tracks(house: House) -> None:
    ann = device_of(house.server(), "ann")
    album = item(ann, "Double", "MusicAlbum")
    ann.post(f"/UserPlayedItems/{album}")

    assert found(ann, isPlayed="true", includeItemTypes="Audio") == ["Side 1", "Side 2"]
    ann.delete(f"/UserPlayedItems/{album}")
    assert found(ann, isPlayed="true", includeItemTypes="Audio") == []


def test_a_mix_can_begin_with_anything_that_holds_songs(house: House) -> None:
    ann = device_of(house.server(), "ann")
    for kind, name in (("MusicAlbum", "Double"), ("MusicArtist", "Choir"), ("Playlist", "Road")):
        mix = ann.get(f"/Items/{item(ann, name, kind)}/InstantMix")

        assert mix["TotalRecordCount"] == 8
        assert {one["Type"] for one in mix["Items"]} == {"Audio"}


def test_a_page_of_nonsense_is_refused(house: House) -> None:
    ann = device_of(house.server(), "ann")

    assert ann.ask("GET", "/Items/Latest?limit=many").status_code == 400


def test_lyrics_are_told_line_by_line(house: House) -> None:
    ann = device_of(house.server(), "ann")
    with_words, without = item(ann, "Tone 1", "Audio"), item(ann, "Tone 2", "Audio")

    told = ann.get(f"/Audio/{with_words}/Lyrics")

    assert told["Metadata"]["IsSynced"]
    assert told["Lyrics"][1] == {"Text": "and no more", "Start": 25_000_000}
    assert ann.ask("GET", f"/Audio/{without}/Lyrics").status_code == 404


def test_a_picture_has_an_etag_only_in_version_12(house: House, speaks: Version) -> None:
    ann = device_of(house.server(speaks), "ann")
    [song] = ann.songs(searchTerm="Tone 1")
    path, tag = f"/Items/{song['AlbumId']}/Images/Primary", song["AlbumPrimaryImageTag"]

    answer = ann.ask("GET", path, query={"tag": tag, "maxWidth": "300"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers.get("ETag") == (f'"{tag}"' if (speaks is Version.V12_0) else None)
    again = ann.ask("GET", path, query={"tag": tag}, headers={"If-None-Match": f'"{tag}"'})
    assert again.status_code == (304 if (speaks is Version.V12_0) else 200)
    assert ann.ask("HEAD", path).status_code == 200


def test_json_is_compressed_for_who_likes_it(house: House) -> None:
    server = house.server()
    asked = {"Accept-Encoding": "gzip"}

    with requests.get(
        f"{server.url}/System/Info/Public", headers=asked, timeout=PATIENCE_S, stream=True
    ) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"Jellyfin Server" in gzip.decompress(answer.raw.read())
