"""A sidecar without threads for the tests of the web: real services, SQLite file and stick."""

from __future__ import annotations

import json
import mimetypes
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xxhash
from pydantic import SecretStr
from werkzeug.test import Client, TestResponse

from sidecar.assembly.assembly import Assembly, assemble
from sidecar.assembly.store import DATABASE, KEY_FILE
from sidecar.clock import Clock
from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.device.drives import DevicePlaces
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.removals import GRACE_S
from sidecar.domain.notifications.push_services import check_endpoint
from sidecar.domain.playback.plays import Play
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import NotVisible
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.process.logs import LineFormatter
from sidecar.process.threads import log_stuck_threads
from sidecar.services.accounts.person import Person
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.services.health.system_status import RecentLog
from sidecar.store.accounts.accounts import Account
from sidecar.store.accounts.sessions import derive_csrf_token
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.order import NotNow
from sidecar.store.stores import Stores
from sidecar.web.app import Web, WebOptions, create_app
from sidecar.web.security.masking import mask
from sidecar.web.server import WebServer, serve_in_thread
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import (
    UNAUTHORISED,
    Answering,
    Reply,
    Request,
    Route,
    answering,
    json_reply,
)
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK, track
from tests.services.rules.steered import library

# Drives of the machine that runs the tests are none of theirs; its folders stand for sticks.
NO_DRIVES = DevicePlaces(drives=list, is_built_in=lambda _folder: False)
SERVER_ID = "5" * 32
PLAYER = "22222222-2222-4222-8222-222222222222"
PASSWORD = "correct horse"
MASKED = re.compile(r"(?<=data-csrf=\")[\w-]+|(?<=name=\"csrf\" value=\")[\w-]+")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
PUBLIC = {
    "Id": SERVER_ID,
    "ServerName": "Attic",
    "Version": "12.0.0",
    "ProductName": "Jellyfin Server",
}
# What Jellyfin answers for an item that it does not know.
UNKNOWN = json_reply({"title": "Not Found", "status": 404}, 404)
REFUSED = Failure(FailureClass.REFUSED, "refused", "Jellyfin refuses the file")
ANN = Person("a" * 32, "ann", is_admin=False)
BEN = Person("b" * 32, "ben", is_admin=False)
EVE = Person("e" * 32, "eve", is_admin=True)


def without_tokens(page: str) -> str:
    """Return a page without its form tokens, which are masked anew in each answer."""
    return MASKED.sub("the token", page)


@dataclass
class Browser:
    """A client with a session: sends the cookie, and the token with whatever changes something."""

    client: Client
    csrf: str

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def told(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        """Return what the API says there."""
        answer = self.client.get(path)
        assert answer.status_code == HTTPStatus.OK, answer.text
        return answer.json

    def send(self, verb: str, path: str, body: object = None) -> TestResponse:
        """Ask the API for a change; without a body there is none."""
        headers = {"X-Sidecar-CSRF": self.csrf}
        if body is None:
            return self.client.open(path, method=verb, headers=headers)
        return self.client.open(path, method=verb, headers=headers, json=body)

    def press(self, path: str, /, **form: object) -> TestResponse:
        """Press a button of a page."""
        return self.client.post(path, data={"csrf": self.csrf, **form})


@dataclass
class WebHouse:
    """Ann, Ben and Eve, the admin, with one stick that serves all who have no other."""

    clock: FakeClock
    bus: Bus
    store: Stores
    services: Assembly
    web: Web
    jellyfin: Answering
    folder: Path
    recent: RecentLog

    def come_in(self, person: Person) -> Browser:
        """Begin a session and return its browser."""
        secret = self.begin_session(person)
        client = Client(self.web.wsgi)
        client.set_cookie("sidecar_session", secret)
        return Browser(client, mask(derive_csrf_token(secret)))

    def add(
        self,
        number: int,
        *people: Person,
        status: Status = Status.PENDING,
        failure: Failure = REFUSED,
        until: datetime | None = None,
        rule: str = "favourites",
        source: str | None = None,
        text: str = "your favourite",
        device: str = STICK,
        body: bytes | None = None,
        **facts: object,
    ) -> Download:
        """Let a rule want a track for these people (Ann, unless told otherwise).

        `source` is what the rule looked at (the track itself), `failure` why it failed, `until`
        when it is tried again; `body` is what comes.
        """
        if body is not None:
            facts["size"] = len(body)
        self.want(number, *people, rule=rule, source=source, text=text, device=device, **facts)
        found = self.row(number, device)
        while found.status is not status:
            if (found.status, status) == (Status.DOWNLOADING, Status.FAILED):
                self._fail(found, failure, until)
            elif found.status is Status.DOWNLOADING:
                self._arrive(found, content(found) if body is None else body)
            else:
                self._towards(found, status)
            found = self.row(number, device)
        return found

    def want(
        self,
        number: int,
        *people: Person,
        rule: str,
        source: str | None = None,
        text: str = "why",
        device: str = STICK,
        **facts: object,
    ) -> None:
        """Let a rule want a track for these people, however far it has come."""
        item = track(number, **facts)
        reason = Reason(rule, source or item.id, text)
        for person in people or (ANN,):
            wish = Wish(person.user_id, device, item, reason)
            self.services.rules.planning.hold([wish], lambda _ids: {item.id: item})

    def heard(self, person: Person, number: int, began: datetime) -> None:
        """Let somebody have heard a track for nearly three minutes."""
        item = track(number)
        self.store.plays.save(
            Play(
                user_id=person.user_id,
                item_id=item.id,
                title=item.title,
                album_id=None,
                artist=item.artist,
                client="Finamp",
                device_name="Phone",
                session_id="one",
                playlist_item_id=None,
                started_at=began,
                ended_at=began + timedelta(minutes=3),
                position_s=171.26,
                seconds_heard=171.26,
                run_time=180.0,
            )
        )

    def row(self, number: int, device: str = STICK) -> Download:
        """Return the download of a track."""
        found = self.store.downloads.queries.by_item(device, track(number).id)
        if found is None:
            raise NotVisible
        return found

    def path(self, download: Download) -> Path:
        root = self.folder
        if download.device_id != STICK:
            root = self.services.devices.registry.get(download.device_id).folder.root
        return root / download.file_path

    def begin_session(self, person: Person) -> str:
        """Begin a session and return what its cookie holds."""
        return self.store.sessions.begin(person.user_id, address_prefix="192.168.1")

    def status(self, download: Download) -> Status | None:
        """Return how a download stands; None if there is no such row any more."""
        found = self.store.downloads.queries.get(download.id)
        return found.status if found else None

    def now(self, download: Download) -> Download:
        """Return a download as it is now."""
        found = self.store.downloads.queries.get(download.id)
        assert found is not None
        return found

    def holders(self, download: Download) -> list[str]:
        """Return the names of those who want it."""
        ids = self.store.holds.holders(download.device_id, download.item_id)
        return sorted(one.name for one in (ANN, BEN, EVE) if one.user_id in ids)

    def begin(self, download: Download) -> Download:
        """Let a worker claim what waits."""
        waiting = self.store.downloads.queries.ids(DownloadFilter(), 1000)
        others = [one for one in waiting if one != download.id]
        (claimed,) = self.store.downloads.queue.claim_together(
            self.clock.now(), NotNow(downloads=others), at_most=1
        )
        assert claimed.id == download.id
        return claimed

    def transfer(self, moved: Mapping[int, int], *, seconds: float) -> None:
        """Let so many bytes of each of these running downloads have come within the time."""
        progress = self.services.transfers.progress
        for download_id in moved:
            found = self.store.downloads.queries.get(download_id)
            assert found is not None
            progress.begin(download_id, held=0, size=found.size)
        self.clock.advance(seconds)
        for download_id, held in moved.items():
            progress.moved(download_id, held)
        progress.tell()

    def postpone(
        self, download: Download, until: datetime | None = None, failure: Failure = REFUSED
    ) -> None:
        """Let an attempt fail: another one is due, at this time or when it can be."""
        begun = self.begin(download)
        assert self.store.downloads.transitions.postpone(
            begun, until=until, failure=failure, retry_count=1
        )

    def look_at_devices(self) -> None:
        """Let it be seen which devices are there."""
        self.services.devices.registry.look(settle=lambda _device: None)

    def look(self) -> None:
        """Let the devices be looked at, and what people did on them."""
        self.look_at_devices()
        self.services.background.removals.step()

    def unplug(self) -> None:
        """Take the stick away."""
        self.folder.rename(self.folder.with_name("unplugged"))
        self.look_at_devices()

    def lose(self, *downloads: Download) -> None:
        """Let somebody remove these files; it is noticed, and sure after the grace."""
        for one in downloads:
            self.path(one).unlink()
        self.look()
        self.clock.advance(GRACE_S + 1)
        self.look()

    def ask_about_removals(self) -> list[Download]:
        """Let six of Ann's seven files vanish at once: too many to be believed."""
        files = [self.add(number, status=Status.COMPLETED) for number in range(1, 8)]
        self.lose(*files[1:])
        return files[1:]

    def lose_database(self) -> None:
        """Let the database file be gone, whatever is open of it."""
        self.store.db.close_thread()
        self.store.db.dialect.close()
        self.store.db.path.unlink()

    def library(self, *rows: Mapping[str, object]) -> None:
        """Let Jellyfin have these items."""
        self.jellyfin.routes["GET /Items"] = library(*rows)
        for row in rows:
            self.jellyfin.routes[f"GET /Items/{row['Id']}"] = json_reply(row)

    def has_cover(self, item_id: str, body: bytes = PIXEL) -> None:
        """Let Jellyfin have a cover of an item."""
        picture = Reply(body=body, headers={"Content-Type": "image/png"})
        self.jellyfin.routes[f"GET /Items/{item_id}/Images/Primary"] = picture

    def offer_quick_connect(self, approved: Person | None = None) -> None:
        """Let Jellyfin give a code, which somebody has approved or nobody."""
        code = {"Secret": "a secret", "Code": "482913", "Authenticated": approved is not None}
        routes = self.jellyfin.routes
        routes["POST /QuickConnect/Initiate"] = json_reply(code | {"Authenticated": False})
        routes["GET /QuickConnect/Connect"] = json_reply(code)
        if approved is not None:
            routes["POST /Users/AuthenticateWithQuickConnect"] = json_reply(_let_in(approved))

    def _towards(self, found: Download, status: Status) -> None:
        moves = self.store.downloads.transitions
        if found.status is Status.PENDING and status is Status.PAUSED:
            assert moves.pause(found)
        elif found.status is Status.PENDING:
            self.begin(found)
        else:
            self.path(found).unlink()
            assert moves.delete(found)

    def _fail(self, found: Download, failure: Failure, until: datetime | None) -> None:
        moves = self.store.downloads.transitions
        assert moves.give_up(found, until=until, failure=failure, retry_count=1)

    def _arrive(self, found: Download, body: bytes) -> None:
        path, now = self.path(found), self.clock.now().timestamp()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        os.utime(path, (now, now))
        assert self.store.downloads.transitions.mark_arrived(
            found,
            size=len(body),
            content_hash=xxhash.xxh3_128_hexdigest(body),
            mime_type=mimetypes.guess_type(path)[0],
        )


def content(download: Download) -> bytes:
    """Return what is in the file of a download."""
    size = download.size or 1
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def without_jellyfin(settings: Settings) -> Settings:
    """Return the change of the settings that lets Jellyfin be where nothing answers."""
    jellyfin = settings.jellyfin.model_copy(update={"url": "http://127.0.0.1:9"})
    return settings.model_copy(update={"jellyfin": jellyfin})


def with_player(folder: Path) -> Callable[[Settings], Settings]:
    """Return the change of the settings that adds another device, in this folder."""
    folder.mkdir()
    write_marker(folder, Marker(PLAYER, "Player"))

    def change(settings: Settings) -> Settings:
        devices = (*settings.devices, DeviceSettings(name="Player", path=folder))
        return settings.model_copy(update={"devices": devices})

    return change


def only_for(*users: str) -> Callable[[Settings], Settings]:
    """Return the change of the settings that gives the stick to these people: one manages it."""

    def change(settings: Settings) -> Settings:
        devices = tuple(one.model_copy(update={"users": users}) for one in settings.devices)
        return settings.model_copy(update={"devices": devices})

    return change


@contextmanager
def web_house(
    tmp_path: Path,
    clock: FakeClock,
    *,
    change: Callable[[Settings], Settings] = lambda settings: settings,
    options: WebOptions | None = None,
    web_clock: Clock | None = None,
    places: DevicePlaces = NO_DRIVES,
    set_up: SetUpService | None = None,
    check_push: Callable[[str], str | None] = check_endpoint,
    roles: Roles = ALONE,
) -> Iterator[WebHouse]:
    """Build it in this folder, with Jellyfin at an address that answers what a test writes down.

    The web application takes a clock of its own where somebody waits for its news. With a set-up
    it is the demo. With roles it is one of several processes, on the machine "nas".
    """
    folder, bus = tmp_path / "stick", Bus()
    folder.mkdir()
    write_marker(folder, Marker(STICK, "Car stick"))
    routes: dict[str, Route] = {
        "GET /System/Info/Public": json_reply(PUBLIC),
        "POST /Users/AuthenticateByName": _sign_in,
    }
    with answering(routes) as jellyfin:
        settings = change(
            Settings(
                jellyfin=JellyfinSettings(url=jellyfin.url),
                server=ServerSettings(data_dir=tmp_path / "data", machine="nas"),
                devices=(DeviceSettings(name="Car stick", path=folder),),
            )
        )
        data = settings.server.data_dir
        data.mkdir(mode=0o700)
        for name, content in _signed_in().items():
            (data / name).touch(mode=0o600)
            (data / name).write_bytes(content)
        db = Database.open(data / DATABASE, clock=clock)
        store = Stores(db, bus, clock, machine=None if roles.is_alone else "nas")
        recent = RecentLog(LineFormatter())
        services = assemble(
            settings,
            store,
            bus,
            clock,
            db.is_answering,
            recent=recent,
            places=places,
            check_push=check_push,
            roles=roles,
        )
        services.devices.registry.look(settle=lambda _device: None)
        web = create_app(replace(services.web, set_up=set_up), bus, options, web_clock or clock)
        try:
            yield WebHouse(clock, bus, store, services, web, jellyfin, folder, recent)
        finally:
            services.rules.threads.end()
            services.web.replays.close()
            services.background.removals.close()
            services.devices.registry.close()
            db.close()


@contextmanager
def serving(web: Web, port: int = 0) -> Iterator[WebServer]:
    """Serve the application on loopback, with the live connection; leave no thread behind."""
    before = set(threading.enumerate())
    server = WebServer(web.wsgi, "127.0.0.1", port)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    try:
        yield server
    finally:
        web.live.stop()
        server.stop()
        thread.join(PATIENCE_S)
    # Playwright keeps one that reads and writes its files.
    here = {one for one in threading.enumerate() if not one.name.startswith("asyncio_")}
    left = here - before
    for one in left:
        one.join(PATIENCE_S)
    assert not log_stuck_threads(left), [one.name for one in left if one.is_alive()]


def _sign_in(request: Request) -> Reply:
    """Answer a sign-in as Jellyfin does."""
    told = json.loads(request.body)
    person = next((one for one in (ANN, BEN, EVE) if one.name == told["Username"]), None)
    if person is None or told["Pw"] != PASSWORD:
        return UNAUTHORISED
    return json_reply(_let_in(person))


def _let_in(person: Person) -> dict[str, object]:
    policy = {"IsAdministrator": person.is_admin}
    user = {"Id": person.user_id, "Name": person.name, "ServerId": SERVER_ID, "Policy": policy}
    return {"User": user, "AccessToken": f"token of {person.name}", "ServerId": SERVER_ID}


@cache
def _signed_in() -> Mapping[str, bytes]:
    """Return the files of a data folder with the three accounts, made once: it takes a while."""
    with TemporaryDirectory() as made:
        folder, clock = Path(made), FakeClock()
        db = Database.open(folder / DATABASE, clock=clock)
        box = TokenBox(folder / KEY_FILE)
        store = Stores(db, Bus(), clock)
        for person in (ANN, BEN, EVE):
            store.accounts.save(_account(person, box, clock))
        db.close()
        return {name: (folder / name).read_bytes() for name in (DATABASE, KEY_FILE)}


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
