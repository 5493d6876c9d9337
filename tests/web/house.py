"""A sidecar without threads for the tests of the web: real services, SQLite file and stick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from werkzeug.test import Client

from sidecar.assembly import DATABASE, Assembly, Store, assemble
from sidecar.assembly.store import KEY_FILE
from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.states import Download, Status
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import NotVisible
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.logs import LineFormatter
from sidecar.services.accounts.person import Person
from sidecar.services.system_status import RecentLog
from sidecar.store.accounts.accounts import Account
from sidecar.store.accounts.sessions import derive_csrf_token
from sidecar.store.database import Database
from sidecar.web.app import Web, create_app
from tests.fakes.answering import Answering, answering, json_reply
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK, track

SERVER_ID = "5" * 32
PUBLIC = {
    "Id": SERVER_ID,
    "ServerName": "Attic",
    "Version": "12.0.0",
    "ProductName": "Jellyfin Server",
}
REFUSED = Failure(FailureClass.REFUSED, "refused", "Jellyfin refuses the file")
ANN = Person("a" * 32, "ann", is_admin=False)
BEN = Person("b" * 32, "ben", is_admin=False)
EVE = Person("e" * 32, "eve", is_admin=True)


@dataclass
class Browser:
    """A client with a session: sends the cookie, and the token when told to."""

    client: Client
    csrf: str


@dataclass
class WebHouse:
    """Ann, Ben and Eve, the admin, with one stick that serves all who have no other."""

    clock: FakeClock
    bus: Bus
    store: Store
    services: Assembly
    web: Web
    jellyfin: Answering
    folder: Path
    recent: RecentLog

    def come_in(self, person: Person) -> Browser:
        """Begin a session and return its browser."""
        secret = self.store.sessions.begin(person.user_id, address_prefix="192.168.1")
        client = Client(self.web.wsgi)
        client.set_cookie("sidecar_session", secret)
        return Browser(client, derive_csrf_token(secret))

    def add(
        self,
        number: int,
        *people: Person,
        status: Status = Status.PENDING,
        failure: Failure | None = None,
        rule: str = "favourites",
        text: str = "your favourite",
        **facts: object,
    ) -> Download:
        """Let a rule want a track for these people (Ann, unless told otherwise)."""
        item = track(number, **facts)
        reason = Reason(rule, item.id, text)
        for person in people or (ANN,):
            wish = Wish(person.user_id, STICK, item, reason)
            self.services.rules.planning.hold([wish], lambda _ids: {item.id: item})
        found = self.row(number)
        while found.status is not status:
            self._towards(found, status, failure)
            found = self.row(number)
        return found

    def row(self, number: int) -> Download:
        """Return the download of a track."""
        found = self.store.downloads.queries.by_item(STICK, track(number).id)
        if found is None:
            raise NotVisible
        return found

    def path(self, download: Download) -> Path:
        return self.folder / download.file_path

    def _towards(self, found: Download, status: Status, failure: Failure | None) -> None:
        downloads = self.store.downloads
        if found.status is Status.PENDING and status is Status.PAUSED:
            assert downloads.transitions.pause(found)
        elif found.status is Status.PENDING:
            claimed = downloads.queue.claim(self.clock.now())
            assert claimed is not None
            assert claimed.id == found.id, "add in the order of the queue"
        elif found.status is Status.DOWNLOADING and status is Status.FAILED:
            failure = failure or Failure(
                FailureClass.REFUSED, "refused", "Jellyfin refuses the file"
            )
            assert downloads.transitions.give_up(found, until=None, failure=failure, retry_count=1)
        elif found.status is Status.DOWNLOADING:
            body = b"x" * (found.size or 1)
            self.path(found).parent.mkdir(parents=True, exist_ok=True)
            self.path(found).write_bytes(body)
            assert downloads.transitions.mark_arrived(
                found, size=len(body), content_hash="0" * 64, mime_type="audio/flac"
            )
        else:
            assert downloads.transitions.delete(found)


@contextmanager
def web_house(
    tmp_path: Path,
    clock: FakeClock,
    *,
    change: Callable[[Settings], Settings] = lambda settings: settings,
) -> Iterator[WebHouse]:
    """Build it in this folder, with Jellyfin at an address that answers what a test writes down."""
    folder, bus = tmp_path / "stick", Bus()
    folder.mkdir()
    write_marker(folder, Marker(STICK, "Car stick"))
    with answering({"GET /System/Info/Public": json_reply(PUBLIC)}) as jellyfin:
        settings = change(
            Settings(
                jellyfin=JellyfinSettings(url=jellyfin.url),
                server=ServerSettings(data_dir=tmp_path / "data"),
                devices=(DeviceSettings(name="Car stick", path=folder),),
            )
        )
        db = Database.open(settings.server.data_dir / DATABASE, clock=clock)
        store = Store(db, bus, clock)
        box = TokenBox(settings.server.data_dir / KEY_FILE)
        for person in (ANN, BEN, EVE):
            store.accounts.save(_account(person, box, clock))
        recent = RecentLog(LineFormatter())
        services = assemble(settings, store, bus, clock, recent=recent)
        services.devices.registry.look(settle=lambda _device: None, starting=True)
        web = create_app(services.web, bus, clock=clock)
        try:
            yield WebHouse(clock, bus, store, services, web, jellyfin, folder, recent)
        finally:
            services.devices.registry.close()
            db.close()


def _account(person: Person, box: TokenBox, clock: FakeClock) -> Account:
    return Account(
        user_id=person.user_id,
        name=person.name,
        server_id=SERVER_ID,
        is_admin=person.is_admin,
        may_download=True,
        jellyfin_device_id=f"sidecar-{person.name}",
        token_encrypted=box.encrypt(SecretStr(f"token of {person.name}")),
        is_signed_in=True,
        signed_in_at=clock.now(),
    )
