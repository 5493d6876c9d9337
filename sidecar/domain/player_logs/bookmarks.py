"""Parses and writes the bookmark files of Rockbox players.

    NAME.bmark                     beside the folder or playlist NAME; in the root root_dir.bmark
    .rockbox/most-recent.bmark     the newest ones of all folders

    >FLAGS;index;offset;seed;elapsed;repeat;shuffle;[pitch;][speed;]folder or playlist;file
    index;offset;seed;first;elapsed;repeat;shuffle;folder or playlist;file        the old form

One line each, the newest first. Lines that are not ours are never changed, whatever is in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

MOST_LINES = 10
# The player's own buffer for a line, with the byte at its end.
LONGEST_LINE = 349
# Larger files are not written by any player; nothing of them is read.
LARGEST = 64 * 1024
MOST_MS = 2**31 - 1
ENDING = ".bmark"
ROOT_NAME = "root_dir.bmark"
ROCKBOX = ".rockbox"
RECENT = f"{ROCKBOX}/most-recent.bmark"

_PITCH, _SPEED = 1, 2
_NUMBER = re.compile(r"-?[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A place in a file.

    Attributes:
        index: Of the file in its folder or playlist.
        offset: In the file, in bytes; 0 if only the time is known.
        seed: Of the shuffling.
        elapsed_ms: From the beginning of the file.
        folder: The player's path of the folder or playlist.
        file: The file's name without its folder.
        pitch: None if the line has none.
        speed: None if the line has none.
        first: The token of the old form that means nothing; None in the new form.
    """

    index: int = 0
    offset: int = 0
    seed: int = 0
    elapsed_ms: int
    repeat: int = 0
    shuffle: int = 0
    pitch: int | None = None
    speed: int | None = None
    folder: str
    file: str
    first: int | None = None

    @property
    def path(self) -> str | None:
        """The player's path of the file; None if it was played from a playlist."""
        return f"{self.folder}{self.file}" if self.folder.endswith("/") else None

    def like(self, other: Bookmark) -> Bookmark:
        """Return the same place in the form of another line, and with its ways of playing."""
        return replace(
            self,
            repeat=other.repeat,
            shuffle=other.shuffle,
            seed=other.seed,
            pitch=other.pitch,
            speed=other.speed,
            first=None if other.first is None else 0,
        )

    def to_line(self) -> bytes | None:
        """Return the line without its end; None if the player could not read it."""
        flags = (self.pitch is not None) * _PITCH + (self.speed is not None) * _SPEED
        numbers = [self.index, self.offset, self.seed]
        numbers += [] if self.first is None else [self.first]
        numbers += [self.elapsed_ms, self.repeat, self.shuffle]
        numbers += [one for one in (self.pitch, self.speed) if one is not None]
        start = "" if self.first is not None else f">{flags};"
        text = f"{start}{';'.join(map(str, numbers))};{self.folder};{self.file}"
        line = text.encode("utf-8", "surrogateescape")
        return line if len(line) <= LONGEST_LINE and parse_bookmark(line) == self else None


def parse_bookmark(line: bytes) -> Bookmark | None:
    """Parse a line of a bookmark file; None if it names no place in a file."""
    text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    if len(line) > LARGEST or "\0" in text or "\n" in text or "\r" in text:
        return None
    flags = 0
    is_new = text.startswith(">")
    if is_new:
        head, _, text = text[1:].partition(";")
        if not _NUMBER.fullmatch(head) or not 0 <= (flags := int(head)) <= _PITCH + _SPEED:
            return None
    extra = (flags & _PITCH > 0) + (flags & _SPEED > 0) + (not is_new)
    tokens = text.split(";", 6 + extra)
    if len(tokens) != 7 + extra or not all(map(_NUMBER.fullmatch, tokens[:-1])):
        return None
    numbers = [int(one) for one in tokens[:-1]]
    folder, _, file = tokens[-1].partition(";")
    index, offset, seed, *rest = numbers
    first = None if is_new else rest.pop(0)
    elapsed, repeat, shuffle, *optional = rest
    if not (0 <= elapsed <= MOST_MS and offset >= 0) or not folder or not file or "/" in file:
        return None
    return Bookmark(
        index=index,
        offset=offset,
        seed=seed,
        elapsed_ms=elapsed,
        repeat=repeat,
        shuffle=shuffle,
        pitch=optional.pop(0) if flags & _PITCH else None,
        speed=optional.pop(0) if flags & _SPEED else None,
        folder=folder,
        file=file,
        first=first,
    )


def split_lines(content: bytes) -> Sequence[bytes]:
    """Split a file into its lines, each with its end; joined they are the file."""
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def put_in_front(content: bytes, line: bytes | None, *, ours: Collection[bytes] = ()) -> bytes:
    """Return a bookmark file with a line of ours in front; all others stay byte for byte.

    Args:
        content: The file as it is; empty if there is none.
        line: The new line, without its end; None only removes what is ours.
        ours: Lines that we wrote, without their ends: they are left out.

    A file holds ten bookmarks: as on the player, the oldest makes room.
    """
    lines = split_lines(content)
    end = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
    kept = [one for one in lines if one.rstrip(b"\r\n") not in {*ours, line}]
    if line is None:
        return b"".join(kept)
    most = max(MOST_LINES, len(lines)) - 1
    return b"".join([line + end, *kept[:most]])


def bookmark_file(folder: str) -> str:
    """Return the path of the bookmark file of a folder; "" is the root."""
    return f"{folder.strip('/')}{ENDING}" if folder.strip("/") else ROOT_NAME


def is_at_end(elapsed_s: float, whole_s: float | None) -> bool:
    """Whether a position is the end: a tenth of it is left, and five minutes at most."""
    return bool(whole_s) and elapsed_s >= (whole_s or 0.0) - min(300.0, (whole_s or 0.0) / 10)
