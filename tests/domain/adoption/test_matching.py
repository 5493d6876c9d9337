from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.adoption.matching import (
    LibraryIndex,
    Tags,
    choose_samples,
    guess,
    has_tags_of,
    is_media,
)
from sidecar.domain.files.naming import build_path
from tests.domain.examples import TONE

TWIN = replace(TONE, id="2" * 32, album="Dark")
TAGS = Tags(title="Tone 1", artist="Ann; Ben", album="Light", number=1, seconds=27.4)
ITEMS = {one.id: one for one in (TONE, TWIN)}


@pytest.mark.parametrize(
    ("path", "size", "tags", "sure", "ids"),
    [
        (build_path(TONE), 1000, None, True, "1"),
        (build_path(TONE).upper(), 1000, None, True, "1"),
        ("Ann - Light/1-01 Tone 1.flac", 1000, None, True, "1"),
        (build_path(TONE), 999, None, None, ""),
        (build_path(TONE), 999, TAGS, None, ""),
        ("x/y.flac", 1000, None, None, ""),
        ("x/y.flac", 1000, TAGS, True, "1"),
        ("x/y.flac", 1000, replace(TAGS, album=None), False, "12"),
        ("x/y.flac", 1000, replace(TAGS, artist="Carl"), False, "12"),
        ("x/y.flac", 1001, TAGS, None, ""),
    ],
)
def test_what_a_file_may_be(
    path: str, size: int, tags: Tags | None, *, sure: bool | None, ids: str
) -> None:
    found = guess(path, size, tags, list(ITEMS), ITEMS)

    assert (found.is_sure if found else None) is sure
    assert "".join(one.id[0] for one in (found.items if found else ())) == ids


def test_only_its_title_is_not_enough_to_be_sure() -> None:
    found = guess("x.flac", 1000, Tags(title="Tone 1"), ["1" * 32], ITEMS)

    assert found is not None
    assert not found.is_sure


@pytest.mark.parametrize(
    ("tags", "alike"),
    [
        (TAGS, True),
        (replace(TAGS, artist=None, album_artist="ANN"), True),
        (replace(TAGS, number=None, seconds=None), True),
        (replace(TAGS, number=2), False),
        (replace(TAGS, seconds=31.0), False),
        (replace(TAGS, title="Tone"), False),
        (replace(TAGS, title=None), False),
        (replace(TAGS, album=None), False),
        (replace(TAGS, artist=None), False),
    ],
)
def test_all_tags_that_are_known_must_agree(tags: Tags, *, alike: bool) -> None:
    assert has_tags_of(TONE, tags) is alike


def test_items_are_found_by_place_whatever_the_extension_and_by_title() -> None:
    catalogue = LibraryIndex([replace(TONE, extension=None), TWIN])

    assert catalogue.find_by_path(build_path(TONE)) == ["1" * 32]
    assert catalogue.find_by_path("x.flac") == ()
    assert catalogue.find_by_title(Tags(title="TONE  1")) == ["1" * 32, "2" * 32]
    assert catalogue.find_by_title(Tags()) == ()


def test_media_are_known_by_their_names() -> None:
    assert is_media("a/b.FLAC")
    assert not is_media("a/b.jpg")
    assert not is_media("flac")


@given(st.integers(0, 10**7))
def test_samples_lie_inside_the_file_and_have_its_two_ends(size: int) -> None:
    samples = choose_samples(size)

    assert all(start >= 0 and start + length <= size for start, length in samples)
    if size:
        assert samples[0][0] == 0
        assert sum(samples[-1]) == size
        assert sum(length for _, length in samples) == min(size, 3 * 64 * 1024)
