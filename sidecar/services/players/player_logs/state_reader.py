"""Reads the bookmarks and the changelog of a player and compares them with Jellyfin.

    lines ─▶ our files ─▶ something new? ─▶ what Jellyfin knows ─▶ taken, asked, or known

Changes nothing. Of each file only so much is read, and of each look only so many items are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sidecar.device.folder import DeviceFolder
from sidecar.device.foreign.player_files import PlayerFile
from sidecar.domain.items.item import Item
from sidecar.domain.player_logs.bookmarks import (
    LARGEST,
    RECENT,
    Bookmark,
    parse_bookmark,
    split_lines,
)
from sidecar.domain.player_logs.changelog import (
    FILE,
    LOVED,
    ChangedTrack,
    is_other_version,
    parse_line,
)
from sidecar.domain.player_logs.matching import AHEAD, EARLIEST, OurFile, OurFiles
from sidecar.domain.player_logs.parsing import SHOWN
from sidecar.domain.player_logs.states import (
    KnownState,
    PlayerPosition,
    UserState,
    Verdict,
    count_new,
    is_new_heart,
    judge_position,
    newest_position,
)
from sidecar.messages import msg
from sidecar.services.players.player_logs.reader import AMBIGUOUS, UNKNOWN
from sidecar.services.players.player_logs.views import RemarkView

LARGEST_CHANGELOG = 16 * 1024 * 1024
MOST_FOLDERS = 5000
MOST_ITEMS = 500
MOST_REMARKS = 100
# The dates of FAT files are exact to two seconds.
FAT = timedelta(seconds=2)

OTHER_VERSION = msg("a changelog of another version: nothing in it is read")
UNREADABLE = msg("not readable")


@dataclass(slots=True)
class FoundState:
    """What a player says of one file."""

    positions: list[tuple[PlayerPosition, str]] = field(default_factory=list)
    plays: int = 0
    rating: int | None = None
    counted_at: datetime | None = None

    def position(self) -> tuple[PlayerPosition, str] | None:
        """Return the newest position and the file that says so."""
        if not self.positions:
            return None
        newest = newest_position(one for one, _ in self.positions)
        return next(one for one in self.positions if one[0] == newest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An item with what its player says, what was dealt with, and what Jellyfin knows."""

    item: Item
    found: FoundState
    known: KnownState
    server: UserState
    plays: int
    verdict: Verdict | None
    is_heart: bool


@dataclass(slots=True)
class PlayerFindings:
    """What was found on a player."""

    files: list[str] = field(default_factory=list)
    states: dict[str, FoundState] = field(default_factory=dict)
    unknown: int = 0
    others: int = 0
    remarks: list[RemarkView] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReader:
    """The person for whom a player is read: as `reader.Reader`."""

    mine: OurFiles
    all: OurFiles
    sees_all: bool
    now: datetime

    def read(self, folder: DeviceFolder, folders: Iterable[str]) -> PlayerFindings:
        """Read a player's files.

        Args:
            folder: The device.
            folders: Where bookmark files may be.

        Raises:
            errors.DeviceError: The device cannot be read.
        """
        found = PlayerFindings()
        files = folder.player_files
        for path in [*files.bookmark_files(folders), RECENT]:
            if (file := files.read(path, most=LARGEST)) is not None:
                self._read_bookmarks(file, found)
        if (file := files.read(FILE, most=LARGEST_CHANGELOG)) is not None:
            self._read_changelog(file, found)
        return found

    def _read_bookmarks(self, file: PlayerFile, found: PlayerFindings) -> None:
        found.files.append(file.path)
        # The date of a file is that of its first line only.
        at = self._date(file)
        for number, line in enumerate(split_lines(file.content), 1):
            bookmark = parse_bookmark(line)
            if bookmark is None:
                if line.strip():
                    self._remark(found, file, number, line, UNREADABLE)
                at = None
                continue
            ours = self._match(bookmark, self.mine)
            if len(ours) == 1:
                position = PlayerPosition(bookmark.elapsed_ms, at)
                of = found.states.setdefault(ours[0].item_id, FoundState())
                of.positions.append((position, file.path))
            else:
                others = self._match(bookmark, self.all)
                self._not_one(found, (file, number, line), ours, others)
            at = None

    def _read_changelog(self, file: PlayerFile, found: PlayerFindings) -> None:
        found.files.append(file.path)
        at = self._date(file) or self.now
        for number, line in enumerate(file.content.splitlines(), 1):
            if number == 1 and is_other_version(line):
                self._remark(found, file, number, line, OTHER_VERSION)
                return
            track = parse_line(line)
            if track is None:
                if line.strip() and not line.startswith(b"#"):
                    self._remark(found, file, number, line, UNREADABLE)
                continue
            ours = self.mine.at(track.path)
            if not ours:
                others = self.all.at(track.path)
                self._not_one(found, (file, number, line), ours, others)
                continue
            self._add(found.states.setdefault(ours[0].item_id, FoundState()), track, file, at)

    def _add(self, of: FoundState, track: ChangedTrack, file: PlayerFile, at: datetime) -> None:
        of.plays = max(of.plays, track.plays)
        of.counted_at = at
        if track.rating is not None:
            of.rating = max(of.rating or 0, track.rating)
        if track.elapsed_ms is not None and not of.positions:
            of.positions.append((PlayerPosition(track.elapsed_ms), file.path))

    def _date(self, file: PlayerFile) -> datetime | None:
        """Return the date of a file, if it can be true."""
        if EARLIEST <= file.changed_at <= self.now + AHEAD:
            return min(file.changed_at, self.now)
        return None

    def _match(self, bookmark: Bookmark, files: OurFiles) -> Sequence[OurFile]:
        path = bookmark.path
        return files.named(bookmark.file) if path is None else files.at(path)

    def _not_one(
        self,
        found: PlayerFindings,
        where: tuple[PlayerFile, int, bytes],
        ours: Sequence[OurFile],
        others: Sequence[OurFile],
    ) -> None:
        if not ours and others:
            found.others += 1
            return
        found.unknown += 1
        paths = ", ".join(one.path for one in ours[:3])
        self._remark(found, *where, AMBIGUOUS.format(paths=paths) if ours else UNKNOWN)

    def _remark(
        self, found: PlayerFindings, file: PlayerFile, number: int, line: bytes, why: str
    ) -> None:
        """Keep the first remarks, for a person who may read all that is on the device."""
        if self.sees_all and len(found.remarks) < MOST_REMARKS:
            text = line[:SHOWN].decode("utf-8", "replace")
            shown = "".join(one if one.isprintable() else " " for one in text).strip()
            found.remarks.append(RemarkView(path=file.path, line=number, text=shown, why=why))


def compare(
    found: PlayerFindings,
    known: Mapping[str, KnownState],
    logged: Callable[[datetime], Mapping[str, int]],
    look_up: Callable[[Iterable[str]], Mapping[str, Item]],
    states: Callable[[Iterable[str]], Mapping[str, UserState]],
) -> tuple[list[Compared], bool]:
    """Compare what was found with Jellyfin; return what is new, and whether there is more.

    Args:
        found: What a player says.
        known: What was dealt with before, by item id.
        logged: Returns how many plays up to a date the player's logs have told, by item id.
        look_up: Returns the items that the person may see.
        states: Returns what Jellyfin knows of items.
    """
    dates = {one.counted_at for one in found.states.values() if one.counted_at is not None}
    told = logged(max(dates) + FAT) if dates else {}
    new = [its for its in found.states if _may_be_new(its, found, known, told)]
    batch = new[:MOST_ITEMS]
    items = look_up(batch) if batch else {}
    servers = states(items) if items else {}
    every = [
        _compare_one(
            items[its], found.states[its], known.get(its, KnownState()), servers[its], told
        )
        for its in batch
        if its in items and its in servers
    ]
    return every, len(new) > len(batch)


def folders_of(files: Iterable[OurFile]) -> list[str]:
    """Return the folders in which bookmark files may be: those of our files, and all above."""
    found: dict[str, None] = {"": None, "Playlists": None}
    for one in files:
        folder = one.path.rpartition("/")[0]
        while folder and folder not in found:
            found[folder] = None
            folder = folder.rpartition("/")[0]
        if len(found) >= MOST_FOLDERS:
            break
    return list(found)


def _may_be_new(
    item_id: str,
    found: PlayerFindings,
    known: Mapping[str, KnownState],
    told: Mapping[str, int],
) -> bool:
    state, before = found.states[item_id], known.get(item_id, KnownState())
    position = state.position()
    return (
        (position is not None and position[0].elapsed_ms != before.position_ms)
        or count_new(state.plays, told.get(item_id, 0), before) > 0
        or ((state.rating or 0) >= LOVED and state.rating != before.rating)
    )


def _compare_one(
    item: Item, found: FoundState, known: KnownState, server: UserState, told: Mapping[str, int]
) -> Compared:
    position = found.position()
    return Compared(
        item=item,
        found=found,
        known=known,
        server=server,
        plays=count_new(found.plays, told.get(item.id, 0), known),
        verdict=None
        if position is None
        else judge_position(position[0], item.seconds, known, server),
        is_heart=is_new_heart(found.rating, known, server),
    )
