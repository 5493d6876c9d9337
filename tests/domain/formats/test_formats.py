from __future__ import annotations

import pytest

from sidecar.domain.formats.formats import (
    CODECS,
    ORIGINAL,
    AudioProperties,
    Format,
    Target,
    choose_target,
    explain_unconverted,
    is_small_enough,
    name_for,
    read_target,
)
from sidecar.domain.items.item import ItemType

OPUS = Target(Format.OPUS, 128)


def a_sound(codec: str, kbits: float | None) -> AudioProperties:
    bitrate = None if kbits is None else kbits * 1000
    return AudioProperties(codec=codec, bitrate=bitrate, seconds=180.0, channels=2, size=3_000_000)


def test_each_format_has_a_usual_bitrate_within_its_limits() -> None:
    for one, codec in CODECS.items():
        assert choose_target(one, None) == Target(one, codec.usual)
        assert codec.least <= codec.usual <= codec.most
    assert choose_target(Format.ORIGINAL, None) is None


@pytest.mark.parametrize("text", ["128k", "128K", " 128 k", "128kbit/s", "128kbps"])
def test_a_bitrate_may_be_written_as_people_write_it(text: str) -> None:
    assert choose_target(Format.OPUS, text) == OPUS


@pytest.mark.parametrize("text", ["", "128", "128M", "fast", "-1k", "99999k"])
def test_what_is_no_bitrate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='such as "128k"'):
        choose_target(Format.OPUS, text)


@pytest.mark.parametrize(("wanted", "text"), [(Format.OPUS, "320k"), (Format.MP3, "32k")])
def test_a_bitrate_beyond_the_limits_is_refused_and_they_are_named(
    wanted: Format, text: str
) -> None:
    with pytest.raises(ValueError, match=r"must be from \d+k to \d+k"):
        choose_target(wanted, text)


def test_a_stored_name_is_read_back() -> None:
    for one in CODECS:
        target = choose_target(one, None)
        assert target is not None
        assert read_target(target.name) == target
    for odd in (ORIGINAL, "", "opus", "opus-", "flac-9k", "opus-128k-2"):
        assert read_target(odd) is None


def test_a_format_of_music_is_for_music_only() -> None:
    assert name_for(OPUS, ItemType.AUDIO) == name_for(OPUS, ItemType.AUDIO_BOOK) == "opus-128k"
    for kind in (ItemType.MOVIE, ItemType.EPISODE, ItemType.MUSIC_VIDEO, ItemType.VIDEO):
        assert name_for(OPUS, kind) == ORIGINAL
    assert name_for(None, ItemType.AUDIO) == ORIGINAL


def test_an_estimate_follows_the_length_and_is_never_more_than_the_original() -> None:
    assert OPUS.estimate(seconds=240, source_size=30_000_000) == pytest.approx(
        240 * 16_000, rel=0.1
    )
    assert OPUS.estimate(seconds=240, source_size=1_000_000) == 1_000_000
    assert OPUS.estimate(seconds=None, source_size=30_000_000) == 30_000_000
    assert OPUS.estimate(seconds=None, source_size=None) is None


@pytest.mark.parametrize("codec", ["flac", "alac", "pcm_s16le", "wavpack", "ape", "dsd_lsbf"])
def test_a_lossless_file_is_always_tried(codec: str) -> None:
    assert explain_unconverted(a_sound(codec, 60), OPUS) is None


@pytest.mark.parametrize(("kbits", "is_left"), [(96, True), (128, True), (134, True), (160, False)])
def test_a_lossy_file_is_left_alone_up_to_the_bitrate(kbits: int, *, is_left: bool) -> None:
    assert (explain_unconverted(a_sound("mp3", kbits), OPUS) is not None) is is_left


def test_a_file_that_was_left_alone_is_known_by_its_name_and_size() -> None:
    assert is_small_enough(OPUS, extension="mp3", size=16_000 * 60, seconds=60)
    assert not is_small_enough(OPUS, extension="mp3", size=40_000 * 60, seconds=60)
    assert not is_small_enough(OPUS, extension="flac", size=16_000 * 60, seconds=60)
    assert not is_small_enough(OPUS, extension="mp3", size=16_000, seconds=None)
