"""Puts what was heard at home on a player: bookmarks in front, hearts and counts as a changelog.

    Jellyfin ─▶ newer than the player's? ─▶ a line in front, in the file's form ─▶ replaced whole

Only if its listener asks for it. Lines that are not ours stay byte for byte.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from sidecar.device.folder import DeviceFolder
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.player_logs.bookmarks import (
    LARGEST,
    RECENT,
    ROCKBOX,
    Bookmark,
    bookmark_file,
    parse_bookmark,
    put_in_front,
    split_lines,
)
from sidecar.domain.player_logs.changelog import FILE, MOST_RATING, parse_line, write_changelog
from sidecar.domain.player_logs.matching import OurFile, OurFiles, own_path
from sidecar.domain.player_logs.states import (
    KnownState,
    UserState,
    count_new,
    may_give_position,
)
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import AttachedDevice
from sidecar.services.players.player_logs.parts import PlayerParts
from sidecar.services.players.player_logs.state_reader import (
    LARGEST_CHANGELOG,
    PlayerFindings,
    StateReader,
    folders_of,
)
from sidecar.services.players.player_logs.state_views import GivenView

log = logging.getLogger(__name__)

MOST_BEGUN = 500
MOST_TRACKS = 10_000


@dataclass(frozen=True, slots=True)
class _Place:
    """A position to be put on the player; without one, a bookmark of ours is taken away."""

    file: OurFile
    known: KnownState
    elapsed_ms: int | None


class PlayerGiver:
    """Writes what Jellyfin knows to the files of a player. Thread-safe."""

    def __init__(self, parts: PlayerParts) -> None:
        self._parts = parts

    def give(
        self, person: Person, device_id: str, *, bookmarks: bool, changelog: bool
    ) -> GivenView:
        """Write bookmarks, a changelog, or both.

        Raises:
            NotTheListener: It is not this person's player.
            LogInUse: An import from this device is running.
            errors.NotVisible: This person does not use the device.
            errors.DeviceError: The device cannot be written; each file is as it was or whole.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        name = self._parts.access.settings(person, device_id).name
        self._parts.listeners.check(person, device_id)
        device = self._parts.registry.get(device_id)
        marks = PlayStates(self._parts.client(person.user_id))
        with self._parts.alone(device_id, name):
            files = self._files(person, device)
            put = self._give_bookmarks(device, files, marks) if bookmarks else 0
            tracks = self._give_changelog(device, files, marks) if changelog else 0
        log.info("%d bookmarks and %d tracks were put on %s", put, tracks, name)
        return GivenView(bookmarks=put, tracks=tracks)

    def _files(self, person: Person, device: AttachedDevice) -> list[OurFile]:
        sees_all = self._parts.access.sees_all(person, device.settings)
        return list(self._parts.imported.files(device.id, None if sees_all else person.user_id))

    def _give_bookmarks(
        self, device: AttachedDevice, files: list[OurFile], marks: PlayStates
    ) -> int:
        """Write the positions that are newer at home; return how many."""
        every = list(self._parts.imported.files(device.id, None))
        folders = folders_of(every)
        ours = OurFiles(files)
        now = self._parts.clock.now()
        reader = StateReader(mine=ours, all=ours, sees_all=False, now=now)
        found = reader.read(device.folder, folders)
        known = self._parts.states.known(device.id)
        places = list(self._places(device.folder, files, found, known, marks))
        example = _example(device.folder, found)
        put = 0
        for one in places:
            line = self._put(device, one, files, example)
            if one.elapsed_ms is None:
                done = replace(one.known, line=None)
            elif line is None:
                continue
            else:
                put += 1
                text, ms = line.decode("utf-8", "surrogateescape"), one.elapsed_ms
                done = replace(one.known, position_ms=ms, position_at=now, line=text)
            self._parts.states.save(device.id, one.file.item_id, done)
        return put

    def _places(
        self,
        folder: DeviceFolder,
        files: Iterable[OurFile],
        found: PlayerFindings,
        known: Mapping[str, KnownState],
        marks: PlayStates,
    ) -> Iterator[_Place]:
        begun = marks.resumable(MOST_BEGUN)
        given = [its for its, one in known.items() if one.line is not None and its not in begun]
        ended = marks.states(given) if given else {}
        # The newest in front: it is written last.
        by_item = {one.item_id: one for one in files}
        order = sorted(
            [*begun.items(), *ended.items()],
            key=lambda one: one[1].last.timestamp() if one[1].last else 0.0,
        )
        for item_id, server in order:
            file, before = by_item.get(item_id), known.get(item_id, KnownState())
            if file is None or folder.stat(file.path) is None:
                continue
            state = found.states.get(item_id)
            position = state.position() if state else None
            if item_id in ended and not server.position_s:
                yield _Place(file, before, None)
            elif may_give_position(position[0] if position else None, before, server):
                yield _Place(file, before, round(server.position_s * 1000))

    def _put(
        self,
        device: AttachedDevice,
        place: _Place,
        files: Iterable[OurFile],
        example: Bookmark | None,
    ) -> bytes | None:
        """Put a bookmark in front of the files that have it; return its line."""
        folder, _, name = place.file.path.rpartition("/")
        ours = [place.known.line.encode()] if place.known.line is not None else []
        read = device.folder.player_files.read
        there = read(bookmark_file(folder), most=LARGEST)
        line: bytes | None = None
        if place.elapsed_ms is not None:
            names = sorted(one.path for one in files if one.path.rpartition("/")[0] == folder)
            mark = Bookmark(
                index=names.index(place.file.path),
                elapsed_ms=place.elapsed_ms,
                folder=f"{_volume_of(example)}/{folder}/".replace("//", "/"),
                file=name,
            )
            line = _like_others(mark, there.content if there else b"", example)
        if place.elapsed_ms is not None and line is None:
            return None
        for path in (bookmark_file(folder), RECENT):
            there = read(path, most=LARGEST)
            if there is None and not self._may_begin(device.folder, path, line):
                continue
            content = b"" if there is None else there.content
            changed = put_in_front(content, line, ours=ours)
            if changed != content:
                before = None if there is None else content
                device.folder.player_files.replace(path, before, changed)
        return line

    def _may_begin(self, folder: DeviceFolder, path: str, line: bytes | None) -> bool:
        """Whether a bookmark file is to be made: beside a folder, on a player with Rockbox."""
        files = folder.player_files
        return (
            line is not None
            and path != RECENT
            and files.is_there(ROCKBOX)
            and not files.is_there(path)
        )

    def _give_changelog(
        self, device: AttachedDevice, files: list[OurFile], marks: PlayStates
    ) -> int:
        """Write hearts, counts and positions to the changelog; return of how many tracks."""
        there = device.folder.player_files.read(FILE, most=LARGEST_CHANGELOG)
        may_begin = device.folder.player_files.is_there(ROCKBOX)
        if there is None and (device.folder.player_files.is_there(FILE) or not may_begin):
            return 0
        content = b"" if there is None else there.content
        told = {
            make_path_key(own_path(track.path)): track
            for line in content.splitlines()
            if (track := parse_line(line)) is not None
        }
        volume = _volume(track.path for track in told.values())
        batch = list(islice((one for one in files if device.folder.stat(one.path)), MOST_TRACKS))
        servers = marks.states(one.item_id for one in batch)
        known = self._parts.states.known(device.id)
        logged = self._parts.states.logged(device.id, self._parts.clock.now())
        tracks: list[tuple[str, Mapping[str, int]]] = []
        for one in batch:
            server = servers.get(one.item_id)
            if server is None or (server.is_blank and not server.is_favourite):
                continue
            track = told.get(make_path_key(one.path))
            before = known.get(one.item_id, KnownState())
            plays, told_by_logs = track.plays if track else 0, logged.get(one.item_id, 0)
            new = count_new(plays, told_by_logs, before)
            numbers = _numbers(server, max(plays, server.count + new))
            tracks.append((track.path if track else f"{volume}/{one.path}", numbers))
            heard = told_by_logs + before.undated
            elsewhere = max(before.elsewhere, server.count - heard)
            rating = numbers.get("rating", before.rating)
            elapsed = numbers.get("lastelapsed", before.position_ms)
            given = replace(before, elsewhere=elsewhere, rating=rating, position_ms=elapsed)
            if given != before:
                # First, as the player may have the file then: nothing comes back as its own.
                self._parts.states.save(device.id, one.item_id, given)
        changed = write_changelog(content, tracks)
        if changed != content:
            before_it = None if there is None else content
            device.folder.player_files.replace(FILE, before_it, changed)
        return len(tracks)


def _numbers(server: UserState, plays: int) -> dict[str, int]:
    """Return what the player is told of a track."""
    numbers = {"playcount": plays} if plays else {}
    if server.is_favourite:
        numbers["rating"] = MOST_RATING
    if server.position_s:
        # The player prefers the bytes, which only it knows: with none it goes by the time.
        numbers |= {"lastelapsed": round(server.position_s * 1000), "lastoffset": 0}
    return numbers


def _like_others(mark: Bookmark, content: bytes, example: Bookmark | None) -> bytes | None:
    """Return our line for a bookmark file, in the form that the file has.

    Args:
        mark: The bookmark.
        content: The file; its lines know how the player calls the folder, and the file's place.
        example: Another line of the player, for a file without any.
    """
    marks = [one for one in map(parse_bookmark, split_lines(content)) if one is not None]
    alike = [one for one in marks if one.path and _key(one.folder) == _key(mark.folder)]
    same = [one for one in alike if make_path_key(one.file) == make_path_key(mark.file)]
    mark = replace(
        mark,
        index=same[0].index if same else mark.index,
        offset=_offset(same, mark.elapsed_ms),
        folder=alike[0].folder if alike else mark.folder,
    )
    form = marks[0] if marks else example
    return (mark if form is None else mark.like(form)).to_line()


def _key(path: str) -> str:
    return make_path_key(own_path(path))


def _offset(same: list[Bookmark], elapsed_ms: int) -> int:
    """Return the bytes of a time by another bookmark of the file.

    Without one 0: then the player goes by the time.
    """
    for one in same:
        if one.offset and one.elapsed_ms:
            return one.offset * elapsed_ms // one.elapsed_ms
    return 0


def _example(folder: DeviceFolder, found: PlayerFindings) -> Bookmark | None:
    """Return a bookmark of the player: the form of a file that is not there yet."""
    for path in found.files:
        file = folder.player_files.read(path, most=LARGEST) if path != FILE else None
        for line in split_lines(file.content) if file else ():
            if (mark := parse_bookmark(line)) is not None:
                return mark
    return None


def _volume_of(mark: Bookmark | None) -> str:
    return "" if mark is None else _volume([mark.folder])


def _volume(paths: Iterable[str]) -> str:
    """Return the volume with which a player begins its paths: `/<microSD1>`, or nothing."""
    first = next(iter(paths), "")
    return first.split(">/", 1)[0] + ">" if first.startswith("/<") and ">/" in first else ""
