"""Reads histories of plays that other programs wrote, line by line.

    time,user,item_id,seconds[,title,artist,album,genre,size,length]    with a heading, as CSV
    date  user  item  type  name  method  client  device  seconds       Playback Reporting's export

A row that cannot be read is told with its line number and left out; all others count.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from sidecar.domain.replay.history import PastItem, PastPlay

NEEDED = ("time", "user", "item_id", "seconds")
TEXTS = ("title", "artist", "album", "genre")
# Where the columns of Playback Reporting's export are.
DATE, USER, ITEM, KIND, NAME, DURATION, COLUMNS = 0, 1, 2, 3, 4, 8, 9
# Lines of the same item so close to each other are one play that was paused.
PAUSE = timedelta(minutes=1)
LONGEST_S = 7 * 86400.0
LARGEST = 2**60
LONGEST_FIELD = 2**20
_TRACK = re.compile(r"(?P<artist>.+?) - (?P<title>.+) \((?P<album>.+)\)")
_SHOWN = 40


class NoHistory(ValueError):
    """The file has no heading that is known; `str()` says what is needed."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read.

    Attributes:
        line: From 1.
    """

    line: int
    reason: str


@dataclass(slots=True)
class Read:
    """What was read.

    Attributes:
        items: What the rows say of items, by their ids.
    """

    plays: list[PastPlay] = field(default_factory=list)
    items: dict[str, PastItem] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)


def read_plays(lines: Iterable[str]) -> Read:
    """Read a history of either kind.

    Raises:
        NoHistory: It is of neither kind.
    """
    lines = iter(line.replace("\0", "") for line in lines)
    before = []
    for line in lines:
        before.append(line)
        if line.strip():
            break
    else:
        raise NoHistory("it is empty")
    first = before[-1].lstrip("\ufeff")
    before[-1] = first
    csv.field_size_limit(LONGEST_FIELD)
    if len(first.rstrip("\r\n").split("\t")) >= COLUMNS and "item_id" not in first.lower():
        return _read_rows(chain(before, lines), "\t", is_report=True)
    delimiter = max(",;\t", key=first.count)
    return _read_rows(chain(before, lines), delimiter, is_report=False)


def _read_rows(lines: Iterable[str], delimiter: str, *, is_report: bool) -> Read:
    # Names in the export have quotes that mean nothing.
    taken: list[str] = []
    tapped = _tap(lines, taken)
    rows = (
        csv.reader(tapped, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        if is_report
        else csv.reader(tapped, delimiter=delimiter)
    )
    found = Read()
    columns: Mapping[str, int] | None = None
    while True:
        taken.clear()
        row: list[str] | None = None
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            if columns is None:
                found.bad.append(BadRow(rows.line_num, str(error)))
                continue
        if row is not None and not any(cell.strip() for cell in row):
            continue
        if columns is None and not is_report:
            columns = _read_heading(row or [])
        elif row is None or (columns is not None and _is_torn(taken, delimiter, columns)):
            first = rows.line_num - len(taken) + 1
            for number, line in enumerate(taken, start=first):
                _add_line(found, number, line, delimiter, columns)
        else:
            _add(found, rows.line_num, row, columns)
    if is_report:
        found.plays = list(_join(found.plays))
    return found


def _tap(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _is_torn(taken: list[str], delimiter: str, columns: Mapping[str, int]) -> bool:
    """Whether a quote that was never closed has made one row of several lines."""
    return any(_is_row(line, delimiter, columns) for line in taken[1:])


def _is_row(line: str, delimiter: str, columns: Mapping[str, int]) -> bool:
    try:
        _read_row(next(csv.reader([line], delimiter=delimiter), []), columns)
    except (ValueError, csv.Error):
        return False
    return True


def _add_line(
    found: Read, number: int, line: str, delimiter: str, columns: Mapping[str, int] | None
) -> None:
    try:
        row = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        found.bad.append(BadRow(number, str(error)))
        return
    if any(cell.strip() for cell in row):
        _add(found, number, row, columns)


def _add(found: Read, number: int, row: list[str], columns: Mapping[str, int] | None) -> None:
    try:
        play, item = _read_report(row) if columns is None else _read_row(row, columns)
    except ValueError as error:
        found.bad.append(BadRow(number, str(error)))
        return
    found.plays.append(play)
    known = found.items.get(item.id)
    found.items[item.id] = item if known is None else complete(known, item)


def complete(known: PastItem, other: PastItem) -> PastItem:
    """Return an item with what another row says of it, where it says nothing itself."""
    missing = {
        name: getattr(other, name)
        for name in (*TEXTS, "album_id", "size", "length", "number")
        if not getattr(known, name) and getattr(other, name)
    }
    return replace(known, **missing) if missing else known


def _read_heading(row: list[str]) -> Mapping[str, int]:
    columns = {name.strip().lower(): place for place, name in enumerate(row)}
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise NoHistory(
            f"its first line names no column {', '.join(missing)}; needed are "
            f"{','.join(NEEDED)}, possible {','.join((*TEXTS, 'size', 'length'))}"
        )
    return columns


def _read_row(row: list[str], columns: Mapping[str, int]) -> tuple[PastPlay, PastItem]:
    def cell(name: str) -> str:
        place = columns.get(name)
        return row[place].strip() if place is not None and place < len(row) else ""

    for name in ("user", "item_id"):
        if not cell(name):
            raise ValueError(f"{name} is missing")
    item_id = cell("item_id")
    play = PastPlay(
        _read_time(cell("time")),
        cell("user"),
        item_id,
        _read_number(cell("seconds"), "seconds", LONGEST_S),
    )
    size = _read_number(cell("size"), "size", LARGEST) if cell("size") else 0.0
    length = _read_number(cell("length"), "length", LONGEST_S) if cell("length") else 0.0
    return play, PastItem(
        id=item_id,
        title=cell("title"),
        artist=cell("artist") or None,
        album=cell("album") or None,
        genre=cell("genre") or None,
        size=int(size),
        length=length,
    )


def _read_report(row: list[str]) -> tuple[PastPlay, PastItem]:
    if len(row) < COLUMNS:
        raise ValueError(f"it has {len(row)} columns in place of {COLUMNS}")
    user, item_id = row[USER].strip(), row[ITEM].strip().lower().replace("-", "")
    if not user or not item_id:
        raise ValueError("the user or the item is missing")
    seconds = _read_number(row[DURATION].strip(), "PlayDuration", LONGEST_S)
    play = PastPlay(_read_time(row[DATE].strip()), user, item_id, seconds)
    name = row[NAME].strip()
    track = _TRACK.fullmatch(name) if row[KIND].strip() == "Audio" else None
    if track is None:
        return play, PastItem(id=item_id, title=name)
    return play, PastItem(
        id=item_id, title=track["title"], artist=track["artist"], album=track["album"]
    )


def _read_time(text: str) -> datetime:
    """Read an ISO time; one with a zone is taken to UTC."""
    if not text:
        raise ValueError("time is missing")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"time is {_show(text)}: must be a time such as 2026-03-01T18:30:00"
        ) from None
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"time is {_show(text)}: too early or too late") from None
    if not 1900 <= moment.year <= 9000:  # noqa: PLR2004
        raise ValueError(f"time is {_show(text)}: too early or too late")
    return moment


def _read_number(text: str, name: str, most: float) -> float:
    if not text:
        raise ValueError(f"{name} is missing")
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{name} is {_show(text)}: must be a number") from None
    if not 0 <= number <= most:
        raise ValueError(f"{name} is {_show(text)}: must be between 0 and {most:.0f}")
    return number


def _show(text: str) -> str:
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return repr(short)


def _join(plays: Iterable[PastPlay]) -> Iterator[PastPlay]:
    """Join lines that are of one play: the plugin writes a new one after each pause."""
    last: dict[tuple[str, str], PastPlay] = {}
    for play in sorted(plays, key=lambda one: one.began):
        key = (play.user, play.item_id)
        before = last.get(key)
        if before is not None:
            end = before.began + timedelta(seconds=before.seconds) + PAUSE
            if play.began <= end:
                last[key] = replace(before, seconds=before.seconds + play.seconds)
                continue
            yield before
        last[key] = play
    yield from last.values()
