"""Every field in every kind of file: written by us, read back by us, by mutagen and by ffprobe."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PIL import Image

from sidecar.clock import SystemClock
from sidecar.domain.formats.tag_fields import FIELDS, FieldKind, TagSystem
from sidecar.domain.formats.tags import Tags
from sidecar.transfer.converting.subprocess import ChildFailed, ChildOutput
from sidecar.transfer.tagging.reading import EmbeddedPicture, FileTags, read
from sidecar.transfer.tagging.tagger import Tagger, blame_the_disk
from sidecar.transfer.tagging.wishes import Writing
from sidecar.transfer.tagging.writing import NotTaggable, write
from tests.fakes.media.mutagens import FLAC, ID3, MP4, File, Picture
from tests.fakes.media.sounds import ffmpeg
from tests.patience import PATIENCE_S

KINDS = ("flac", "ogg", "opus", "mp3", "m4a", "wv", "wav", "aiff")
VALUES = {
    FieldKind.TEXT: ("Ännä; the First", "Bert"),
    FieldKind.COMMENT: ("one", "two"),
    FieldKind.PERSON: ("Anna", "Bert"),
    FieldKind.LYRICS: ("la\nla",),
    FieldKind.DATE: ("1999-05-01",),
    FieldKind.FLAG: ("1",),
    FieldKind.INTEGER: ("3",),
    FieldKind.GAIN: ("-7.89 dB",),
    FieldKind.PEAK: ("0.98",),
    FieldKind.NUMBER: ("3",),
    FieldKind.TOTAL: ("12",),
}
PLAIN = {"musicbrainz_trackid": ("8f3471b5",), "website": ("https://example.org/a",)}
# What an MP3 of the older kind can say of these.
OLDER = {"originaldate": ("1999",)}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Half a second in each kind of file, without any tags."""
    folder = tmp_path_factory.mktemp("sounds")
    made = {}
    for kind in KINDS:
        path = folder / f"tone.{kind}"
        more = {"ogg": ["-c:a", "libvorbis"], "mp3": ["-id3v2_version", "0"]}.get(kind, [])
        ffmpeg(
            *("-f", "lavfi", "-i", "sine=duration=0.5", *more, "-map_metadata", "-1"),
            *("-fflags", "+bitexact", str(path)),
        )
        made[kind] = path.read_bytes()
    return made


def everything() -> Tags:
    tags = {one.name: VALUES[one.kind] for one in FIELDS}
    return {**tags, **PLAIN, "own words": ("kept", "too")}


def picture(form: str = "JPEG", size: int = 60, colour: str = "teal") -> bytes:
    made = BytesIO()
    Image.new("RGB", (size, size), colour).save(made, form)
    return made.getvalue()


def put(path: Path, what: Writing) -> None:
    with path.open("r+b") as file:
        write(file, what)


def got(path: Path) -> FileTags:
    with path.open("rb") as file:
        return read(file)


def probed(path: Path) -> dict[str, str]:
    """What ffprobe says of a file, in lower case: another program's word on it."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    told: dict[str, Any] = json.loads(said.stdout)
    tags: dict[str, str] = dict(told["format"].get("tags", {}))
    for stream in told["streams"]:
        tags |= stream.get("tags", {})
    return {name.lower(): value for name, value in tags.items()}


def joined(tags: Mapping[str, Sequence[str]]) -> Tags:
    apart = {"lyrics", *(one.name for one in FIELDS if one.kind is FieldKind.PERSON)}
    return {
        name: tuple(values) if name in apart else ("; ".join(values),)
        for name, values in tags.items()
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id3", [TagSystem.ID3_24, TagSystem.ID3_23])
def test_every_field_comes_back_from_every_kind_of_file(
    sounds: dict[str, bytes], tmp_path: Path, kind: str, id3: TagSystem
) -> None:
    path = tmp_path / f"tone.{kind}"
    path.write_bytes(sounds[kind])
    tags = everything()

    put(path, Writing(tags=tags, cover=picture(), id3=id3))

    is_older = id3 is TagSystem.ID3_23 and kind in {"mp3", "wav", "aiff"}
    wanted = {**joined(tags), **OLDER} if is_older else dict(tags)
    if kind == "opus":
        # Its gains are of another kind, and it has no peaks.
        wanted = {name: values for name, values in wanted.items() if not name.endswith("_peak")}
    found = got(path)
    assert found.tags.keys() == wanted.keys()
    for name, values in wanted.items():
        close = pytest.approx(-7.89, abs=0.01)
        if name.endswith("_gain"):
            assert float(found.tags[name][0].removesuffix(" dB")) == close
        else:
            assert found.tags[name] == values, name
    assert found.cover == EmbeddedPicture(3, picture())


@pytest.mark.parametrize("kind", KINDS)
def test_ffprobe_reads_what_was_written_and_the_sound_is_as_it_was(
    sounds: dict[str, bytes], tmp_path: Path, kind: str
) -> None:
    path, before = tmp_path / f"tone.{kind}", tmp_path / f"before.{kind}"
    for one in (path, before):
        one.write_bytes(sounds[kind])

    put(path, Writing(tags=everything(), cover=picture(), id3=TagSystem.ID3_23))

    told = probed(path)
    # It knows no more than the first value where several stand apart in these.
    has_all = kind not in {"m4a", "wv"}
    for name in ("title", "artist", "album", "genre", "composer"):
        assert told[name].startswith("Ännä; the First")
        assert ("Bert" in told[name]) is has_all
    assert told["album_artist" if "album_artist" in told else "album artist"].startswith("Ännä")
    assert told["track"] in {"3", "3/12"}
    assert told.get("date", told.get("year", "")).startswith("1999")
    assert sound_of(path) == sound_of(before)


def sound_of(path: Path) -> bytes:
    command = ["ffmpeg", "-xerror", "-v", "error", "-i", str(path), "-map", "0:a"]
    command += ["-f", "streamhash", "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S).stdout


def test_each_format_has_its_own_names_for_what_mutagen_reads(
    sounds: dict[str, bytes], tmp_path: Path
) -> None:
    tags = {
        "albumartist": ("Various Artists",),
        "compilation": ("1",),
        "date": ("1999",),
        "bpm": ("120",),
        "artistsort": ("Artist, An",),
        "originaldate": ("1977",),
        "comment": ("c1",),
        "lyrics": ("la\nla",),
        "tracknumber": ("3",),
        "tracktotal": ("12",),
    }
    for kind in ("mp3", "m4a", "wv", "flac"):
        path = tmp_path / f"tone.{kind}"
        path.write_bytes(sounds[kind])
        put(path, Writing(tags=tags))

    mp3 = ID3(tmp_path / "tone.mp3")
    texts = {name: mp3[name].text for name in ("TPE2", "TCMP", "TBPM", "TSOP", "TRCK")}
    assert texts == {
        "TPE2": ["Various Artists"],
        "TCMP": ["1"],
        "TBPM": ["120"],
        "TSOP": ["Artist, An"],
        "TRCK": ["3/12"],
    }
    assert [str(mp3[name].text[0]) for name in ("TDRC", "TDOR")] == ["1999", "1977"]
    assert (mp3["COMM::XXX"].text, mp3["USLT::XXX"].text) == (["c1"], "la\nla")
    m4a = MP4(tmp_path / "tone.m4a")
    assert [m4a[atom] for atom in ("aART", "cpil", "\xa9day", "tmpo", "soar", "trkn")] == (
        [["Various Artists"], True, ["1999"], [120], ["Artist, An"], [(3, 12)]]
    )
    assert (m4a["\xa9lyr"], m4a["\xa9cmt"]) == (["la\nla"], ["c1"])
    wavpack = File(tmp_path / "tone.wv")
    assert [str(wavpack[key]) for key in ("Album Artist", "Year", "Track", "Compilation")] == (
        ["Various Artists", "1999", "3/12", "1"]
    )
    flac = FLAC(tmp_path / "tone.flac")
    assert (flac["tracknumber"], flac["tracktotal"]) == (["3"], ["12"])
    assert (flac["albumartist"], flac["lyrics"]) == (["Various Artists"], ["la\nla"])


def test_the_older_id3_is_that_one_and_keeps_dates_and_sort_names(
    sounds: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "tone.mp3"
    path.write_bytes(sounds["mp3"])

    tags = {"artist": ("Anna", "Bert"), "date": ("1999-05-01",), "artistsort": ("Anna",)}
    put(path, Writing(tags=tags, id3=TagSystem.ID3_23, separator=" / "))

    raw = ID3(path, translate=False)
    assert raw.version == (2, 3, 0)
    assert raw["TPE1"].text == ["Anna / Bert"]
    assert (raw["TYER"].text, raw["TDAT"].text, raw["TSOP"].text) == (["1999"], ["0105"], ["Anna"])


def test_what_a_format_has_no_number_for_is_kept_as_a_text(
    sounds: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "tone.m4a"
    path.write_bytes(sounds["m4a"])

    put(path, Writing(tags={"tracknumber": ("A1",), "tracktotal": ("12",), "bpm": ("fast",)}))

    assert got(path).tags == {"tracknumber": ("A1",), "tracktotal": ("12",), "bpm": ("fast",)}


def test_some_fields_alone_are_set_and_all_else_stays(
    sounds: dict[str, bytes], tmp_path: Path
) -> None:
    """A copy of a file that people tagged themselves: their words stay byte for byte."""
    for kind in KINDS:
        path = tmp_path / f"tone.{kind}"
        path.write_bytes(sounds[kind])
        put(path, Writing(tags=everything(), cover=picture(colour="red")))
        before = got(path)

        put(path, Writing(tags={"title": ("Another",)}, anew=False))

        after = got(path)
        assert after.tags == {**before.tags, "title": ("Another",)}
        assert after.pictures == before.pictures


@pytest.mark.parametrize("version", [3, 4])
def test_a_file_keeps_the_version_of_its_tags(
    sounds: dict[str, bytes], tmp_path: Path, version: int
) -> None:
    path = tmp_path / "tone.mp3"
    path.write_bytes(sounds["mp3"])
    older = TagSystem.ID3_23 if version == 3 else TagSystem.ID3_24
    put(path, Writing(tags={"date": ("1999",), "artistsort": ("A",)}, id3=older))

    put(path, Writing(tags={"title": ("New",)}, id3=TagSystem.ID3_24, anew=False))

    raw = ID3(path, translate=False)
    assert raw.version[1] == version
    assert str(raw["TYER" if version == 3 else "TDRC"].text[0]) == "1999"
    assert raw["TSOP"].text == ["A"]
    assert raw["TIT2"].text == ["New"]


def pictures(*kinds: int) -> FileTags:
    return FileTags(pictures=tuple(EmbeddedPicture(kind, b"%d" % kind) for kind in kinds))


@pytest.mark.parametrize(
    ("kinds", "cover"),
    [((4, 3), 3), ((3, 4), 3), ((4, 0), 4), ((1, 2, 6), 6), ((1, 2), None), ((), None)],
)
def test_the_front_is_the_cover_else_the_first_that_is_no_icon(
    kinds: tuple[int, ...], cover: int | None
) -> None:
    found = pictures(*kinds).cover

    assert (found and found.kind) == cover


def test_gains_that_mp3gain_keeps_beside_the_tags_are_read(
    sounds: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "tone.mp3"
    path.write_bytes(sounds["mp3"])
    put(path, Writing(tags={"title": ("Tone",)}))
    ape: Any = import_module("mutagen.apev2").APEv2()
    ape["REPLAYGAIN_TRACK_GAIN"], ape["Title"] = "-3,5 dB", "Other"
    ape.save(path)

    assert got(path).tags == {"title": ("Tone",), "replaygain_track_gain": ("-3.50 dB",)}


def tagger() -> Tagger:
    return Tagger(SystemClock())


def test_the_child_reads_and_writes_like_that(sounds: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "tone.flac"
    path.write_bytes(sounds["flac"])
    large = picture("PNG", 900)
    with path.open("r+b", buffering=0) as file:
        tagger().write(file, Writing(tags={"artist": ("A", "B")}), stop=Event())
        flac = FLAC(path)
        block = Picture()
        block.type, block.mime, block.data = 3, "image/png", large
        flac.add_picture(block)
        flac.save()

        found = tagger().read(file, pixels=320, stop=Event())

    assert found.tags == {"artist": ("A", "B")}
    assert found.cover is not None
    with Image.open(BytesIO(found.cover)) as made:
        assert (made.format, made.size) == ("JPEG", (320, 320))


def test_boxes_that_lie_in_one_another_without_end_say_nothing() -> None:
    inside = b""
    for _ in range(3000):
        inside = (len(inside) + 8).to_bytes(4, "big") + b"moov" + inside

    assert read(BytesIO(b"\0\0\0\x14ftypM4A \0\0\0\0M4A " + inside)) == FileTags()


@pytest.mark.parametrize("junk", [b"", b"ID3\x04\0\0\x7f\x7f\x7f\x7f", bytes(range(256)) * 50])
def test_junk_says_nothing_and_is_not_written_to(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "junk.bin"
    path.write_bytes(junk)

    with path.open("r+b", buffering=0) as file:
        assert tagger().read(file, pixels=320, stop=Event()).tags == {}
        with pytest.raises(ChildFailed):
            tagger().write(file, Writing(tags={"title": ("T",)}), stop=Event())

    assert path.read_bytes() == junk


def test_a_file_of_another_kind_is_not_taggable(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("no music")

    with pytest.raises(NotTaggable):
        put(path, Writing(tags={"title": ("T",)}))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_what_the_device_refuses_is_no_fault_of_the_file(number: int) -> None:
    with pytest.raises(OSError, match=os.strerror(number)):
        blame_the_disk(ChildOutput(2, b"", f"{os.strerror(number)}\n"))

    blame_the_disk(ChildOutput(0, b"", os.strerror(number)))
    blame_the_disk(ChildOutput(1, b"", "it is Monday"))
