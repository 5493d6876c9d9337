"""The making of the demo's media, with a real ffmpeg and a library of three songs and a film."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sidecar.demo.content.albums import STORM
from sidecar.demo.content.ffmpeg import (
    ENCODERS,
    FfmpegFailed,
    FfmpegMissing,
    MediaCancelled,
    bundled_ffmpeg,
    find_ffmpeg,
    run_ffmpeg,
    system_ffmpeg,
)
from sidecar.demo.content.libraries import SMALL
from sidecar.demo.content.media import NotOurFolder, make_library
from sidecar.demo.content.recipe import Album, AlbumCodec, PlaylistRecipe, Recipe, Song

ALBUM = "Music/The Sine Waves/Three Sketches (2016)"
PENCIL, INK, CHALK = (
    f"{ALBUM}/{name}.flac" for name in ("01 - Pencil", "02 - Ink_Water", "03 - Chalk?")
)
FILM = "Movies/Flip Book (2016)/Flip Book (2016).mkv"
COVER, POSTER = f"{ALBUM}/cover.jpg", "Movies/Flip Book (2016)/poster.jpg"
MEDIA = {PENCIL, INK, CHALK, FILM, COVER, POSTER}


@pytest.fixture(scope="module")
def progress() -> list[tuple[int, int, str]]:
    """Return what was told while the library was made."""
    return []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, progress: list[tuple[int, int, str]]) -> Path:
    folder = tmp_path_factory.mktemp("made") / "library"
    make_library(folder, recipe=SMALL, progress=lambda *one: progress.append(one))
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A copy of the finished library, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "library"))


def bytes_by_path(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def listed(folder: Path) -> dict[str, Any]:
    written = json.loads((folder / "library.json").read_text(encoding="utf-8"))
    assert isinstance(written, dict)
    return written


def probe(file: Path) -> dict[str, Any]:
    """Return ffprobe's own reading of a file."""
    shown = ("-show_format", "-show_streams", "-of", "json")
    words = ["ffprobe", "-v", "error", *shown, str(file)]
    found = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert isinstance(found, dict)
    return found


def a_program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_it_makes_everything_and_leaves_nothing_else_behind(made: Path) -> None:
    assert set(bytes_by_path(made)) == MEDIA | {"library.json", ".recipe"}
    assert not (made / ".making").exists()


def test_the_listing_says_what_is_there(made: Path) -> None:
    written = listed(made)

    assert written["version"] == SMALL.version
    assert written["libraries"] == [
        {"name": "Music", "collection_type": "music", "path": "Music"},
        {"name": "Movies", "collection_type": "movies", "path": "Movies"},
        {"name": "Shows", "collection_type": "tvshows", "path": "Shows"},
    ]
    assert written["covers"] == {ALBUM: COVER, "Movies/Flip Book (2016)": POSTER}
    assert written["playlists"] == [
        {"name": "Road trip", "owner": "ann", "tracks": [CHALK, PENCIL]}
    ]
    assert [track["path"] for track in written["tracks"]] == [PENCIL, INK, CHALK]
    assert written["tracks"][1] == {
        "path": INK,
        "title": "Ink/Water",
        "artists": ["The Sine Waves"],
        "album": "Three Sketches",
        "album_artists": ["The Sine Waves"],
        "track": 2,
        "disc": 1,
        "year": 2016,
        "genres": ["Ambient"],
        "seconds": 11.0,
        "codec": "flac",
        "bitrate": round((made / INK).stat().st_size * 8 / 11),
        "sample_rate": 44_100,
        "channels": 2,
        "bit_depth": 16,
        "lyrics": None,
    }
    assert written["films"] == [
        {
            "path": FILM,
            "title": "Flip Book",
            "year": 2016,
            "seconds": 10.0,
            "width": 320,
            "height": 180,
            "codec": "h264",
        }
    ]


def test_a_track_is_what_the_listing_says_with_its_cover_inside(made: Path) -> None:
    found = probe(made / INK)

    sound, picture = found["streams"]
    assert (sound["codec_name"], sound["sample_rate"], sound["channels"]) == ("flac", "44100", 2)
    assert float(found["format"]["duration"]) == pytest.approx(11.0, abs=0.05)
    assert (
        found["format"]["tags"].items()
        >= {
            "title": "Ink/Water",
            "artist": "The Sine Waves",
            "album": "Three Sketches",
            "track": "2",
            "date": "2016",
        }.items()
    )
    assert (picture["codec_name"], picture["width"], picture["height"]) == ("mjpeg", 500, 500)
    assert picture["disposition"]["attached_pic"] == 1


def test_a_film_has_a_picture_and_a_sound(made: Path) -> None:
    found = probe(made / FILM)

    picture, sound = found["streams"]
    assert (picture["codec_name"], picture["width"], picture["height"]) == ("h264", 320, 180)
    assert sound["codec_name"] == "aac"
    assert float(found["format"]["duration"]) == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("codec", [AlbumCodec.MP3, AlbumCodec.OPUS, AlbumCodec.AAC])
def test_every_format_carries_tags_and_a_cover(tmp_path: Path, codec: AlbumCodec) -> None:
    colours = ((250, 200, 10), (10, 60, 90))
    song = Song('<b>朝</b> & "quotes" ', 5, artists=("One", "Two"), lyrics="[00:01.00]La")
    album = Album("A=B; C", ("Me",), 2001, ("Folk",), codec, colours, ((song,),))

    make_library(tmp_path, recipe=Recipe("one", 1, (album,)))

    (track,) = listed(tmp_path)["tracks"]
    found = probe(tmp_path / track["path"])
    tags = {**found["format"].get("tags", {}), **found["streams"][0].get("tags", {})}
    assert track["codec"] == found["streams"][0]["codec_name"]
    assert int(found["streams"][0]["sample_rate"]) == track["sample_rate"]
    assert (tags["title"], tags["album"], tags["artist"]) == (song.title, "A=B; C", "One; Two")
    assert [one["disposition"]["attached_pic"] for one in found["streams"]] == [0, 1]


def test_loose_files_carry_nothing(tmp_path: Path) -> None:
    grey = ((9, 9, 9), (99, 99, 99))
    loose = Album(None, (), None, (), AlbumCodec.MP3, grey, ((Song("recording 7", 5),),))

    make_library(tmp_path, recipe=Recipe("loose", 1, (loose,)))

    (track,) = listed(tmp_path)["tracks"]
    found = probe(tmp_path / track["path"])
    assert track["path"] == "Music/Loose recordings/recording 7.mp3"
    assert (track["album"], track["artists"], track["track"]) == (None, [], None)
    assert listed(tmp_path)["covers"] == {}
    assert "title" not in found["format"].get("tags", {})
    assert len(found["streams"]) == 1


def test_a_finished_library_is_left_alone_even_without_ffmpeg(library: Path) -> None:
    (library / PENCIL).unlink()
    before = bytes_by_path(library)

    make_library(library, recipe=SMALL, ffmpeg="/nowhere/ffmpeg")

    assert bytes_by_path(library) == before


def test_an_interrupted_library_is_completed_and_what_was_whole_is_kept(library: Path) -> None:
    whole = bytes_by_path(library)
    (library / "library.json").unlink()
    (library / INK).unlink()
    (library / CHALK).write_bytes(b"kept as it is")
    (library / ".making").mkdir()
    (library / ".making" / "0").write_bytes(b"half a file")

    make_library(library, recipe=SMALL)

    assert bytes_by_path(library) == {
        **whole,
        CHALK: b"kept as it is",
        "library.json": (library / "library.json").read_bytes(),
    }


def test_it_stops_when_asked_with_nothing_half_made_and_goes_on_later_with_the_same_bytes(
    made: Path, tmp_path: Path
) -> None:
    stop = Event()

    def stop_after_the_first(done: int, _total: int, _path: str) -> None:
        if done:
            stop.set()

    with pytest.raises(MediaCancelled, match="next start"):
        make_library(tmp_path, recipe=SMALL, stop=stop, progress=stop_after_the_first)

    whole, begun = bytes_by_path(made), bytes_by_path(tmp_path)
    assert "library.json" not in begun
    assert begun.items() <= whole.items()
    assert len(begun) < len(whole)

    make_library(tmp_path, recipe=SMALL)
    assert bytes_by_path(tmp_path) == whole


def test_a_stop_ends_a_running_ffmpeg(tmp_path: Path) -> None:
    class SetAtTheThirdLook(Event):
        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks >= 3

    slow = a_program(tmp_path / "slow", "exec sleep 50")

    with pytest.raises(MediaCancelled):
        run_ffmpeg(slow, [], what="a song", stop=SetAtTheThirdLook())


def test_progress_counts_every_file_once(made: Path, progress: list[tuple[int, int, str]]) -> None:
    assert [(done, total) for done, total, _ in progress] == [(n, 6) for n in range(7)]
    assert {path for *_, path in progress[1:]} == MEDIA


def test_a_higher_version_makes_everything_again_and_drops_what_it_no_longer_has(
    library: Path,
) -> None:
    (library / PENCIL).write_bytes(b"of the old version")
    (library / ALBUM / "notes.txt").write_text("a person's own")
    album = SMALL.albums[0]
    shorter = replace(album, discs=(album.discs[0][:1],))

    make_library(library, recipe=Recipe("small", SMALL.version + 1, (shorter,)))

    found = bytes_by_path(library)
    assert set(found) == {PENCIL, COVER, f"{ALBUM}/notes.txt", "library.json", ".recipe"}
    assert found[PENCIL].startswith(b"fLaC")
    assert listed(library)["version"] == SMALL.version + 1


def test_a_listing_cannot_make_it_delete_outside_its_folder(library: Path) -> None:
    outside = library.parent / "outside.flac"
    outside.write_bytes(b"precious")
    written = listed(library)
    written["tracks"][0]["path"] = "../outside.flac"
    written["tracks"][1]["path"] = str(outside)
    (library / "library.json").write_text(json.dumps(written))

    make_library(library, recipe=Recipe("small", SMALL.version + 1, ()))

    assert outside.read_bytes() == b"precious"


def test_somebodys_own_music_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "Music").mkdir()
    (tmp_path / "Music" / "mine.flac").write_bytes(b"mine")

    with pytest.raises(NotOurFolder, match="Nothing was changed"):
        make_library(tmp_path, recipe=SMALL)

    assert bytes_by_path(tmp_path) == {"Music/mine.flac": b"mine"}


def test_a_listing_written_by_hand_is_respected(tmp_path: Path) -> None:
    (tmp_path / "Music").mkdir()
    (tmp_path / "library.json").write_text("{}")

    make_library(tmp_path, recipe=SMALL)

    assert bytes_by_path(tmp_path) == {"library.json": b"{}"}


def test_a_file_that_ffmpeg_refuses_is_named_with_ffmpegs_last_words(tmp_path: Path) -> None:
    broken = a_program(
        tmp_path / "broken",
        f'[ "$2" = -encoders ] && {_all_encoders()} && exit 0; echo first >&2; '
        "echo 'No space left on device' >&2; exit 1",
    )

    with pytest.raises(FfmpegFailed, match=r"could not make .*\.jpg: No space left on device"):
        make_library(tmp_path / "library", recipe=SMALL, ffmpeg=broken)

    assert set(bytes_by_path(tmp_path / "library")) == {".recipe"}


def test_an_ffmpeg_that_dies_without_a_word_is_told_by_its_exit_code(tmp_path: Path) -> None:
    killed = a_program(tmp_path / "killed", "kill -9 $$")

    with pytest.raises(FfmpegFailed, match=r"could not make a song: it ended with -9"):
        run_ffmpeg(killed, [], what="a song", stop=Event())


def _all_encoders() -> str:
    lines = "\\n".join(f" A..... {name} words" for name in ENCODERS)
    return f'printf "{lines}\\n"'


def test_without_any_ffmpeg_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(FfmpegMissing, match="none on this machine") as missing:
        find_ffmpeg(places=(lambda: None,))

    assert "apt install ffmpeg" in str(missing.value)
    assert "imageio-ffmpeg" in str(missing.value)


def test_an_ffmpeg_that_lacks_an_encoder_is_passed_over(tmp_path: Path) -> None:
    poor = a_program(tmp_path / "poor", 'echo " A..... flac FLAC"')
    good = a_program(tmp_path / "good", _all_encoders())

    assert find_ffmpeg(places=(lambda: poor, lambda: good)) == good
    with pytest.raises(FfmpegMissing, match="no encoder libmp3lame, libopus"):
        find_ffmpeg(poor)


@pytest.mark.parametrize("script", ["exit 3", "echo hello"])
def test_a_program_that_is_no_ffmpeg_is_refused_in_words(tmp_path: Path, script: str) -> None:
    with pytest.raises(FfmpegMissing, match="cannot be used"):
        find_ffmpeg(a_program(tmp_path / "odd", script))


def test_a_named_program_that_is_not_there_is_refused_in_words() -> None:
    with pytest.raises(FfmpegMissing, match="No such file or directory"):
        find_ffmpeg("/nowhere/ffmpeg")


@pytest.mark.slow
@pytest.mark.parametrize("place", [system_ffmpeg, bundled_ffmpeg])
def test_both_ffmpegs_can_make_every_format(
    tmp_path: Path, place: Callable[[], str | None]
) -> None:
    program = place()
    if program is None:
        pytest.skip("this machine has no such ffmpeg")
    song, colours = Song("Song", 5), SMALL.albums[0].colours
    albums = tuple(
        Album(f"In {one}", ("Me",), 2001, (), one, colours, ((song,),)) for one in AlbumCodec
    )
    films = tuple(replace(SMALL.films[0], ending=ending, seconds=5) for ending in (".mkv", ".mp4"))

    make_library(tmp_path, recipe=Recipe("formats", 1, albums, films), ffmpeg=program)

    written = listed(tmp_path)
    for entry in [*written["tracks"], *written["films"]]:
        length = float(probe(tmp_path / entry["path"])["format"]["duration"])
        assert length == pytest.approx(5.0, abs=0.1)


@pytest.mark.slow
def test_one_file_is_larger_than_a_hundred_megabytes(tmp_path: Path) -> None:
    make_library(
        tmp_path, recipe=Recipe("storm", 1, (STORM,), playlists=(PlaylistRecipe("", "", ()),))
    )

    sizes = [file.stat().st_size for file in tmp_path.rglob("*.flac")]
    assert 100 * 2**20 < max(sizes) < 130 * 2**20
