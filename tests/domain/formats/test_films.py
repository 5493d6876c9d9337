from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.domain.formats.films import (
    FilmFormat,
    FilmProperties,
    FilmTarget,
    choose_film_target,
    choose_kbits,
    explain_fitting,
    is_picture_fitting,
    read_film_target,
    read_languages,
)
from sidecar.domain.formats.formats import ORIGINAL, Format, Target, name_for, read_any_target
from sidecar.domain.items.item import ItemType

HD = FilmTarget(FilmFormat.HD)
FULL_HD = FilmTarget(FilmFormat.FULL_HD)
HOUR = 3600.0
PLAYABLE = FilmProperties(
    containers=frozenset({"mov", "mp4", "m4a"}),
    codec="h264",
    pixels="yuv420p",
    width=1280,
    height=720,
    bitrate=3_000_000,
    sounds=("aac",),
)


def test_the_stored_name_stands_for_the_whole_target() -> None:
    for target, name in (
        (HD, "h264-720p"),
        (FilmTarget(FilmFormat.FULL_HD, ("de", "en")), "h264-1080p-a.de.en"),
        (FilmTarget(FilmFormat.HD, (), ("de",)), "h264-720p-s.de"),
        (FilmTarget(FilmFormat.HD, ("en",), ("de", "fr")), "h264-720p-a.en-s.de.fr"),
    ):
        assert target.name == name
        assert read_film_target(name) == read_any_target(name) == target
    for odd in ("h264-480p", "h264-720p-a.", "h264-720p-a..", "original", "opus-128k", ""):
        assert read_film_target(odd) is None
    assert read_any_target("opus-128k") == Target(Format.OPUS, 128)


def test_films_follow_their_own_setting_and_music_its_own() -> None:
    opus = Target(Format.OPUS, 128)
    for kind in (ItemType.MOVIE, ItemType.EPISODE, ItemType.MUSIC_VIDEO, ItemType.VIDEO):
        assert name_for(opus, kind, film=HD) == "h264-720p"
        assert name_for(opus, kind, completes_tags=True) == ORIGINAL
    assert name_for(opus, ItemType.AUDIO, film=HD) == "opus-128k"
    assert name_for(None, ItemType.AUDIO, film=HD) == ORIGINAL


def test_languages_are_codes_in_the_order_that_is_wanted() -> None:
    assert read_languages(" de, EN ,de") == ("de", "en")
    assert read_languages(None) == read_languages("") == ()
    assert choose_film_target(FilmFormat.ORIGINAL, "de", None) is None
    assert choose_film_target(FilmFormat.HD, "de", "eng") == FilmTarget(
        FilmFormat.HD, ("de",), ("eng",)
    )
    for odd in ("german", "d", "de en", "de;en", "de,en,fr,it,es,pt,nl,sv,pl"):
        with pytest.raises(ValueError, match="codes of languages"):
            read_languages(odd)


def test_what_the_player_takes_stays() -> None:
    assert explain_fitting(PLAYABLE, HD) == "Kept as is: players of MP4 720p play it"
    assert explain_fitting(replace(PLAYABLE, sounds=()), HD) is not None


@pytest.mark.parametrize(
    ("film", "is_picture"),
    [
        (replace(PLAYABLE, codec="hevc"), False),
        (replace(PLAYABLE, pixels="yuv420p10le"), False),
        (replace(PLAYABLE, is_interlaced=True), False),
        (replace(PLAYABLE, width=1920, height=1080), False),
        (replace(PLAYABLE, bitrate=9_000_000), False),
        (replace(PLAYABLE, containers=frozenset({"matroska", "webm"})), True),
        (replace(PLAYABLE, sounds=("aac", "ac3")), True),
    ],
)
def test_what_it_does_not_take_is_converted_and_the_picture_only_if_need_be(
    film: FilmProperties, is_picture: bool
) -> None:
    assert explain_fitting(film, HD) is None
    assert is_picture_fitting(film, HD) == is_picture


def test_an_hour_in_1080p_stays_with_a_player_of_1080p_only() -> None:
    film = replace(PLAYABLE, width=1920, height=1080, bitrate=9_000_000)

    assert explain_fitting(film, FULL_HD) is not None
    assert explain_fitting(film, HD) is None


def test_an_estimate_is_never_less_than_what_comes() -> None:
    likely = HOUR * (2500 + 160) * 1000 / 8
    # Certainly converted: above 5 Mbit/s.
    assert HD.estimate(seconds=HOUR, source_size=10**10) == pytest.approx(likely, rel=0.1)
    # It may stay as it is, or the picture may.
    assert HD.estimate(seconds=HOUR, source_size=2 * 10**9) == 2 * 10**9
    # Small files grow a little in the older codec, no more.
    assert HD.estimate(seconds=HOUR, source_size=4 * 10**8) == 6 * 10**8
    assert HD.estimate(seconds=HOUR, source_size=None) == pytest.approx(likely, rel=0.1)
    assert HD.estimate(seconds=None, source_size=5) == 5
    assert HD.work_bytes(7) == 7


def test_the_bitrate_follows_the_target_but_not_far_above_the_source() -> None:
    assert choose_kbits(replace(PLAYABLE, bitrate=40_000_000), HD) == 2500
    assert choose_kbits(replace(PLAYABLE, bitrate=1_000_000), HD) == 1340
    assert choose_kbits(replace(PLAYABLE, bitrate=10_000), HD) == 200
