r"""Parses and writes the changelog of a Rockbox player's database.

    ## Changelog version 1
    artist="…" album="…" … filename="/Music/1.mp3" … playcount="3" rating="8" … lastelapsed="0" …

One track a line, pairs with a space after each; `\"`, `\\` and `\n` are escaped. The player cuts
a pair at about 510 bytes and reads 2,047 bytes of a line. It writes a line break as a run of `\n`
up to there; of that run one is read. Numbers below 0 mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

FILE = ".rockbox/database_changelog.txt"
HEADER = b"## Changelog version 1"
TAGS = (
    *("artist", "album", "genre", "title", "filename", "composer", "comment", "albumartist"),
    *("grouping", "year", "discnumber", "tracknumber", "canonicalartist", "bitrate", "length"),
    *("playcount", "rating", "playtime", "lastplayed", "commitid", "mtime", "lastelapsed"),
    "lastoffset",
)
# What the player reads of a line, and the most that it writes of a pair.
LONGEST_LINE = 2047
LONGEST_PAIR = 510
CUT_FROM = 500
# 23 pairs of a player, and then some: what is longer is not from one.
LONGEST_READ = 32 * 1024
MOST_NUMBER = 2**31 - 1
MOST_PLAYS = 1_000_000
MOST_RATING = 10
LOVED = 8

_PAIR = re.compile(rb'([a-z]{1,20})="((?:[^"\\]|\\.)*)"(?: |$)', re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_RUN = re.compile(r"\n+\Z")


@dataclass(frozen=True, slots=True)
class ChangedTrack:
    """A track of the changelog: what its line says, by tag; a value may have been cut."""

    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The player's path of the file."""
        return self.values.get("filename", "")

    @property
    def plays(self) -> int:
        """How often the player has counted it; 0 if it says nothing that can be true."""
        return self.number("playcount", MOST_PLAYS) or 0

    @property
    def rating(self) -> int | None:
        """From 0 to 10; None if there is none."""
        return self.number("rating", MOST_RATING) or None

    @property
    def elapsed_ms(self) -> int | None:
        """Where the player goes on in it; None at the beginning."""
        return self.number("lastelapsed", MOST_NUMBER) or None

    def number(self, tag: str, most: int = MOST_NUMBER) -> int | None:
        """Return the number of a tag; None if it has none, or one that means nothing."""
        text = self.values.get(tag, "")
        if not _NUMBER.fullmatch(text):
            return None
        return value if 0 <= (value := int(text)) <= most else None


def parse_line(line: bytes) -> ChangedTrack | None:
    """Parse a line; None if it is no track: a comment, an empty line, or unreadable."""
    whole = line.rstrip(b"\r\n")
    if len(whole) > LONGEST_READ or whole.startswith(b"#") or b"\0" in whole:
        return None
    values: dict[str, str] = {}
    at = 0
    while at < len(whole):
        pair = _PAIR.match(whole, at)
        if pair is None:
            break
        # As the player does, of two pairs of one tag the first counts.
        values.setdefault(pair[1].decode(), _unescape(pair[2], is_cut=len(pair[0]) >= CUT_FROM))
        at = pair.end()
    # What follows the last whole pair was cut off; a line that begins with something else is none.
    return ChangedTrack(values) if values.get("filename") else None


def is_other_version(line: bytes) -> bool:
    """Whether a first line says that the file is of another version than we know."""
    return line.startswith(b"## Changelog version") and line.strip() != HEADER


def write_line(values: Mapping[str, str | int]) -> bytes | None:
    """Return the line of a track, without its end; None if the player could not find its file.

    The values are cut as the player cuts them. What does not fit into the line is left out: text
    before numbers, and never the file.
    """
    pairs = {tag: _pair(tag, str(values[tag])) for tag in TAGS if tag in values}
    name = pairs.get("filename")
    if name is None or parse_line(name) != ChangedTrack({"filename": str(values["filename"])}):
        return None
    numbers = {tag: one for tag, one in pairs.items() if isinstance(values[tag], int)}
    left = LONGEST_LINE - len(name) - sum(map(len, numbers.values()))
    kept = {"filename", *numbers}
    for tag, one in pairs.items():
        if tag not in kept and len(one) <= left:
            kept.add(tag)
            left -= len(one)
    return b"".join(one for tag, one in pairs.items() if tag in kept)


def change_line(line: bytes, values: Mapping[str, int]) -> bytes | None:
    """Return a line with other numbers; all else in it stays byte for byte.

    None if the player would not read it to its end then.
    """
    end = line[len(line.rstrip(b"\r\n")) :]
    text = line.rstrip(b"\r\n")
    at, done, parts = 0, set[str](), []
    while (pair := _PAIR.match(text, at)) is not None:
        tag = pair[1].decode()
        is_changed = tag in values and tag not in done
        parts.append(_pair(tag, str(values[tag])) if is_changed else pair[0])
        done.add(tag)
        at = pair.end()
    rest = text[at:]
    if rest or (parts and not parts[-1].endswith(b" ")):
        parts.append(rest or b" ")
    if rest and not rest.endswith(b" ") and set(values) - done:
        return None
    parts += [_pair(tag, str(value)) for tag, value in values.items() if tag not in done]
    whole = b"".join(parts)
    return whole + end if len(whole) <= LONGEST_LINE else None


def write_changelog(content: bytes, tracks: Iterable[tuple[str, Mapping[str, int]]]) -> bytes:
    """Return a changelog in which these tracks have these numbers; other lines stay as they are.

    Args:
        content: The file as it is; empty if there is none.
        tracks: The player's path of each file, and its numbers by tag.
    """
    wanted = dict(tracks)
    lines = re.findall(rb"[^\n]*\n|[^\n]+", content) or [HEADER + b"\n"]
    end = b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"
    done: set[str] = set()
    parts: list[bytes] = []
    for line in lines:
        track = parse_line(line)
        numbers = None if track is None else wanted.get(track.path)
        if track is None or numbers is None:
            parts.append(line)
            continue
        done.add(track.path)
        parts.append(change_line(line, numbers) or line)
    if parts[-1] and not parts[-1].endswith(b"\n"):
        parts[-1] += end
    for path, numbers in wanted.items():
        if path not in done and (line_ := write_line({"filename": path, **numbers})) is not None:
            parts.append(line_ + end)
    return b"".join(parts)


def _pair(tag: str, value: str) -> bytes:
    """Return a pair with the space after it, cut to what the player would write."""
    escaped = (
        value.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .encode("utf-8", "surrogateescape")
    )
    most = LONGEST_PAIR - len(tag) - len('=""  ')
    if len(escaped) > most:
        escaped = escaped[:most]
        # Neither half of an escape nor half of a character.
        if (len(escaped) - len(escaped.rstrip(b"\\"))) % 2:
            escaped = escaped[:-1]
        escaped = escaped.decode("utf-8", "ignore").encode()
    return f'{tag}="'.encode() + escaped + b'" '


def _unescape(value: bytes, *, is_cut: bool) -> str:
    plain = _ESCAPE.sub(lambda one: b"\n" if one[1] == b"n" else one[1], value)
    text = plain.decode("utf-8", "surrogateescape")
    return _RUN.sub("\n", text) if is_cut else text
