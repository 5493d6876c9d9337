"""A stick that was away with a player, a sidecar's store, and the demo server it belongs to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ByteSize, SecretStr

from sidecar.clock import Waitable
from sidecar.config import DeviceSettings
from sidecar.demo.server.server import DemoServer
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.naming import build_path, make_path_key
from sidecar.domain.items.item import Item
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.sign_in import SignIn
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.files.adoption.adopt import AdoptionService
from sidecar.services.files.adoption.adopter import Adopter
from sidecar.services.health.problems import Problems
from sidecar.services.players.player_logs.giving import PlayerGiver
from sidecar.services.players.player_logs.importer import PlayerLogImporter
from sidecar.services.players.player_logs.listeners import Listeners
from sidecar.services.players.player_logs.parts import PlayerParts
from sidecar.services.players.player_logs.reporter import ReporterStores
from sidecar.services.players.player_logs.states import PlayerStateImporter
from sidecar.services.rules.wishes import WishService
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.queue import FilePlace, NewDownload
from sidecar.store.playback.imported_plays import ImportedListening, ImportedPlays
from sidecar.store.playback.player_states import PlayerStates
from sidecar.store.playback.plays import Plays
from tests.contract.client import Client
from tests.fakes.clock import FakeClock
from tests.fakes.servers.demo import device_of
from tests.services.conftest import ANN, STICK, World
from tests.store.examples import queued

HEADER = "#AUDIOSCROBBLER/1.1\n#TZ/UNKNOWN\n#CLIENT/Rockbox sansaclipplus\n"
# 2026-10-01 12:00, by whatever clock.
NOON = 1_790_856_000


class _Hurried:
    """The clock of the world; in a hurry each look at it costs a minute.

    Unlike a real one it never waits.
    """

    def __init__(self, clock: FakeClock, of: Traveller) -> None:
        self._clock = clock
        self._of = of

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        if self._of.hurried:
            self._clock.advance(60)
        return self._clock.monotonic()

    def wait(self, stop: Waitable, seconds: float) -> bool:
        return self._clock.wait(stop, seconds)


@dataclass
class Traveller:
    """The person ann and their stick; others may come to it."""

    world: World
    server: DemoServer
    folder: Path
    users: tuple[str, ...] = ("ann",)
    time_zone: str | None = "UTC"
    said: list[str] = field(default_factory=list)
    hurried: bool = False
    budget: int | None = None

    def __post_init__(self) -> None:
        world = self.world
        self.folder.mkdir()
        write_marker(self.folder, Marker(STICK, "Car stick"))
        self.clients: dict[str, Jellyfin] = {}
        self.ann = self.sign_in("ann")
        self.tables = ReporterStores(
            world.db,
            ImportedPlays(world.db),
            Plays(world.db),
            world.downloads,
            PlayerStates(world.db),
        )
        self.registry = DeviceRegistry(
            [
                DeviceSettings(
                    name="Car stick",
                    path=self.folder,
                    reserve=ByteSize(0),
                    budget=ByteSize(self.budget) if self.budget is not None else None,
                    users=self.users,
                    time_zone=self.time_zone,
                )
            ],
            devices=world.devices,
            downloads=world.downloads,
            problems=Problems(world.bus),
            clock=world.clock,
        )
        self.registry.look(settle=lambda _device: None)
        self.access = DeviceAccess(self.registry.settings, world.devices, self._accounts)
        listeners = self.listeners = Listeners(self.access, self.tables.states, self._accounts)
        self.desk = PlayerLogImporter(
            access=self.access,
            registry=self.registry,
            tables=self.tables,
            client=self._client,
            on_plays=self.said.append,
            clock=_Hurried(world.clock, self),
            listeners=listeners,
        )
        parts = PlayerParts(
            access=self.access,
            registry=self.registry,
            listeners=listeners,
            imported=self.tables.imported,
            states=self.tables.states,
            client=self._client,
            alone=self.desk.alone,
            clock=_Hurried(world.clock, self),
        )
        self.player = PlayerStateImporter(parts)
        self.giver = PlayerGiver(replace(parts, clock=world.clock))
        planning = WishService(world.db, world.holds, world.downloads, world.clock)
        self.adoption = AdoptionService(
            access=self.access,
            registry=self.registry,
            downloads=world.downloads,
            adopter=Adopter(world.db, world.downloads, planning),
            client=self._client,
            clock=_Hurried(world.clock, self),
        )
        self.phone = device_of(self.server, "ann", "phone")

    def sign_in(self, name: str) -> Person:
        identity = DeviceIdentity(device_id=f"returning-{name}", version="1.0.0")
        found = SignIn(self.server.url, identity).with_password(name, SecretStr(name))
        self.world.accounts.save(
            Account(
                user_id=found.user_id,
                name=name,
                server_id=found.server_id,
                is_admin=name == "admin",
                may_download=True,
                jellyfin_device_id=identity.device_id,
                token_encrypted=None,
                is_signed_in=True,
                signed_in_at=self.world.clock.now(),
            )
        )
        self.clients[found.user_id] = Jellyfin(
            self.server.url,
            identity=identity,
            token=found.token,
            user_id=found.user_id,
            server_id=found.server_id,
        )
        return Person(found.user_id, name, is_admin=name == "admin")

    def item(self, title: str) -> Item:
        found = next(one for one in self.phone.songs() if one["Name"] == title)
        client = self.clients[self.ann.user_id]
        return client.items([str(found["Id"])])[str(found["Id"])]

    def has(self, title: str, person: Person | None = None) -> Download:
        """Let a track be on the stick, asked for by this person."""
        item = self.item(title)
        path = build_path(item)
        return queued(
            self.world.downloads,
            NewDownload(
                item=item,
                device_id=STICK,
                user_id=(person or self.ann).user_id,
                places=[FilePlace(path, make_path_key(path))],
            ),
        )

    def writes(self, log: str, text: str) -> None:
        """Append to a log, as a player does."""
        file = self.folder / log
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(text)

    def puts(self, path: str, content: bytes) -> Path:
        """Copy a file onto the stick, as people do; long ago."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (1_600_000_000, 1_600_000_000))
        return file

    def original(self, title: str) -> bytes:
        """Return the bytes that the server has."""
        answer = self.phone.ask("GET", f"/Items/{self.item(title).id}/File")
        assert answer.status_code == 200
        return answer.content

    def mark(self, title: str, client: Client | None = None) -> tuple[int, str | None, bool]:
        """Return what Jellyfin tells of a track: how often, when last, whether it is played."""
        told = (client or self.phone).get(f"/UserItems/{self.item(title).id}/UserData")
        return told["PlayCount"], told.get("LastPlayedDate"), told["Played"]

    def fresh(self) -> list[ImportedListening]:
        """Return the plays that would be taken over, as they are in the log."""
        found = self.desk._read(self.ann, self.registry.get(STICK), self._client(self.ann.user_id))
        return [one.listening for one in found.fresh]

    def _client(self, user_id: str) -> Jellyfin:
        return self.clients[user_id]

    def _accounts(self) -> list[Account]:
        return [one for one in self.world.accounts.all() if one.user_id != ANN]

    def close(self) -> None:
        self.registry.close()
        for one in self.clients.values():
            one.close()


def moment(stamp: int) -> str:
    """Return a stamp of a clock that tells UTC as Jellyfin writes it."""
    return f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%dT%H:%M:%S}.0000000Z"


Travel = Callable[..., Traveller]


@contextmanager
def travelling(world: World, server: DemoServer, folder: Path) -> Iterator[Travel]:
    """Return what makes a traveller with the settings it is given; each is closed at the end."""
    with ExitStack() as leaving:

        def travel(**settings: object) -> Traveller:
            made = Traveller(world, server, folder, **settings)  # type: ignore[arg-type]
            leaving.callback(made.close)
            return made

        yield travel
