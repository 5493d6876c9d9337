"""Real ffmpeg, real files, read back by another library."""

from __future__ import annotations

import base64
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import xxhash
from PIL import Image

from sidecar.domain.formats.formats import Format, Target
from sidecar.domain.formats.tag_fields import TagSystem
from sidecar.domain.formats.tags import Tags
from sidecar.domain.transfers.failures import FailureClass, TransferFailed
from sidecar.errors import Stopped
from sidecar.transfer.converting.converter import Converted, LeftAsIs
from sidecar.transfer.converting.programs import Programs
from sidecar.transfer.tagging.wishes import TagWishes
from tests.fakes.media.mutagens import FLAC, ID3, MP3, MP4, File, OggOpus, Picture
from tests.fakes.media.sounds import SECONDS, TAGS, ffmpeg, sound, tagged_flac
from tests.transfer.converting.conftest import Bench

OPUS = Target(Format.OPUS, 128)


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tagged_flac(tmp_path_factory.mktemp("sounds") / "tone.flac")


def picture_of(flac: Path) -> bytes:
    return flac.with_suffix(".jpg").read_bytes()


def test_opus_keeps_tags_cover_chapters_and_gains_in_its_own_way(bench: Bench, flac: Path) -> None:
    made = OggOpus(bench.make(flac, Format.OPUS))
    told = {name.lower(): values for name, values in made.tags.items()}

    assert told["title"] == [TAGS["title"]]
    assert told["artist"] == told["albumartist"] == ["The Sine Wäves"]
    assert (told["tracknumber"], told["tracktotal"], told["discnumber"]) == (["3"], ["12"], ["1"])
    assert told["musicbrainz_trackid"] == [TAGS["MUSICBRAINZ_TRACKID"]]
    assert told["r128_track_gain"] == [str(round((-6.5 - 5) * 256))]
    assert told["r128_album_gain"] == [str(round((1.25 - 5) * 256))]
    assert not [name for name in told if name.startswith("replaygain")]
    assert told["chapter000name"] == ["One"]
    assert told["chapter001name"] == ["Two; and more"]
    picture = Picture(base64.b64decode(told["metadata_block_picture"][0]))
    assert (picture.data, picture.mime, picture.type) == (picture_of(flac), "image/jpeg", 3)
    assert made.info.length == pytest.approx(SECONDS, abs=0.1)


def test_mp3_keeps_tags_cover_chapters_and_gains(bench: Bench, flac: Path) -> None:
    made = MP3(bench.make(flac, Format.MP3, 192))
    tags = made.tags

    assert tags["TIT2"].text == [TAGS["title"]]
    assert tags["TPE1"].text == tags["TPE2"].text == ["The Sine Wäves"]
    assert tags["TRCK"].text == ["3/12"]
    assert tags["TXXX:replaygain_track_gain"].text == ["-6.50 dB"]
    assert tags["TXXX:replaygain_track_peak"].text == ["0.988"]
    assert tags["UFID:http://musicbrainz.org"].data.decode() == TAGS["MUSICBRAINZ_TRACKID"]
    (picture,) = tags.getall("APIC")
    assert (picture.data, picture.mime, picture.type) == (picture_of(flac), "image/jpeg", 3)
    assert [one.sub_frames["TIT2"].text for one in tags.getall("CHAP")] == [
        ["One"],
        ["Two; and more"],
    ]
    assert made.info.bitrate == pytest.approx(192_000, rel=0.01)


def test_aac_keeps_tags_cover_chapters_and_gains(bench: Bench, flac: Path) -> None:
    made = MP4(bench.make(flac, Format.AAC, 160))
    tags = made.tags

    assert tags["\xa9nam"] == [TAGS["title"]]
    assert tags["trkn"] == [(3, 12)]
    assert [bytes(one) for one in tags["covr"]] == [picture_of(flac)]
    assert bytes(tags["----:com.apple.iTunes:replaygain_track_gain"][0]) == b"-6.50 dB"
    assert (
        bytes(tags["----:com.apple.iTunes:MusicBrainz Track Id"][0]).decode()
        == (TAGS["MUSICBRAINZ_TRACKID"])
    )
    assert [one.title for one in made.chapters or ()] == ["One", "Two; and more"]
    assert made.info.length == pytest.approx(SECONDS, abs=0.1)


def test_the_hash_and_the_size_are_those_of_the_file(bench: Bench, flac: Path) -> None:
    made = bench.convert(flac, OPUS)

    assert isinstance(made, Converted)
    whole = bench.result.read_bytes()
    assert (made.size, made.content_hash) == (len(whole), xxhash.xxh3_128_hexdigest(whole))


def test_gains_of_opus_become_replaygain_elsewhere(bench: Bench, tmp_path: Path) -> None:
    tags = {"title": "Tone", "R128_TRACK_GAIN": "-2944"}
    source = sound(tmp_path / "in.opus", "-b:a", "256k", tags=tags)

    made = ID3(bench.make(source, Format.MP3, 128))

    assert made["TXXX:replaygain_track_gain"].text == ["-6.50 dB"]
    assert not [one for one in made if "r128" in one.lower()]
    assert made["TIT2"].text == ["Tone"]


def test_what_is_made_has_the_files_own_tags_and_what_jellyfin_knows_where_those_are_amiss(
    bench: Bench, tmp_path: Path
) -> None:
    source = sound(tmp_path / "in.flac", "-ar", "96000", tags={"title": "Caf\ufffd"})
    flac = FLAC(source)
    flac["artist"], flac["ALBUM ARTIST"], flac["YEAR"] = ["Anna; the First", "Bert"], "All", "1999"
    for kind, colour in ((4, "red"), (3, "teal")):
        picture, made = Picture(), BytesIO()
        Image.new("RGB", (1200, 900), colour).save(made, "JPEG", progressive=True)
        picture.type, picture.mime, picture.data = kind, "image/jpeg", made.getvalue()
        flac.add_picture(picture)
    flac.save()
    asked: list[str] = []

    def known() -> Tags:
        asked.append("Jellyfin")
        return {"title": ("Café",), "artist": ("Somebody",), "album": ("Light",)}

    bench.wishes = TagWishes(pixels=500, known=known)
    tags = (made := MP4(bench.make(source, Format.AAC))).tags

    assert asked == ["Jellyfin"]
    assert tags["\xa9nam"] == ["Café"]
    assert tags["\xa9ART"] == ["Anna; the First", "Bert"]
    assert (tags["aART"], tags["\xa9alb"], tags["\xa9day"]) == (["All"], ["Light"], ["1999"])
    assert made.info.sample_rate == 48_000
    (cover,) = map(bytes, tags["covr"])
    with Image.open(BytesIO(cover)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (500, 375))
        assert "progressive" not in shown.info
        pixel = shown.convert("RGB").getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert pixel[0] < 60  # the teal front, not the red back


def test_jellyfins_cover_comes_where_the_file_has_none(bench: Bench, tmp_path: Path) -> None:
    made = BytesIO()
    Image.new("RGB", (60, 60), "teal").save(made, "JPEG")
    whole = {"title": "T", "artist": "A", "album": "B", "track": "1"}
    source = sound(tmp_path / "in.flac", tags=whole)

    def known() -> Tags:
        raise AssertionError("nothing is amiss")

    bench.wishes = TagWishes(known=known, cover=made.getvalue, id3=TagSystem.ID3_23)
    tags = ID3(bench.make(source, Format.MP3), translate=False)

    assert tags.version == (2, 3, 0)
    assert tags.getall("APIC")[0].data == made.getvalue()


def test_a_large_cover_becomes_a_jpeg_of_usual_size(bench: Bench, tmp_path: Path) -> None:
    noise = tmp_path / "cover.png"
    picture = "nullsrc=size=1400x1400,geq=random(1)*255:128:128"
    ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", "1", str(noise))
    source = sound(tmp_path / "in.flac", picture=noise, seconds=8)

    made = OggOpus(bench.make(source, Format.OPUS))

    picture = Picture(base64.b64decode(made["metadata_block_picture"][0]))
    assert picture.mime == "image/jpeg"
    assert len(picture.data) <= 1024 * 1024


def test_lossy_files_at_or_below_the_bitrate_are_left_alone(bench: Bench, tmp_path: Path) -> None:
    for number, how in enumerate((["-b:a", "128k"], ["-b:a", "96k"])):
        source = sound(tmp_path / f"{number}.mp3", *how)
        left = bench.convert(source, OPUS)
        assert isinstance(left, LeftAsIs)
        assert "Kept as is: already" in left.why


def test_a_lossy_file_above_the_bitrate_is_converted(bench: Bench, tmp_path: Path) -> None:
    source = sound(tmp_path / "in.mp3", "-b:a", "320k")

    assert OggOpus(bench.make(source, Format.OPUS, 96)).info.channels == 2


def test_a_result_that_is_not_smaller_is_thrown_away(bench: Bench, tmp_path: Path) -> None:
    silence = tmp_path / "silence.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=duration=3", str(silence))

    left = bench.convert(silence, Target(Format.MP3, 320))

    assert left == LeftAsIs("Kept as is: MP3 320k would not be smaller")


def test_surround_becomes_stereo(bench: Bench, tmp_path: Path) -> None:
    source = sound(tmp_path / "in.flac", "-ac", "6")

    assert OggOpus(bench.make(source, Format.OPUS)).info.channels == 2


def test_what_is_no_sound_is_left_as_it_is_with_a_sentence(bench: Bench, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp3"
    junk.write_bytes(bytes(range(256)) * 400)

    left = bench.convert(junk, OPUS)

    assert isinstance(left, LeftAsIs)
    assert left.why.startswith("Kept as is: could not be converted to Opus 128k (it cannot be read")


def test_a_playlist_that_poses_as_music_opens_no_other_file(bench: Bench, tmp_path: Path) -> None:
    secret = sound(tmp_path / "secret.mp3", "-b:a", "320k")
    for text in (
        f"ffconcat version 1.0\nfile '{secret}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{secret}\n#EXT-X-ENDLIST\n",
    ):
        trap = tmp_path / "trap.mp3"
        trap.write_text(text + "#" * secret.stat().st_size)
        left = bench.convert(trap, OPUS)
        assert isinstance(left, LeftAsIs)
        assert "it cannot be read as a sound file" in left.why


def test_a_file_that_ends_too_soon_is_not_taken_for_whole(bench: Bench, tmp_path: Path) -> None:
    whole = sound(tmp_path / "whole.flac", seconds=8)
    cut = tmp_path / "cut.flac"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    left = bench.convert(cut, OPUS)

    assert isinstance(left, LeftAsIs)
    assert "its end is missing" in left.why


def test_half_a_second_that_misses_is_noticed_as_well(bench: Bench, tmp_path: Path) -> None:
    """Less than what encoders add and servers round, so that no length would tell it."""
    for how in ([], ["-write_xing", "0"]):
        whole = sound(tmp_path / "whole.mp3", "-b:a", "320k", *how, seconds=8)
        cut = tmp_path / "cut.mp3"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size - 20_000])

        left = bench.convert(cut, OPUS)

        assert isinstance(left, LeftAsIs)
        assert "its end is missing" in left.why


def test_a_result_without_its_end_is_not_believed(
    bench: Bench, tmp_path: Path, programs: Programs
) -> None:
    """An ffmpeg whose last words do not reach the disk, and that says that all is well."""
    lossy = tmp_path / "ffmpeg"
    lossy.write_text(
        f'#!/bin/sh\nfor last; do :; done\n{programs.ffmpeg} "$@" || exit\n'
        'case "$last" in file:*) truncate -s -90 "${last#file:}";; esac\n'
    )
    lossy.chmod(0o755)
    bench.programs = replace(programs, ffmpeg=str(lossy))

    left = bench.convert(sound(tmp_path / "in.flac", seconds=5), Target(Format.MP3, 128))

    assert isinstance(left, LeftAsIs)
    assert "what came out" in left.why


def test_a_stop_leaves_the_original_as_it_was(bench: Bench, flac: Path) -> None:
    before = flac.read_bytes()
    bench.stop.set()

    with pytest.raises(Stopped):
        bench.convert(flac, OPUS)

    assert flac.read_bytes() == before


def test_every_result_is_known_for_what_it_is(bench: Bench, flac: Path) -> None:
    for wanted in (Format.OPUS, Format.MP3, Format.AAC):
        made = File(bench.make(flac, wanted))
        assert type(made).__name__ == {"opus": "OggOpus", "mp3": "MP3", "aac": "MP4"}[wanted]


def test_a_file_without_tags_and_cover_is_no_trouble(bench: Bench, tmp_path: Path) -> None:
    source = sound(tmp_path / "in.wav")
    for wanted in (Format.OPUS, Format.MP3, Format.AAC):
        bench.make(source, wanted)


def test_a_full_device_is_blamed_on_the_device_not_on_the_file(
    bench: Bench, tmp_path: Path, programs: Programs
) -> None:
    """An ffmpeg that says what the real one says when its disk is full."""
    full = tmp_path / "ffmpeg"
    words = "av_interleaved_write_frame(): No space left on device"
    full.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    full.chmod(0o755)
    bench.programs = replace(programs, ffmpeg=str(full))

    with pytest.raises(TransferFailed) as failed:
        bench.convert(sound(tmp_path / "in.flac"), OPUS)

    failure = failed.value.failure
    assert (failure.kind, failure.code) == (FailureClass.DEVICE, "full")


def test_what_fails_is_tried_once_more_and_then_left_with_a_sentence(
    bench: Bench, tmp_path: Path, programs: Programs
) -> None:
    count = tmp_path / "count"
    broken = tmp_path / "ffmpeg"
    broken.write_text(f"#!/bin/sh\necho x >> {count}\necho 'it is Monday' >&2\nexit 1\n")
    broken.chmod(0o755)
    bench.programs = replace(programs, ffmpeg=str(broken))

    left = bench.convert(sound(tmp_path / "in.flac"), OPUS)

    assert left == LeftAsIs("Kept as is: could not be converted to Opus 128k (it is Monday)")
    assert count.read_text() == "x\nx\n"


def test_a_result_that_breaks_off_is_not_believed(
    bench: Bench, tmp_path: Path, programs: Programs
) -> None:
    """An ffmpeg that makes half of what was asked for, and says that all is well."""
    short = tmp_path / "ffmpeg"
    short.write_text(f'#!/bin/sh\nfor last; do :; done\nexec {programs.ffmpeg} -t 1 "$@" -t 1\n')
    short.chmod(0o755)
    source = sound(tmp_path / "in.flac", seconds=5)
    bench.programs = replace(programs, ffmpeg=str(short))

    left = bench.convert(source, OPUS)

    assert isinstance(left, LeftAsIs)
    assert "it came out 1.0 seconds long, not 5.0" in left.why
