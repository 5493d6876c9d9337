"""A whole sidecar without threads, on a demo server whose media move; its stick is full of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from werkzeug.test import Client

from sidecar.assembly.assembly import Assembly, assemble
from sidecar.assembly.store import DATABASE
from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.demo.protocol.messages import Reply, Request
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.naming import build_path
from sidecar.domain.items.item import Item
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.services.accounts.person import Person
from sidecar.store.accounts.sessions import derive_csrf_token
from sidecar.store.database import Database
from sidecar.store.downloads.adopt import AdoptedFile
from sidecar.store.downloads.insert import NewDownload
from sidecar.store.stores import Stores
from sidecar.web.security.masking import mask
from tests.fakes.clock import FakeClock
from tests.fakes.libraries.tiny import LIBRARIES, Entry, track, write
from tests.fakes.servers.demo import QUICK
from tests.services.conftest import STICK
from tests.store.examples import with_tables


class CountingServer(DemoServer):
    """The demo server, which remembers what it was asked."""

    def answer(self, request: Request) -> Reply:
        with self.core.lock:
            self.paths.append(request.path)
        return super().answer(request)

    @cached_property
    def paths(self) -> list[str]:
        return []

    @property
    def fetched(self) -> int:
        """How many files were asked for, or parts of them."""
        return sum(one.endswith(("/Download", "/File")) for one in self.paths)


@dataclass
class MovingHouse:
    """Ann, the admin, their stick, and the media that the server has."""

    clock: FakeClock
    library: Path
    listing: Entry
    server: CountingServer
    services: Assembly
    store: Stores
    stick: Path
    bus: Bus
    open: ExitStack
    settings: Settings
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, name: str) -> Person:
        """Sign a person in, once."""
        if name not in self.people:
            accounts = self.services.accounts.service
            account = accounts.with_password(name, SecretStr(name))
            self.people[name] = Person(account.user_id, name, is_admin=account.is_admin)
        return self.people[name]

    def client(self, name: str = "ann") -> Jellyfin:
        return self.services.accounts.service.client(self.person(name).user_id)

    def items(self, name: str = "ann") -> list[Item]:
        """Return what the server has, as it says now."""
        return list(ServerFileIndex(self.client(name)).all_full().items)

    def item(self, title: str) -> Item:
        (found,) = [one for one in self.items() if one.title == title]
        return found

    def wish(self, item: Item, *, name: str = "ann", rule: str = "pin", of: str = "") -> Wish:
        reason = Reason(rule, of or item.id, "downloaded by you")
        return Wish(self.person(name).user_id, STICK, item, reason)

    def want(self, *items: Item, name: str = "ann", rule: str = "pin", of: str = "") -> int:
        """Have items wanted, as a rule or a person does; return how many were queued."""
        wishes = [self.wish(one, name=name, rule=rule, of=of) for one in items]
        return self.services.rules.planning.hold(wishes, self.client(name).items)

    def fill(self, *items: Item, name: str = "ann", rule: str = "pin", of: str = "") -> None:
        """Put files on the stick as if they had been fetched, each held."""
        with self.store.db.write():
            self._put(items, name)
        self.want(*items, name=name, rule=rule, of=of)

    def _put(self, items: Iterable[Item], name: str) -> None:
        adopter, device = self.store.downloads.adopter, self.services.devices.registry.get(STICK)
        for item in items:
            path = build_path(item)
            file = self.stick / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * (item.size or 0))
            wanted = NewDownload(
                item=item, device_id=STICK, user_id=self.person(name).user_id, places=()
            )
            size, content_hash = item.size or 0, device.folder.content_hash(path)
            assert adopter.adopt(wanted, AdoptedFile(path, size, content_hash, "audio/flac"))

    def rows(self) -> list[Download]:
        ids = [one for (one,) in self.store.db.sql("SELECT id FROM downloads ORDER BY id")]
        found = [self.store.downloads.queries.get(one) for one in ids]
        return [one for one in found if one is not None]

    def row(self, title: str) -> Download:
        (found,) = [one for one in self.rows() if one.title == title]
        return found

    def files(self) -> list[str]:
        """Return the media on the stick."""
        every = (one for one in self.stick.rglob("*.flac") if one.is_file())
        return sorted(one.relative_to(self.stick).as_posix() for one in every)

    def rescan(self, **changes: object) -> None:
        """Let the server look at its media again, with another listing."""
        self.listing.update(changes)
        (self.library / "library.json").write_text(json.dumps(self.listing), encoding="utf-8")
        self.server.core.scan()

    def install_anew(self, server_id: str, **changes: object) -> None:
        """Let another server with the same people answer at the address, with another listing."""
        port, paths = int(self.server.url.rpartition(":")[2]), self.server.paths
        self.server.stop()
        self.listing.update(changes)
        (self.library / "library.json").write_text(json.dumps(self.listing), encoding="utf-8")
        self.server = self.open.enter_context(
            CountingServer(
                self.library, speaks=Version.V12_0, timing=QUICK, port=port, server_id=server_id
            )
        )
        self.server.paths.extend(paths)

    def rename_folder(self, was: str, now: str) -> None:
        """Move a folder of the server's media, and let it look."""
        (self.library / now).parent.mkdir(parents=True, exist_ok=True)
        (self.library / was).rename(self.library / now)
        for entry in self.listing["tracks"]:
            if entry["path"].startswith(f"{was}/"):
                entry["path"] = f"{now}/{entry['path'].removeprefix(f'{was}/')}"
        self.rescan()

    def look(self, added: list[str] | None = None, *, name: str = "ann") -> int:
        """Look for what moved; return how many requests that took."""
        user_id, before = self.person(name).user_id, len(self.server.paths)
        self.services.rules.followers.looking.look(user_id, added)
        return len(self.server.paths) - before


def tracks(count: int, folder: str = "Music/The Sine Waves/First Light (2019)") -> list[Entry]:
    return [track(folder, number, f"Tone {number}") for number in range(1, count + 1)]


def listing(entries: list[Entry]) -> Entry:
    return {
        "libraries": LIBRARIES,
        "tracks": entries,
        "films": [],
        "episodes": [],
        "covers": {},
        "playlists": [],
    }


@contextmanager
def moving_house(
    tmp_path: Path,
    entries: list[Entry],
    *,
    sizes: Mapping[str, int] | None = None,
    change: Callable[[dict[str, Any]], object] = lambda _facts: None,
    write_media: Callable[[Path], Path] | None = None,
    kind: type[CountingServer] = CountingServer,
) -> Iterator[MovingHouse]:
    """Build it; `write_media` writes another library than one of these tracks."""
    clock, bus, stick = FakeClock(), Bus(), tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    listed = listing(entries)
    library = tmp_path / "media"
    library = write_media(library) if write_media else write(library, listed, sizes)
    device: dict[str, Any] = {"name": "Car stick", "path": stick}
    change(device)
    with ExitStack() as leaving:
        server = leaving.enter_context(kind(library, speaks=Version.V12_0, timing=QUICK))
        settings = Settings(
            jellyfin=JellyfinSettings(url=server.url),
            server=ServerSettings(data_dir=tmp_path / "data"),
            devices=(DeviceSettings(**device),),
        )
        db = Database.open(with_tables(settings.server.data_dir / DATABASE), clock=clock)
        store = Stores(db, bus, clock)
        services = assemble(settings, store, bus, clock)
        services.devices.registry.look(settle=lambda _device: None)
        try:
            yield MovingHouse(
                clock, library, listed, server, services, store, stick, bus, leaving, settings
            )
        finally:
            services.devices.registry.close()
            db.close()


def come_in(house: MovingHouse, person: Person, client: Client) -> tuple[Client, str]:
    """Sign a person in to the pages; return their browser and its token for forms."""
    secret = house.store.sessions.begin(person.user_id, address_prefix="192.168.1")
    client.set_cookie("sidecar_session", secret)
    return client, mask(derive_csrf_token(secret))
