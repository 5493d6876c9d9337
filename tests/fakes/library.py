"""Desks of the library, of what is on devices and of playing, in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace

import requests

from sidecar.domain.downloads.states import Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.kinds import Kind
from sidecar.errors import DeviceError, NotPossible, NotVisible, ServerAway
from sidecar.jellyfin.library.streaming import FileStream
from sidecar.services.accounts.person import Person
from sidecar.services.files.presence import Presence
from sidecar.services.files.search import FileQuery, FoundFile, FoundFilesPage
from sidecar.services.files.streaming import Local, NoFile, OpenFile, Remote, StreamLimit
from sidecar.services.library.browse import BrowseEntry, BrowseQuery, LibraryEntry, LibraryPage
from sidecar.services.library.covers import Cover
from sidecar.services.library.download_state import ButtonState, ItemDownloadState
from tests.fakes.desk import PIXEL, a_download

TRACK = f"{7:032x}"
ALBUM = f"{8:032x}"
BODY = bytes(range(256)) * 40
MODIFIED_NS = 1_700_000_000_500_000_000


def an_entry(number: int = 7, **facts: object) -> BrowseEntry:
    values: dict[str, object] = {
        "id": f"{number:032x}",
        "type": ItemType.AUDIO,
        "title": f"Track {number}",
        "artist": "The Quiet Hour",
        "album": "Evenings",
        "album_id": ALBUM,
        "number": number,
        "disc": 1,
        "year": 2019,
        "seconds": 27.5,
        "size": 1234,
        "image_item_id": ALBUM,
        "image_tag": "tag",
        "is_favorite": True,
        "is_played": False,
        "can_download": True,
    }
    return BrowseEntry(Item(**{**values, **facts}), Kind.TRACK, None)  # type: ignore[arg-type]  # by name


WAITS = ItemDownloadState(
    device_id="stick", device_name="Car stick", state=ButtonState.WAITING, place=3, total=1
)


@dataclass
class FakeLibrary:
    """Imitates `LibraryBrowser`; everybody sees the same and nothing is asked.

    Unlike the real one it knows how everything stands, in lists as well.
    """

    entries: dict[str, BrowseEntry] = field(default_factory=dict)
    asked: list[BrowseQuery] = field(default_factory=list)
    is_away: bool = False
    cover_type: str = "image/png"
    buttons: list[ItemDownloadState] = field(default_factory=lambda: [WAITS])

    def listed(self, person: Person, asked: BrowseQuery) -> LibraryPage:
        self._check()
        self.asked.append(asked)
        found = [LibraryEntry(one, self.buttons) for one in self.entries.values()]
        return LibraryPage(found, len(found), asked.page, asked.page_size)

    def show(self, person: Person, item_id: str) -> LibraryEntry:
        return LibraryEntry(self._entry(item_id), self.buttons)

    def again(self, person: Person, item_ids: Collection[str]) -> Sequence[LibraryEntry]:
        return [self.show(person, one) for one in item_ids if one in self.entries]

    def cover(self, person: Person, item_id: str, width: int) -> Cover:
        self._entry(item_id)
        return Cover(PIXEL, self.cover_type, "tag")

    def heart(self, person: Person, item_id: str, *, value: bool) -> bool:
        self._entry(item_id)
        return value

    def _entry(self, item_id: str) -> BrowseEntry:
        self._check()
        if item_id not in self.entries:
            raise NotVisible
        return self.entries[item_id]

    def _check(self) -> None:
        if self.is_away:
            raise ServerAway("Jellyfin at http://jellyfin.example does not answer")


@dataclass
class FakeOffline:
    """Imitates `FileSearch`; unlike the real one it looks nowhere."""

    files_of: dict[str, list[FoundFile]] = field(default_factory=dict)
    asked: list[FileQuery] = field(default_factory=list)

    def add(self, person: Person, number: int, *, path: Path | None, text: str | None) -> None:
        view = a_download(number, status=Status.COMPLETED, expected_size=1234)
        self.files_of.setdefault(person.name, []).append(FoundFile(view, Presence(path, text)))

    def files(self, person: Person, query: FileQuery) -> FoundFilesPage:
        self.asked.append(query)
        found = self.files_of.get(person.name, [])
        return FoundFilesPage(found, len(found), query.page, query.page_size)

    def item(self, person: Person, item_id: str) -> Sequence[FoundFile]:
        there = [one for one in self.files_of.get(person.name, []) if one.view.item_id == item_id]
        if not there:
            raise NotVisible
        return there


def relayed(blocks: Sequence[bytes], *, breaks: bool = False) -> FileStream:
    """An answer of Jellyfin's as if it came over a connection."""

    def come(_size: int, **_how: object) -> Iterator[bytes]:
        yield from blocks
        if breaks:
            raise ConnectionResetError

    response = requests.Response()
    response.raw = SimpleNamespace(
        stream=come, close=lambda: None, release_conn=lambda: None, closed=False
    )
    headers = {"Content-Length": str(len(BODY))}
    return FileStream(HTTPStatus.OK, headers, "audio/flac", response)


@dataclass
class FakeMedia:
    """Imitates `MediaStreaming` with files in a folder; people own them by name.

    Unlike the real one it notes no use in a database and never asks Jellyfin.
    """

    folder: Path
    owners: dict[int, str] = field(default_factory=dict)
    vanished: set[int] = field(default_factory=set)
    away: set[int] = field(default_factory=set)
    used: list[int] = field(default_factory=list)
    opened: list[OpenFile] = field(default_factory=list)
    streams: StreamLimit = field(default_factory=lambda: StreamLimit(most=3, most_each=2))
    told: dict[str, FileStream] = field(default_factory=dict)
    asked: list[Mapping[str, str]] = field(default_factory=list)
    mime_type: str = "audio/flac"

    def add(self, person: Person, number: int, body: bytes = BODY) -> None:
        self.owners[number] = person.name
        (self.folder / str(number)).write_bytes(body)

    def source(self, person: Person, item_id: str) -> Local | Remote:
        number = int(item_id, 16)
        if self.owners.get(number) == person.name:
            return Local(number, self.folder / str(number))
        if item_id == ALBUM:
            raise NotPossible("Evenings is nothing that plays by itself")
        if item_id not in self.told:
            raise NotVisible
        return Remote(item_id)

    def open(self, person: Person, download_id: int) -> OpenFile:
        if self.owners.get(download_id) != person.name:
            raise NotVisible
        if download_id in self.vanished:
            raise NoFile("The file of Track 7 is not on Car stick any more")
        if download_id in self.away:
            raise DeviceError("missing", "Car stick is not there: plug it in and try again")
        path = self.folder / str(download_id)
        found = OpenFile(
            download_id=download_id,
            item_id=f"{download_id:032x}",
            file=path.open("rb", buffering=0),
            size=path.stat().st_size,
            modified_ns=MODIFIED_NS,
            etag="abc-1",
            name='Räksmörgås "7".flac',
            mime_type=self.mime_type,
        )
        self.opened.append(found)
        return found

    def stream(self, person: Person, item_id: str, asked: Mapping[str, str]) -> FileStream:
        self.asked.append(asked)
        if item_id not in self.told:
            raise NotVisible
        return self.told[item_id]

    def begin(self, person: Person) -> Callable[[], None]:
        return self.streams.begin(person.user_id)

    def note_use(self, person: Person, found: OpenFile) -> None:
        self.used.append(found.download_id)
