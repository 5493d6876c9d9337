"""What the demo's libraries hold: the awkward cases must not get lost when somebody tidies up."""

from __future__ import annotations

from collections import Counter
from unicodedata import is_normalized, normalize

import pytest

from sidecar.demo.content.libraries import SMALL, WHOLE
from sidecar.demo.content.manifest import paths_of
from sidecar.demo.content.recipe import AlbumCodec, Recipe, to_file_name

TRACKS = list(WHOLE.tracks())
TITLES = {track.song.title for track in TRACKS}


@pytest.mark.parametrize("recipe", [WHOLE, SMALL])
def test_every_path_can_be_a_file_and_is_one_files_alone(recipe: Recipe) -> None:
    paths = [track.path for track in recipe.tracks()] + [one.path for one in recipe.episodes()]

    assert len(paths) == len(set(paths))
    for path in paths_of(recipe):
        parts = path.split("/")
        assert all(0 < len(part.encode()) <= 255 for part in parts)
        assert not {".", ".."} & set(parts)


def test_it_is_a_library_of_some_size_in_every_format() -> None:
    assert 60 <= len(TRACKS) <= 70
    assert {track.album.codec for track in TRACKS} == set(AlbumCodec)
    assert len(WHOLE.films) == 2
    assert Counter(one.season for one in WHOLE.episodes()) == {1: 3, 2: 3}


def test_two_artists_have_a_greatest_hits_each() -> None:
    hits = [album for album in WHOLE.albums if album.title == "Greatest Hits"]
    assert len({album.artists for album in hits}) == 2


def test_both_discs_begin_with_an_intro_and_another_album_has_disc_folders() -> None:
    intros = [track for track in TRACKS if track.song.title == "Intro"]
    assert [(track.disc, track.number) for track in intros] == [(1, 1), (2, 1)]
    assert [track.path.split("/")[-1] for track in intros] == [
        "1-01 - Intro.flac",
        "2-01 - Intro.flac",
    ]
    assert any("/Disc 2/01 - " in track.path for track in TRACKS)


def test_a_compilation_a_song_of_several_and_a_song_without_tags_are_there() -> None:
    various = [track for track in TRACKS if track.album.artists == ("Various Artists",)]
    assert len({track.artists for track in various}) == len(various)
    assert any(len(track.artists) > 2 for track in TRACKS)
    assert sum(not track.is_tagged for track in TRACKS) == 1
    assert sum(track.song.lyrics is not None for track in TRACKS) == 1


def test_the_awkward_titles_are_there() -> None:
    assert {"CON", "NUL", "What?", "Full Stop.", "Trailing Space "} <= TITLES
    assert {"Morning", "MORNING", '<b>bold</b> & "quotes"', "🦊🌙✨"} <= TITLES
    assert max(len(title.encode()) for title in TITLES) == 250
    assert any("/" in artist for track in TRACKS for artist in track.artists)
    assert any("\u0600" <= title[0] <= "\u06ff" for title in TITLES), "right to left"
    assert any(len(title.split()) == 10 and title[2] >= "\u3040" for title in TITLES), "Japanese"
    assert any(not is_normalized("NFC", title) for title in TITLES)
    assert any(normalize("NFD", title) != title for title in TITLES)


def test_the_road_trip_is_anns_with_eight_songs_of_many_albums_and_one_twice() -> None:
    road_trip, long_drive = WHOLE.playlists

    paths = road_trip.paths()
    assert (road_trip.owner, long_drive.owner) == ("ann", "admin")
    assert (len(paths), len(set(paths))) == (8, 7)
    assert len({path.rpartition("/")[0] for path in paths}) >= 6
    assert {*paths, *long_drive.paths()} <= {track.path for track in TRACKS}


def test_a_name_that_is_too_long_keeps_its_ending_and_whole_letters() -> None:
    name = to_file_name("ø" * 200, ".flac", spare=5)

    assert name == "ø" * 122 + ".flac"
    assert to_file_name("AC/DC: What? ") == "AC_DC: What? "
