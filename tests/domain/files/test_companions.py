from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.files.catalogue import COVERS
from sidecar.domain.files.companions import (
    CompanionKind,
    LyricLine,
    Subtitle,
    companion_kind,
    cover_path,
    has_cover_name,
    is_orphaned,
    lyrics_path,
    media_stems,
    render_lrc,
    subtitle_paths,
)
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.items.item import ItemType

TRACK = "The Sine Waves/First Light (2019)/1-01 - Tone 1.flac"
FILM = "Colour Bars (1995)/Colour Bars (1995).mkv"
TIMED = re.compile(r"\[(\d\d+):(\d\d)\.(\d\d)\](.*)")


@given(st.lists(st.tuples(st.floats(0, 36_000), st.text(max_size=20))))
def test_timed_lyrics_are_read_back_as_they_were(lines: list[tuple[float, str]]) -> None:
    written = render_lrc([LyricLine(text, start) for start, text in lines])

    read = [TIMED.fullmatch(one) for one in written.split("\n")[:-1]]
    assert len(read) == len(lines)
    for found, (start, text) in zip(read, lines, strict=True):
        assert found is not None
        at = int(found[1]) * 60 + int(found[2]) + int(found[3]) / 100
        assert at == pytest.approx(start, abs=0.0051)
        assert found[4] == re.sub(r"[\r\n]+", " ", text)


def test_lyrics_without_times_are_the_lines_alone() -> None:
    words = [LyricLine("<00:01.00>One <00:01.50>tone", 1.0)]
    assert render_lrc(words) == "[00:01.00]One tone\n"
    assert render_lrc(words, knows_words=True) == "[00:01.00]<00:01.00>One <00:01.50>tone\n"
    assert render_lrc([LyricLine("One"), LyricLine(""), LyricLine("Two")]) == "One\n\nTwo\n"


def test_covers_lie_in_the_folder_of_what_has_one() -> None:
    assert cover_path(TRACK, ItemType.AUDIO) == "The Sine Waves/First Light (2019)/cover.jpg"
    assert cover_path(FILM, ItemType.MOVIE) == "Colour Bars (1995)/poster.jpg"
    assert cover_path("S/Season 01/S - S01E01.mkv", ItemType.EPISODE) is None
    assert cover_path("loose.mp3", ItemType.AUDIO) is None
    assert cover_path("A/B/x.mp3", ItemType.AUDIO, "folder.jpg") == "A/B/folder.jpg"
    assert cover_path("F/x.mkv", ItemType.MOVIE, "folder.jpg") == "F/poster.jpg"


@pytest.mark.parametrize("preset", PresetName)
def test_every_preset_names_its_covers_as_one_of_the_known_ones(preset: PresetName) -> None:
    name = PRESETS[preset].cover_name

    assert has_cover_name(f"A/{name}")
    assert name == {"car": "folder.jpg", "android": "AlbumArt.jpg"}.get(preset, "cover.jpg")
    assert name in COVERS


def test_texts_are_called_as_players_read_them() -> None:
    found = subtitle_paths(
        FILM,
        [
            Subtitle(index=2, codec="subrip", language="de", is_forced=True),
            Subtitle(index=3, codec="ass", language="en", is_for_deaf=True),
            Subtitle(index=4, codec="subrip", language="../../etc"),
            Subtitle(index=5, codec="pgssub", language="de"),
        ],
    )

    stem = "Colour Bars (1995)/Colour Bars (1995)"
    assert list(found) == [f"{stem}.de.forced.srt", f"{stem}.en.sdh.ass", f"{stem}.srt"]
    assert lyrics_path(TRACK) == "The Sine Waves/First Light (2019)/1-01 - Tone 1.lrc"


@pytest.mark.parametrize(
    ("subtitles", "endings"),
    [
        ([("de", None), ("de", "Commentary")], ["de", "Commentary.de"]),
        ([("de", "Full"), ("de", "Commentary v1.2")], ["Full.de", "Commentary v1 2.de"]),
        ([("de", None), ("de", None), ("DE", None)], ["de", "de.2", "DE.3"]),
        ([("de", "Same"), ("de", "same")], ["Same.de", "same.de.2"]),
        ([("de", "Only"), ("en", "../x")], ["de", "en"]),
        ([("de", "../x"), ("de", " ")], ["_x.de", "de"]),
        ([("de", "x" * 60), ("de", None)], [f"{'x' * 40}.de", "de"]),
        ([(None, None), (None, "Signs")], ["", "Signs"]),
    ],
)
def test_two_texts_of_one_language_have_titles_or_numbers(
    subtitles: list[tuple[str | None, str | None]], endings: list[str]
) -> None:
    listed = [
        Subtitle(index=index, codec="srt", language=language, title=title)
        for index, (language, title) in enumerate(subtitles)
    ]

    found = subtitle_paths(FILM, listed)

    stem = FILM.removesuffix(".mkv")
    assert list(found) == [f"{'.'.join(filter(None, (stem, one)))}.srt" for one in endings]
    assert list(found.values()) == listed
    assert not any(is_orphaned(one, media_stems([FILM])) for one in found)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("A/Folder.jpg", CompanionKind.COVER),
        ("A/AlbumArt.jpg", CompanionKind.COVER),
        ("A/cover.jpg", CompanionKind.COVER),
        ("F/poster.jpg", CompanionKind.COVER),
        ("A/x.lrc", CompanionKind.LYRICS),
        ("F/x.de.srt", CompanionKind.SUBTITLES),
        ("Playlists/x.m3u8", None),
        (".sidecar/manifest.json", None),
        ("A/other.jpg", None),
    ],
)
def test_what_lies_beside_is_known_by_its_name(path: str, kind: CompanionKind | None) -> None:
    assert companion_kind(path) is kind


def test_what_belongs_to_nothing_is_left() -> None:
    there = media_stems(["A/B/1.5 - x.flac", FILM])

    kept = ["A/B/1.5 - x.lrc", "A/B/cover.jpg", f"{FILM[:-4]}.de.forced.srt"]
    gone = ["A/B/2 - y.lrc", "A/C/cover.jpg", "Other (1995)/Other (1995).de.srt"]
    assert [is_orphaned(one, there) for one in kept] == [False] * 3
    assert [is_orphaned(one, there) for one in gone] == [True] * 3
