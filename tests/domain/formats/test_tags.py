from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.formats.formats import Format
from sidecar.domain.formats.tags import LONGEST_VALUE, MOST_IN_ALL, MOST_TAGS, convert_tags


def test_what_is_of_the_music_is_kept_and_what_is_of_the_file_is_not() -> None:
    found = {
        "TITLE": "Tone",
        "encoder": "Lavf",
        "CHAPTER000": "00:00:00.000",
        "METADATA_BLOCK_PICTURE": "AAAA",
        "id3v2_priv.x": "y",
        "major_brand": "M4A",
        "MusicBrainz Album Id": "8f34",
    }

    assert convert_tags(found, Format.MP3) == {"title": "Tone", "musicbrainz album id": "8f34"}


@pytest.mark.parametrize(
    ("found", "opus", "others"),
    [
        (
            {"track": "3", "tracktotal": "12"},
            {"track": "3", "tracktotal": "12"},
            {"track": "3/12"},
        ),
        ({"track": "3/12"}, {"track": "3", "tracktotal": "12"}, {"track": "3/12"}),
        ({"disc": "1", "totaldiscs": "2"}, {"disc": "1", "disctotal": "2"}, {"disc": "1/2"}),
        ({"track": "3"}, {"track": "3"}, {"track": "3"}),
        ({"tracktotal": "12"}, {}, {}),
    ],
)
def test_numbers_are_written_as_each_format_wants_them(
    found: dict[str, str], opus: dict[str, str], others: dict[str, str]
) -> None:
    assert convert_tags(found, Format.OPUS) == opus
    assert convert_tags(found, Format.MP3) == convert_tags(found, Format.AAC) == others


@pytest.mark.parametrize(
    ("gain", "steps"),
    [("-6.50 dB", "-2944"), ("+5 dB", "0"), ("0", "-1280"), ("-200 dB", "-32768")],
)
def test_opus_counts_gains_from_minus_23_in_steps(gain: str, steps: str) -> None:
    found = {"REPLAYGAIN_TRACK_GAIN": gain, "REPLAYGAIN_TRACK_PEAK": "0.9"}

    assert convert_tags(found, Format.OPUS) == {"r128_track_gain": steps}


def test_gains_of_opus_are_told_to_others_in_their_own_way() -> None:
    found = {"R128_TRACK_GAIN": "-2944", "R128_ALBUM_GAIN": "loud"}

    assert convert_tags(found, Format.MP3) == {"replaygain_track_gain": "-6.50 dB"}


def test_a_gain_that_is_no_number_is_dropped() -> None:
    assert convert_tags({"replaygain_track_gain": "loud"}, Format.OPUS) == {}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=40))
def test_no_tag_breaks_it(found: dict[str, str]) -> None:
    for wanted in (Format.OPUS, Format.MP3, Format.AAC):
        for name, value in convert_tags(found, wanted).items():
            assert name
            assert value
            assert "\0" not in value


def test_how_many_and_how_long_is_bounded() -> None:
    many = {f"tag{number}": "x" * 5000 for number in range(1000)}
    kept = convert_tags({"long": "x" * (LONGEST_VALUE + 1), **many}, Format.MP3)

    assert "long" not in kept
    assert len(kept) <= MOST_TAGS
    assert sum(map(len, kept.values())) <= MOST_IN_ALL
