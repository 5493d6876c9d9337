"""Real files of every kind: whole ones, and the beginnings of them that a lying middle sends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from sidecar.domain.transfers.failures import TransferFailed
from sidecar.domain.transfers.wholeness import Verdict, Wholeness
from sidecar.errors import Stopped
from sidecar.transfer.wholeness import WholenessChecker
from tests.fakes.media.kinds import DECODED, FILMS, GUESSED, KINDS, SOUNDS, length_of

Media = Callable[[str], Path]
LAST_FRAME = 188
CUTS: dict[str, Callable[[int], int]] = {
    "a quarter": lambda size: size // 4,
    "half": lambda size: size // 2 + 10,
    "most": lambda size: size * 9 // 10,
    "all but 64 KiB": lambda size: max(1, size - 64 * 1024),
    "all but 400 bytes": lambda size: size - 400,
    "all but a packet": lambda size: size - LAST_FRAME,
    "all but a byte": lambda size: size - 1,
}
# Cut where a frame ends, as these sizes happen to be, nothing but the length tells it.
BY_LENGTH = frozenset({"layer.mp2", "constant-uncounted.mp3", "film.ts", "film.m2ts"})
# Their kinds are unknown without a decoder, or they do not say how long they are.
NEEDS_DECODER = DECODED | {"fragments.m4a"}


def beginning(path: Path, folder: Path, size: int) -> Path:
    cut = folder / path.name
    cut.write_bytes(path.read_bytes()[:size])
    return cut


def check(checker: WholenessChecker, file: Path, expected_seconds: float | None) -> Wholeness:
    return checker.check(
        file, container=file.suffix.removeprefix("."), expected_seconds=expected_seconds
    )


@pytest.mark.parametrize("name", sorted(set(KINDS) - GUESSED))
def test_a_whole_file_is_whole(decoding: WholenessChecker, media: Media, name: str) -> None:
    found = check(decoding, media(name), length_of(media(name)))

    assert found.verdict is Verdict.WHOLE, found
    # Of several Ogg files that are strung together ffprobe counts one.
    times = 2 if name == "strung.ogg" else 1
    assert found.seconds == pytest.approx(times * (length_of(media(name)) or 0), abs=0.15)


@pytest.mark.parametrize("name", sorted(set(KINDS) - GUESSED - NEEDS_DECODER))
def test_a_whole_file_is_whole_without_a_decoder(
    alone: WholenessChecker, media: Media, name: str
) -> None:
    found = check(alone, media(name), length_of(media(name)))

    assert found.verdict is Verdict.WHOLE, found


@pytest.mark.parametrize("name", sorted(GUESSED | NEEDS_DECODER))
def test_a_whole_file_that_proves_nothing_is_never_called_cut(
    alone: WholenessChecker, decoding: WholenessChecker, media: Media, name: str
) -> None:
    for checker in (alone, decoding):
        for seconds in (length_of(media(name)), None, 500.0):
            found = check(checker, media(name), seconds)
            assert found.verdict is not Verdict.CUT or (seconds == 500.0 and name in DECODED)


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_is_not_called_cut_where_nobody_knows_its_length(
    alone: WholenessChecker, media: Media, name: str
) -> None:
    assert check(alone, media(name), None).verdict is not Verdict.CUT


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("name", KINDS)
def test_a_beginning_is_never_whole(
    alone: WholenessChecker, media: Media, tmp_path: Path, name: str, how: str
) -> None:
    whole = media(name)
    cut = beginning(whole, tmp_path, CUTS[how](whole.stat().st_size))

    for seconds in (length_of(whole), None):
        found = check(alone, cut, seconds)
        assert found.verdict is not Verdict.WHOLE, found
    # A single byte tells nothing of what it was.
    if name not in GUESSED | NEEDS_DECODER | BY_LENGTH and cut.stat().st_size > 1:
        assert found.verdict is Verdict.CUT, found


@pytest.mark.parametrize("name", KINDS)
def test_a_beginning_is_never_whole_for_a_decoder_either(
    decoding: WholenessChecker, media: Media, tmp_path: Path, name: str
) -> None:
    whole = media(name)
    for how in ("half", "all but 400 bytes", "all but a byte"):
        cut = beginning(whole, tmp_path, CUTS[how](whole.stat().st_size))
        found = check(decoding, cut, length_of(whole))
        assert found.verdict is not Verdict.WHOLE, (how, found)
        if how == "half" and name not in GUESSED:
            assert found.verdict is Verdict.CUT, found


@pytest.mark.parametrize("name", ["constant-uncounted.mp3", "layer.mp2"])
def test_a_lost_last_frame_is_noticed_where_only_the_length_tells(
    alone: WholenessChecker, media: Media, tmp_path: Path, name: str
) -> None:
    whole = media(name)
    for frame in (626, 627):
        cut = beginning(whole, tmp_path, whole.stat().st_size - frame)
        assert check(alone, cut, length_of(whole)).verdict is not Verdict.WHOLE


def test_an_end_that_is_a_tag_of_another_file_does_not_help_a_cut_one(
    alone: WholenessChecker, media: Media, tmp_path: Path
) -> None:
    """Two beginnings, one after the other: the tag is there, the length is not right."""
    whole = media("id3v1-counted.mp3")
    content = whole.read_bytes()
    odd = tmp_path / "odd.mp3"
    odd.write_bytes(content[: len(content) // 3] + content[-128:])

    for seconds in (length_of(whole), None):
        assert check(alone, odd, seconds).verdict is Verdict.UNKNOWN


def test_a_tag_that_was_cut_off_in_its_middle_is_noticed(
    alone: WholenessChecker, media: Media, tmp_path: Path
) -> None:
    for name in ("id3v1-counted.mp3", "ape.mp3"):
        whole = media(name)
        cut = beginning(whole, tmp_path, whole.stat().st_size - 5)
        assert check(alone, cut, length_of(whole)).verdict is Verdict.CUT


def test_a_hole_in_a_file_whose_end_is_there_is_noticed_by_the_decoder(
    decoding: WholenessChecker, media: Media, tmp_path: Path
) -> None:
    content = media("plain.opus").read_bytes()
    pages = [at for at in range(len(content)) if content.startswith(b"OggS", at)]
    odd = tmp_path / "odd.opus"
    odd.write_bytes(content[: pages[2]] + content[pages[-1] :])

    found = check(decoding, odd, length_of(media("plain.opus")))

    assert found.verdict is not Verdict.CUT


@pytest.mark.parametrize("name", [*SOUNDS, *FILMS])
def test_a_shorter_version_of_a_file_is_not_believed_nor_called_cut(
    alone: WholenessChecker, media: Media, name: str
) -> None:
    """What plays half as long as the library says may be another edition: a person decides."""
    found = check(alone, media(name), 2 * (length_of(media(name)) or 0))

    assert found.verdict is not Verdict.WHOLE
    if name not in BY_LENGTH:
        assert found.verdict is Verdict.UNKNOWN


def test_the_kind_is_told_by_the_content_not_by_the_name(
    alone: WholenessChecker, media: Media, tmp_path: Path
) -> None:
    for name in ("plain.flac", "varying.mp3", "film.mkv", "plain.aac"):
        file = tmp_path / "file"
        file.write_bytes(media(name).read_bytes())
        for container in ("", "mov,mp4,m4a", "wma"):
            found = alone.check(file, container=container, expected_seconds=None)
            assert found == check(alone, media(name), None)


def test_what_is_no_media_file_is_unknown(
    alone: WholenessChecker, decoding: WholenessChecker, tmp_path: Path
) -> None:
    for number, content in enumerate((b"x", b"<html>" * 9000, bytes(70_000), b"\xff" * 70_000)):
        file = tmp_path / f"{number}.mp3"
        file.write_bytes(content)
        for checker in (alone, decoding):
            assert check(checker, file, 200.0).verdict is Verdict.UNKNOWN


def test_an_empty_file_is_cut(alone: WholenessChecker, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()

    assert check(alone, tmp_path / "a.mp3", None).verdict is Verdict.CUT


def test_only_a_plain_file_is_read(alone: WholenessChecker, media: Media, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.mp3", tmp_path / "link.mp3"
    os.mkfifo(pipe)
    link.symlink_to(media("plain.flac"))

    assert check(alone, pipe, None).verdict is Verdict.UNKNOWN
    for path in (link, tmp_path / "nothing.mp3"):
        with pytest.raises(TransferFailed):
            check(alone, path, None)


def test_a_stop_ends_it(alone: WholenessChecker, decoding: WholenessChecker, media: Media) -> None:
    stop = Event()
    stop.set()
    for checker in (alone, decoding):
        with pytest.raises(Stopped):
            checker.check(media("plain.flac"), container="flac", expected_seconds=6.0, stop=stop)


def test_the_file_is_not_changed(decoding: WholenessChecker, media: Media) -> None:
    before = media("varying.mp3").read_bytes(), media("varying.mp3").stat().st_mtime_ns

    check(decoding, media("varying.mp3"), 6.0)

    assert (media("varying.mp3").read_bytes(), media("varying.mp3").stat().st_mtime_ns) == before
