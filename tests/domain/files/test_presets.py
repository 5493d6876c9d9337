"""What the table promises of every preset: names that fit, folders that are not too full."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.files.folders import PlannedFolders, find_paths
from sidecar.domain.files.naming import (
    build_path,
    make_path_key,
    with_extension,
)
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.files.truncate import count_units
from sidecar.domain.items.item import Item, ItemType
from tests.domain.files.test_naming import (
    DAILY,
    EPISODE,
    FILM,
    ID,
    TRACK,
    VIDEO,
    items,
    problems,
)

CAR = PRESETS[PresetName.CAR].shape
LONGEST = 64


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (TRACK, "Sigur Rós - Takk…/1-02 Glósóli.flac"),
        (replace(TRACK, disc=None), "Sigur Rós - Takk…/02 Glósóli.flac"),
        (replace(TRACK, number=None), "Sigur Rós - Takk…/Glósóli.flac"),
        (replace(TRACK, album=None), "Sigur Rós - Unknown Album/1-02 Glósóli.flac"),
        (EPISODE, "The Line - Season 01/S01E02 The Hub.mkv"),
        (replace(EPISODE, disc=0), "The Line - Specials/S00E02 The Hub.mkv"),
        (replace(EPISODE, number=None), "The Line - Season 01/The Hub.mkv"),
        (replace(EPISODE, number_end=3), "The Line - Season 01/S01E02-E03 The Hub.mkv"),
        (replace(EPISODE, title="Episode 2"), "The Line - Season 01/S01E02.mkv"),
        (DAILY, "Daily Show - 2024/2024-05-06.mkv"),
        (replace(DAILY, title="Guest"), "Daily Show - 2024/2024-05-06 Guest.mkv"),
        (
            replace(DAILY, title="Daily Show", aired=None),
            "Daily Show - Season Unknown/Daily Show.mkv",
        ),
        (VIDEO, "Band A - Hit/Band A - Hit.mp4"),
        (FILM, "Stalker (1979)/Stalker (1979).mkv"),
        (
            Item(id=ID, type=ItemType.AUDIO_BOOK, title="Emma", artist="Jane Austen"),
            "Jane Austen - Emma/Emma.bin",
        ),
    ],
)
def test_a_car_finds_files_in_one_level_of_folders(item: Item, path: str) -> None:
    assert build_path(item, CAR) == path


@given(items, st.integers(0, 3), st.sampled_from(["flac", "opus", "m4a", "mp3"]))
def test_no_name_is_too_long_for_a_car_whatever_is_added_to_it(
    item: Item, others_of_its_name: int, extension: str
) -> None:
    known = replace(item, extension="flac", album_id="a" * 32, series_id="b" * 32)
    there = PlannedFolders()
    for number in range(others_of_its_name):
        there.add(next(find_paths(known, there, CAR)), f"{number}" * 32)
    paths = list(find_paths(known, there, CAR))

    for one in (*paths, *(with_extension(path, extension) for path in paths)):
        parts = one.split("/")
        assert len(parts) == 2
        assert max(map(count_units, parts)) <= LONGEST
        assert not any(map(problems, parts))


@given(st.text("ab ", min_size=60, max_size=90), st.text("ab ", min_size=60, max_size=90))
def test_two_long_names_stay_two(one: str, other: str) -> None:
    paths = [build_path(replace(TRACK, title=title), CAR) for title in (one, other)]

    are_same = " ".join(one.split()) == " ".join(other.split())
    assert (make_path_key(paths[0]) == make_path_key(paths[1])) is are_same


def test_every_preset_is_in_the_table_and_in_the_example() -> None:
    assert set(PRESETS) == set(PresetName)
    example = (Path(__file__).parents[3] / "config.example.toml").read_text("utf-8")
    for name in PresetName:
        assert f'"{name}"' in example


@pytest.mark.parametrize("name", PresetName)
def test_every_preset_can_be_carried_out(name: PresetName) -> None:
    preset = PRESETS[name]

    assert preset.extension in {"m3u", "m3u8"}
    assert preset.line_end in {"\n", "\r\n"}
    assert preset.cover_pixels >= 240
    # Of what is written before the first path, a mark spoils only the first line.
    assert preset.shape.most_in_folder is None or preset.shape.most_in_folder > 1
