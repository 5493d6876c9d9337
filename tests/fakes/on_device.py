"""Desks of what is on the devices and of what goes next, in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from sidecar.domain.downloads.states import Status
from sidecar.domain.undo import Reversal
from sidecar.domain.wishes import EvictionClass
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.files.browse import FilePage, FileView, TilePage, TileView
from sidecar.services.files.presence import Presence
from sidecar.services.files.search import FileQuery
from sidecar.services.space.next_to_go import EvictionCandidate, EvictionCandidates
from tests.fakes.desk import ANN, QUEUED_AT, FakeDesk, a_download

T = TypeVar("T")
ALBUM = f"{900:032x}"
HERE = Presence(Path("/media/car/file"), None)
AWAY = Presence(None, "Car stick is not there: plug it in and try again")


def a_file(number: int, **differences: object) -> FileView:
    """A track of an album that is there, unless told otherwise."""
    named = {name: differences.pop(name) for name in _OF_FILES & differences.keys()}
    view = a_download(
        number,
        **{"status": Status.COMPLETED, "completed_at": QUEUED_AT, **differences},
    )
    file = FileView(
        view=view,
        sight=HERE,
        tile=ALBUM,
        last_heard=None,
        was_used=False,
        is_pinned=False,
        holdings=(),
    )
    return replace(file, **named)  # type: ignore[arg-type]  # any field, by name


_OF_FILES = {"sight", "tile", "last_heard", "was_used", "is_pinned", "holdings"}


@dataclass
class FakeOnDevice:
    """Imitates `FileBrowser`; it shares its people with the desk.

    Unlike the real one it finds words anywhere in a title, looks at no device and keeps nothing.
    """

    desk: FakeDesk
    files_of: dict[int, FileView] = field(default_factory=dict)
    asked: list[FileQuery] = field(default_factory=list)
    pressed: list[tuple[str, str, int]] = field(default_factory=list)

    def add(self, *files: FileView, of: Sequence[Person] = (ANN,)) -> None:
        for one in files:
            self.files_of[one.view.id] = one
            self.desk.add(one.view, of=of)

    def tiles(self, person: Person, wanted: FileQuery) -> TilePage:
        self.asked.append(wanted)
        found = self._found(person, wanted)
        tiles = [
            self._tile(key, [one for one in self._found(person, FileQuery()) if one.tile == key])
            for key in dict.fromkeys(one.tile for one in found)
        ]
        return TilePage(items=_part(tiles, wanted), total=len(tiles), files=len(found))

    def files(self, person: Person, wanted: FileQuery) -> FilePage:
        self.asked.append(wanted)
        found = self._found(person, wanted)
        tiles = len({one.tile for one in found})
        return FilePage(items=_part(found, wanted), total=len(found), tiles=tiles)

    def tile(self, person: Person, key: str, wanted: FileQuery) -> tuple[TileView, FilePage]:
        self.asked.append(wanted)
        which = FileQuery(device_id=wanted.device_id)
        found = [one for one in self._found(person, which) if one.tile == key][::-1]
        if not found:
            raise NotVisible
        page = FilePage(items=_part(found, wanted), total=len(found), tiles=1)
        return self._tile(key, found), page

    def file(self, person: Person, download_id: int) -> FileView:
        view = self.desk.download(person, download_id)
        if download_id not in self.files_of:
            raise NotVisible
        return replace(self.files_of[download_id], view=view)

    def keep(self, person: Person, download_id: int) -> None:
        self.file(person, download_id)
        self.pressed.append((person.name, "keep", download_id))
        self._pin(download_id, is_pinned=True)

    def let_go(self, person: Person, download_id: int) -> Reversal:
        self.file(person, download_id)
        self.pressed.append((person.name, "let go", download_id))
        self._pin(download_id, is_pinned=False)
        return Reversal()

    def _pin(self, download_id: int, *, is_pinned: bool) -> None:
        self.files_of[download_id] = replace(self.files_of[download_id], is_pinned=is_pinned)

    def _found(self, person: Person, wanted: FileQuery) -> list[FileView]:
        there = (
            self.file(person, number)
            for number in sorted(self.files_of, reverse=True)
            if self.desk.some(person, [number])
        )
        return [
            one
            for one in there
            if wanted.text.casefold() in one.view.title.casefold()
            and wanted.device_id in {None, one.view.device_id}
            and (not wanted.item_types or one.view.item_type in wanted.item_types)
            and (
                not person.is_admin or not wanted.owners or set(wanted.owners) & {*one.view.owners}
            )
        ]

    def _tile(self, key: str, found: Sequence[FileView]) -> TileView:
        newest = max((one.view for one in found), key=lambda one: one.id)
        octets = sum(one.view.expected_size or 0 for one in found)
        title = newest.album if key == ALBUM else key.removeprefix("series:")
        return TileView(
            key=key,
            title=title,
            artist=newest.artist,
            newest=newest,
            files=len(found),
            bytes=octets,
        )


def _part(found: Sequence[T], wanted: FileQuery) -> Sequence[T]:
    start = (wanted.page - 1) * wanted.page_size
    return found[start : start + wanted.page_size]


@dataclass
class FakeLeavers:
    """Imitates `EvictionPreview`; everybody gets the same."""

    devices: list[EvictionCandidates] = field(default_factory=list)

    def all(self, person: Person, most: int) -> Sequence[EvictionCandidates]:
        return [replace(one, first=one.first[:most]) for one in self.devices]


def some_leavers(**differences: object) -> EvictionCandidates:
    """A stick with one file for every reason to go, and one of somebody else."""
    first = tuple(
        EvictionCandidate(number, f"Track {number}", 7_400_000, standing, was_used=number > 2)
        for number, standing in enumerate(EvictionClass, 1)
        if standing is not EvictionClass.LASTING
    )
    alien = EvictionCandidate(None, None, 1000, EvictionClass.PASSING, was_used=True)
    found = EvictionCandidates(
        device_id="stick",
        device_name="Car stick",
        trouble=None,
        first=(*first, alien),
        total=5,
        bytes=29_601_000,
    )
    return replace(found, **differences)  # type: ignore[arg-type]  # any field, by name
