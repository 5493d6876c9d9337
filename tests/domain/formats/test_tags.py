from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.formats.lyrics import without_word_times
from sidecar.domain.formats.tag_fields import BY_NAME, FIELDS, TagSystem, canonical
from sidecar.domain.formats.tags import (
    LONGEST_VALUE,
    MOST_IN_ALL,
    MOST_TAGS,
    collected,
    read_gain,
    to_r128,
    written,
)


def one(name: str, value: str) -> tuple[str, ...]:
    return collected([(name, value)]).get(canonical(name), ())


def test_what_is_of_the_music_is_kept_and_what_is_of_the_file_is_not() -> None:
    found = {
        "TITLE": "Tone",
        "encoder": "Lavf",
        "CHAPTER000": "00:00:00.000",
        "METADATA_BLOCK_PICTURE": "AAAA",
        "id3v2_priv.x": "y",
        "major_brand": "M4A",
        "MusicBrainz Album Id": "8f34",
        "Own Words": "kept",
    }

    assert collected(found.items()) == {
        "title": ("Tone",),
        "musicbrainz_albumid": ("8f34",),
        "own words": ("kept",),
    }


def test_values_with_a_nul_between_them_are_several() -> None:
    assert one("ARTIST", "Anna\0Bert\0") == ("Anna", "Bert")
    assert one("ARTIST", "AC/DC; Anna") == ("AC/DC; Anna",)


def test_all_values_of_a_field_are_kept_in_their_order() -> None:
    found = [("ARTIST", "Anna; the First"), ("Artist", "Bert"), ("ARTIST", "Anna; the First")]

    tags = collected(found)

    assert tags == {"artist": ("Anna; the First", "Bert")}
    for system in set(TagSystem) - {TagSystem.ID3_23}:
        assert written(tags, system) == tags
    assert written(tags, TagSystem.ID3_23) == {"artist": ("Anna; the First; Bert",)}
    assert written(tags, TagSystem.ID3_23, separator=" / ")["artist"] == ("Anna; the First / Bert",)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *(("ALBUM ARTIST", "albumartist"), ("album_artist", "albumartist")),
        *(("WM/AlbumArtist", "albumartist"), ("Album Artist", "albumartist")),
        *(("YEAR", "date"), ("TOTALTRACKS", "tracktotal"), ("DISC", "discnumber")),
        *(("UNSYNCEDLYRICS", "lyrics"), ("lyrics-eng", "lyrics"), ("USLT", "lyrics")),
        *(("ITUNESCOMPILATION", "compilation"), ("cpil", "compilation")),
        *(("ORIGINALYEAR", "originaldate"), ("organization", "label"), ("initialkey", "key")),
        *(("sort_artist", "artistsort"), ("MusicBrainz/Track Id", "musicbrainz_trackid")),
    ],
)
def test_other_programs_names_of_a_field_are_known(name: str, ours: str) -> None:
    assert list(collected([(name, "1")])) == [ours]


def test_two_names_of_one_field_tell_it_once_and_nothing_is_lost() -> None:
    tags = collected(
        {
            "YEAR": "1999",
            "DATE": "1999-05-01",
            "ALBUM ARTIST": "Anna",
            "ALBUMARTIST": "Anna",
            "ORIGINALDATE": "1977",
            "ORIGINALYEAR": "1976",
            "LYRICS": "one",
            "UNSYNCEDLYRICS": "two",
        }.items()
    )

    assert tags == {
        "date": ("1999-05-01",),
        "albumartist": ("Anna",),
        "originaldate": ("1977",),
        "originalyear": ("1976",),
        "lyrics": ("one", "two"),
    }


@pytest.mark.parametrize(
    ("found", "apart", "together"),
    [
        ({"track": "3", "tracktotal": "12"}, ("3", "12"), "3/12"),
        ({"track": "3/12"}, ("3", "12"), "3/12"),
        ({"track": "03 / 12"}, ("3", "12"), "3/12"),
        ({"track": "3\u00a0of\u00a012"}, ("3", "12"), "3/12"),
        ({"track": "\uff13"}, ("3", None), "3"),
        ({"track": "3/0"}, ("3", None), "3"),
        ({"track": "3/"}, ("3", None), "3"),
        ({"track": "0/12"}, (None, "12"), "0/12"),
        ({"track": "0"}, (None, None), None),
        ({"tracktotal": "12"}, (None, "12"), "0/12"),
        ({"track": "3/12", "totaltracks": "13"}, ("3", "13"), "3/13"),
        ({"track": "A1", "totaltracks": "12"}, ("A1", "12"), "A1"),
    ],
)
def test_numbers_are_written_as_each_format_wants_them(
    found: dict[str, str], apart: tuple[str | None, str | None], together: str | None
) -> None:
    tags = collected(found.items())

    vorbis = written(tags, TagSystem.VORBIS)
    assert tuple((vorbis.get(name) or (None,))[0] for name in ("tracknumber", "tracktotal")) == (
        apart
    )
    for system in set(TagSystem) - {TagSystem.VORBIS}:
        assert written(tags, system).get("tracknumber", (None,))[0] == together


@pytest.mark.parametrize(
    ("text", "date"),
    [
        *(("2005", "2005"), ("2005-03-01", "2005-03-01"), ("2005-03", "2005-03")),
        *(("2005-00-00", "2005"), ("2005-03-00", "2005-03"), ("2005-13-01", "2005")),
        *(("20050301", "2005-03-01"), ("2005-03-01T10:00:00Z", "2005-03-01")),
        *(("2005/3/1", "2005-03-01"), ("\uff12\uff10\uff10\uff15", "2005")),
        *(("0000", None), ("0", None), ("0000-00-00", None), ("spring 2005", "spring 2005")),
    ],
)
def test_a_date_is_told_as_far_as_it_is_one(text: str, date: str | None) -> None:
    assert one("DATE", text) == ((date,) if date else ())


@pytest.mark.parametrize(
    ("text", "gain"),
    [
        *(("-6.50 dB", -6.5), ("+5 dB", 5.0), ("0", 0.0), ("-7,89 dB", -7.89), ("3dB", 3.0)),
        *(("\u22127.89 dB", -7.89), ("\u22127,89\u00a0dB", -7.89), ("-.50 dB", -0.5)),
        *((".5", 0.5), ("-7.89 LU", -7.89), ("- 3 dB", -3.0), ("-3. dB", -3.0)),
        *(("\uff0d3 dB", -3.0), ("loud", None), ("", None), ("--3 dB", None), ("3 dBA", None)),
    ],
)
def test_a_gain_is_read_as_programs_write_it(text: str, gain: float | None) -> None:
    assert read_gain(text) == gain


@pytest.mark.parametrize(
    ("gain", "steps"),
    [("-6.50 dB", "-2944"), ("+5 dB", "0"), ("0", "-1280"), ("-200 dB", "-32768")],
)
def test_opus_counts_gains_from_minus_23_in_steps(gain: str, steps: str) -> None:
    found = {"REPLAYGAIN_TRACK_GAIN": gain, "REPLAYGAIN_TRACK_PEAK": "0,9"}

    assert to_r128(collected(found.items())) == {"r128_track_gain": (steps,)}


def test_a_gain_that_cannot_be_read_stays_as_it_is() -> None:
    found = {
        "REPLAYGAIN_TRACK_GAIN": "loud",
        "REPLAYGAIN_TRACK_PEAK": "0,9",
        "REPLAYGAIN_ALBUM_GAIN": "-7,89 dB",
    }
    tags = collected(found.items())

    assert tags["replaygain_album_gain"] == ("-7.89 dB",)
    assert to_r128(tags) == {
        "replaygain_track_gain": ("loud",),
        "replaygain_track_peak": ("0.9",),
        "r128_album_gain": (str(round((-7.89 - 5) * 256)),),
    }


def test_gains_of_opus_are_told_to_others_in_their_own_way() -> None:
    found = {"R128_TRACK_GAIN": "-2944", "R128_ALBUM_GAIN": "loud"}

    assert collected(found.items()) == {
        "replaygain_track_gain": ("-6.50 dB",),
        "r128_album_gain": ("loud",),
    }


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        ("[00:01.00]<00:01.00>One <00:01.50>tone", "[00:01.00]One tone"),
        ("[00:01.00] <00:01.00> One <00:01.50> tone <00:02.00>", "[00:01.00]One tone"),
        ("[00:01.00]One[00:01.50] tone", "[00:01.00]One tone"),
        ("[00:01.00][00:50.00]Chorus", "[00:01.00][00:50.00]Chorus"),
        ("[00:01.00]I <3 you", "[00:01.00]I <3 you"),
        ("plain\nlines", "plain\nlines"),
        (
            "[ar:Anna]\n[00:01.00]<00:01.00>Syl<00:01.20>la<00:01.40>ble one",
            "[ar:Anna]\n[00:01.00]Syllable one",
        ),
    ],
)
def test_words_with_times_become_lines(told: str, lines: str) -> None:
    assert without_word_times(told) == lines
    tags = {"lyrics": (told,)}
    assert written(tags, TagSystem.MP4) == {"lyrics": (lines,)}
    assert written(tags, TagSystem.MP4, knows_words=True) == tags


def test_each_field_has_a_place_of_its_own_in_every_format() -> None:
    for system in ("id3", "mp4", "ape"):
        places = [place for field in FIELDS if (place := getattr(field, system))]
        assert len(places) == len({place.lower() for place in places})
    assert all(
        field.id3 and field.mp4 and field.ape for field in FIELDS if "total" not in field.name
    )
    assert not [alias for field in FIELDS for alias in field.also if alias in BY_NAME]


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=40))
def test_no_tag_breaks_it(found: list[tuple[str, str]]) -> None:
    tags = collected(found)
    for system in TagSystem:
        for name, values in to_r128(written(tags, system)).items():
            assert name
            assert values
            assert all(values)
            assert "\0" not in "".join(values)


def test_how_many_and_how_long_is_bounded() -> None:
    many = {f"tag{number}": "x" * 5000 for number in range(1000)}
    kept = collected({"long": "x" * (LONGEST_VALUE + 1), **many}.items())

    assert "long" not in kept
    assert len(kept) <= MOST_TAGS
    assert sum(len(value) for values in kept.values() for value in values) <= MOST_IN_ALL
