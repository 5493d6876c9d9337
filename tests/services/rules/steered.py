"""A sidecar without web and network: real store, real stick, a worker, the actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download
from sidecar.domain.wishes import Reason, Wish
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.person import Person
from sidecar.services.devices.orders import DeviceOrders
from sidecar.services.downloads.actions import DownloadActions
from sidecar.services.downloads.add import AddDownloads
from sidecar.services.downloads.commands import ActionResult, DownloadCommand
from sidecar.services.downloads.queue import QueueActions
from sidecar.services.downloads.remove import RemoveDownloads
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.fetching.fetch import CheckWhole, cannot_tell
from sidecar.store.accounts.accounts import Account
from sidecar.store.rules.tombstones import Tombstones
from sidecar.transfer.engine import Engine
from tests.fakes.servers.answering import Answering, Reply, Request, answering, json_reply
from tests.services.conftest import ANN, STICK, World, access_to, owned, track
from tests.services.transfers.test_worker import ME, PUBLIC, SERVER, Works, build

Ann = Person(ANN, "ann", is_admin=False)
Ben = Person("b" * 32, "ben", is_admin=False)
Eve = Person("e" * 32, "eve", is_admin=True)
FAVOURITE = "favourites"


@dataclass
class House:
    """Three people and one stick."""

    works: Works
    world: World
    server: Answering
    planning: WishService
    actions: DownloadActions
    tombstones: Tombstones

    def hold(self, person: Person, number: int = 1) -> Download:
        """Let a rule want a track for somebody."""
        item = track(number, size=len(self.works.engine.body))
        reason = Reason(FAVOURITE, item.id, "your favourite")
        self.planning.hold(
            [Wish(person.user_id, STICK, item, reason)], lambda _ids: {item.id: item}
        )
        return self.works.now(number)

    def arrived(self, person: Person, number: int = 1) -> Download:
        """Let a track be on the stick."""
        self.hold(person, number)
        assert self.works.worker.step()
        return self.works.now(number)

    def path(self, download: Download) -> Path:
        return self.works.stick / download.file_path

    def parts(self) -> list[str]:
        return sorted(one.name for one in (self.works.stick / ".sidecar" / "parts").iterdir())

    def holders(self, number: int = 1) -> list[str]:
        return self.world.holds.holders(STICK, track(number).id)

    def do(self, person: Person, download: Download, order: DownloadCommand) -> ActionResult:
        return self.actions.act(person, download.id, order)


@contextmanager
def house(
    world: World,
    tmp_path: Path,
    *,
    fetches: Engine | None = None,
    check_whole: CheckWhole = cannot_tell,
) -> Iterator[House]:
    stick = tmp_path / "stick"
    if not stick.exists():
        stick.mkdir()
        write_marker(stick, Marker(STICK, "Car stick"))
    routes = {"GET /Users/Me": json_reply(ME), "GET /System/Info/Public": json_reply(PUBLIC)}
    with answering(routes) as server:
        works = build(world, server, stick, tmp_path, fetches=fetches, check_whole=check_whole)
        unfinished = world.downloads.queue.recover()
        works.registry.look(settle=lambda device: works.settling.reconcile(device, unfinished))
        yield furnished(works, world, server, tmp_path)
        works.registry.close()


def furnished(works: Works, world: World, server: Answering, tmp_path: Path) -> House:
    box = TokenBox(tmp_path / "token.key")
    for person in (Ben, Eve):
        world.accounts.save(account(world, person, box))
    accounts = AccountService(
        server.url,
        ca_file=None,
        stores=world.stores,
        box=box,
        problems=works.problems,
        bus=world.bus,
        clock=world.clock,
    )
    planning = WishService(world.db, world.holds, world.downloads, world.clock)
    actions = DownloadActions(
        stores=world.stores,
        ownership=owned(world),
        adding=AddDownloads(
            stores=world.stores,
            accounts=accounts,
            planning=planning,
            registry=works.registry,
            access=access_to(world, works.registry.settings),
        ),
        queue=QueueActions(
            stores=world.stores,
            ownership=owned(world),
            planning=planning,
            claims=works.claims,
            clock=world.clock,
        ),
        removing=RemoveDownloads(
            stores=world.stores,
            ownership=owned(world),
            registry=works.registry,
            claims=works.claims,
            clock=world.clock,
            orders=DeviceOrders(
                world.stores.orders,
                works.registry,
                world.stores.processes,
                world.bus,
                world.clock,
            ),
        ),
    )
    tombstones = Tombstones(world.db, world.clock)
    return House(works, world, server, planning, actions, tombstones)


def account(world: World, person: Person, box: TokenBox) -> Account:
    return Account(
        user_id=person.user_id,
        name=person.name,
        server_id=SERVER,
        is_admin=person.is_admin,
        may_download=True,
        jellyfin_device_id=f"sidecar-{person.name}",
        token_encrypted=box.encrypt(SecretStr(f"secret of {person.name}")),
        is_signed_in=True,
        signed_in_at=world.clock.now(),
    )


def library(*rows: Mapping[str, object]) -> Callable[[Request], Reply]:
    """Answer `/Items` by ids, or by the parent that is asked for."""

    def answer(request: Request) -> Reply:
        wanted = request.query.get("ids")
        parent = request.query.get("parentId")
        found = [
            one
            for one in rows
            if (str(one["Id"]) in wanted.split(",") if wanted else one.get("ParentId") == parent)
        ]
        start = int(request.query.get("startIndex", 0))
        end = start + int(request.query.get("limit", len(found)))
        return json_reply(
            {"Items": found[start:end], "TotalRecordCount": len(found), "StartIndex": start}
        )

    return answer


def row(number: int, **facts: object) -> dict[str, object]:
    values: dict[str, object] = {
        "Id": track(number).id,
        "Type": "Audio",
        "Name": f"Tone {number}",
        "ServerId": SERVER,
        "Album": "First Light",
        "IndexNumber": number,
        "MediaSources": [{"Id": track(number).id, "Container": "flac", "Size": 5}],
        "CanDownload": True,
    }
    return values | facts
