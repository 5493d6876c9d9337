"""Parses the listening logs of music players: two formats, line by line.

    .scrobbler.log          artist, album, title, number, seconds, L or S, time, MusicBrainz id
    .rockbox/playback.log   time:heard:length:path, milliseconds; its numbered older ones as well

An unreadable line is reported with its number and the reason, and the next one is read. What other
programs and crashed players write is read too: Windows line ends, a byte order mark, Latin-1, a
missing header or last field. Times are those of the player's clock: only the header tells whether
that was UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sidecar.messages import msg

# No player writes longer lines; they are cut here.
LONGEST_LINE = 4096
SHOWN = 200
BOM = b"\xef\xbb\xbf"
FIELDS = 8
UNTAGGED = "<UNTAGGED>"
LISTENED, SKIPPED = "L", "S"

_ZONE = "#TZ/"
_FAILED = "# FAILED"
_NUMBER = re.compile(r"-?[0-9]{1,15}")
# Marks that programs put before lines they have read. A minus may belong to the number.
_MARKS = re.compile(r"[^0-9A-Za-z#]*?(?=-?[0-9])|[^0-9#:/-][^0-9#:/]{0,7}:?(?=[0-9]{9,11}:)")


class LogKind(StrEnum):
    """The kind of a log; its times are those of the start (scrobbler) or the end (playback)."""

    SCROBBLER = "scrobbler"
    PLAYBACK = "playback"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPlay:
    """One listening as the player wrote it.

    Attributes:
        line: Its number in the file, from 1.
        stamp: Seconds since 1970 by the player's clock; 0 if it has none.
        is_utc: Whether that clock was set to UTC; else to local time.
        length_s: Of the track; None if unknown.
        heard_s: Seconds heard; None if only the verdict is known.
        is_skip: The player's own verdict; False in a playback log, which has none.
        path: The player's path of the file; None in a scrobbler log.
        number: On its disc; None if unknown.
        is_untagged: The file had no tags: `title` may be its file name.
    """

    kind: LogKind
    line: int
    stamp: int
    is_utc: bool = False
    length_s: float | None = None
    heard_s: float | None = None
    is_skip: bool = False
    path: str | None = None
    artist: str | None = None
    album: str | None = None
    title: str | None = None
    number: int | None = None
    is_untagged: bool = False


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that cannot be read: its number, the reason, and its beginning."""

    line: int
    why: str
    text: str


class _BadLine(ValueError):
    """The reason why a line cannot be read."""


def read_log(kind: LogKind, lines: Iterable[bytes]) -> Iterator[LoggedPlay | UnreadableLine]:
    """Read a log of this kind, lazily, one line at a time.

    Args:
        kind: Which format: AUDIOSCROBBLER/1.0 and 1.1, or Rockbox's playback log.
        lines: With their line ends, each at most a little longer than `LONGEST_LINE`.
    """
    reader = _Scrobbler() if kind is LogKind.SCROBBLER else _Playback()
    for number, raw in enumerate(lines, 1):
        try:
            heard = reader.read(_decode_line(raw, number), number)
        except _BadLine as bad:
            yield _unreadable_line(raw, number, bad)
        else:
            if heard is not None:
                yield heard


class _Playback:
    """Reads the lines of a playback log."""

    @staticmethod
    def read(text: str, line: int) -> LoggedPlay | None:
        """Parse a line; None if it has no listening."""
        if not text.strip() or text.startswith("#"):
            return None
        return _parse_playback(text.removesuffix("\n"), line)


@dataclass(slots=True)
class _Scrobbler:
    """Reads the lines of a scrobbler log; its header gives the time zone."""

    is_utc: bool = False

    def read(self, text: str, line: int) -> LoggedPlay | None:
        """Parse a line; None if it has no listening."""
        if text.startswith(_FAILED):
            raise _BadLine(msg("the player itself could not write it"))
        if text.startswith(_ZONE):
            self.is_utc = text.removeprefix(_ZONE).strip().upper() == "UTC"
        if not text.strip() or text.startswith("#"):
            return None
        if not text.endswith("\n") and text.count("\t") < FIELDS - 1:
            raise _BadLine(msg("it is cut off"))
        return _parse_scrobble(text.removesuffix("\n"), line, is_utc=self.is_utc)


def _parse_scrobble(text: str, line: int, *, is_utc: bool) -> LoggedPlay:
    fields = text.split("\t")
    if len(fields) not in {FIELDS, FIELDS - 1}:
        raise _BadLine(
            msg("it has {fields} fields, not {wanted}", fields=len(fields), wanted=FIELDS)
        )
    artist, album, title, number, length, rating, stamp = fields[: FIELDS - 1]
    verdict = rating.strip().upper()
    if verdict not in {LISTENED, SKIPPED}:
        raise _BadLine(msg("it is rated neither L nor S"))
    if not title.strip():
        raise _BadLine(msg("it has no title"))
    return LoggedPlay(
        kind=LogKind.SCROBBLER,
        line=line,
        stamp=_parse_number(stamp, "time"),
        is_utc=is_utc,
        length_s=_length(length),
        is_skip=verdict == SKIPPED,
        artist=None if artist.strip() == UNTAGGED else artist.strip() or None,
        album=album.strip() or None,
        title=title.strip(),
        number=_position(number),
        is_untagged=artist.strip() == UNTAGGED,
    )


def _length(text: str) -> float | None:
    """Parse a track's length; players write 0 or -1 for an unknown one."""
    if text.strip() == "-1":
        return None
    return float(_parse_number(text, "length")) or None


def _position(text: str) -> int | None:
    """Parse a track's number; players write 0, -1 or nothing for an unknown one.

    An unreadable number counts as unknown: the play is still imported.
    """
    digits = text.partition("/")[0].strip()
    return (max(int(digits), 0) or None) if _NUMBER.fullmatch(digits) else None


def _parse_playback(text: str, line: int) -> LoggedPlay:
    if (marks := _MARKS.match(text)) is not None:
        text = text[marks.end() :]
    fields = text.split(":", 3)
    if len(fields) < 4:  # noqa: PLR2004 - time, heard, length, path
        raise _BadLine(msg("it is not time:heard:length:path"))
    stamp, heard, length = (
        _parse_number(one, name)
        for one, name in zip(fields, ("time", msg("time heard"), "length"), strict=False)
    )
    path = fields[3]
    if not path.strip("/"):
        raise _BadLine(msg("it names no file"))
    return LoggedPlay(
        kind=LogKind.PLAYBACK,
        line=line,
        stamp=stamp,
        length_s=length / 1000 or None,
        heard_s=(min(heard, length) if length else heard) / 1000,
        path=path,
    )


def _decode_line(raw: bytes, number: int) -> str:
    """Decode a line and normalise its line end."""
    if len(raw) > LONGEST_LINE:
        raise _BadLine(msg("it is far too long"))
    if b"\0" in raw:
        raise _BadLine(msg("it is damaged: the player lost power while it wrote"))
    line = raw.removeprefix(BOM) if number == 1 else raw
    whole = line.rstrip(b"\r\n") + (b"\n" if line.endswith(b"\n") else b"")
    try:
        return whole.decode("utf-8")
    except UnicodeDecodeError:
        return whole.decode("latin-1")


def _parse_number(text: str, name: str) -> int:
    digits = text.strip()
    if not _NUMBER.fullmatch(digits):
        raise _BadLine(msg("its {name} is no number", name=name))
    value = int(digits)
    if value < 0:
        raise _BadLine(msg("its {name} is negative", name=name))
    return value


def _unreadable_line(raw: bytes, number: int, bad: _BadLine) -> UnreadableLine:
    text = raw[:SHOWN].decode("utf-8", "replace").rstrip("\r\n")
    return UnreadableLine(
        number, str(bad), "".join(one if one.isprintable() else " " for one in text)
    )
