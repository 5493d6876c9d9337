"""Casting to devices, with the demo server, the real store, real folders and real threads."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from pydantic import SecretStr

from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.core import StartupPhase
from sidecar.demo.state.timing import Timing
from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.cast_queue import CastPosition
from sidecar.domain.wishes import PIN_PRIORITY, Reason, Wish
from sidecar.events import Bus, DeviceChanged
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.live.commands import PlayOrder
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.downloads.casting.orders import CastOrders
from sidecar.services.downloads.casting.targets import CastTargets
from sidecar.services.health.problems import Problems
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.wishes import WishService
from sidecar.store.database import Database
from sidecar.store.downloads.order import NotNow
from sidecar.store.rules.tombstones import Tombstones
from sidecar.store.stores import Stores
from tests.fakes.clock import HastyClock
from tests.fakes.libraries.tiny import listing, write
from tests.fakes.servers.live import running
from tests.fakes.servers.slow_line import wait_until
from tests.jellyfin.test_with_demo import client, named
from tests.store.examples import with_tables


@pytest.fixture(params=list(Version))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DemoServer]:
    # A device is in the menu until it leaves, however long it says nothing.
    timing = Timing(keep_alive_s=3600.0)
    library = write(tmp_path / "library", listing())
    with DemoServer(library, speaks=request.param, timing=timing) as demo:
        yield demo


@dataclass
class Sidecar:
    """All that casting needs of the sidecar; nothing is fetched."""

    server: DemoServer
    home: Path
    devices: tuple[DeviceSettings, ...]
    paused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        clock, bus = SystemClock(), Bus()
        self.bus = bus
        self.db = Database.open(with_tables(self.home / "data" / "sidecar.db"), clock=clock)
        problems = Problems(bus)
        stores = Stores(self.db, bus, clock)
        self.downloads, self.holds = stores.downloads, stores.holds
        self.planning = WishService(self.db, self.holds, self.downloads, clock)
        self.accounts = AccountService(
            self.server.url,
            ca_file=None,
            stores=stores,
            box=TokenBox(self.home / "token.key"),
            problems=problems,
            bus=bus,
            clock=clock,
        )
        self.registry = DeviceRegistry(
            self.devices,
            devices=stores.devices,
            downloads=self.downloads,
            problems=problems,
            clock=clock,
            current=lambda id_, one: one.model_copy(update={"paused": id_ in self.paused}),
        )
        self.orders = CastOrders(
            accounts=self.accounts,
            registry=self.registry,
            planning=self.planning,
            downloads=self.downloads,
            clock=clock,
            acts=Acts(clock),
        )
        self.casting = CastTargets(
            accounts=self.accounts,
            registry=self.registry,
            orders=self.orders,
            around=self.db.thread,
            clock=clock,
            chance=lambda: 0.0,
        )
        bus.subscribe(self.casting.hear)

    def sign_in(self, name: str) -> str:
        return self.accounts.with_password(name, SecretStr(name)).user_id

    def id_of(self, name: str) -> str:
        return next(one.id for one in self.registry.all() if one.settings.name == name)

    def pause(self, name: str, *, paused: bool) -> None:
        self.paused = {self.id_of(name)} if paused else set()
        self.bus.publish(DeviceChanged(self.id_of(name)))

    @contextmanager
    def running(self) -> Iterator[None]:
        self.registry.look(settle=lambda _: None)
        stop = Event()

        def end() -> None:
            stop.set()
            self.orders.wakeup.end()
            self.casting.wakeup.end()

        with ExitStack() as threads:
            for body in (self.casting.run, self.orders.run):
                threads.enter_context(running(partial(self._work, body, stop), end))
            yield

    def _work(self, body: Callable[[Event], None], stop: Event) -> None:
        with self.db.thread():
            body(stop)

    def queue(self, device: str = "Car stick") -> list[str]:
        """Take everything out of the queue of a device, as the workers would: titles, in order."""
        others = {one.id for one in self.registry.all()} - {self.id_of(device)}
        taken: list[str] = []
        while found := self.downloads.queue.claim_together(
            SystemClock().now(), NotNow(devices=others), at_most=1
        ):
            taken.append(found[0].title)
        return taken

    def waiting(self, device: str = "Car stick") -> int:
        return len(self.downloads.queries.on_the_way(self.id_of(device), 0))

    def reasons(self, item: Item, device: str = "Car stick") -> list[tuple[str, str]]:
        held = self.holds.of_item(self.id_of(device), item.id)
        return [(one.user_id, one.reason.text) for one in held]

    def close(self) -> None:
        self.registry.close()
        self.db.close()


class Phone:
    """Somebody's own Jellyfin client."""

    def __init__(self, server: DemoServer, name: str) -> None:
        self.client: Jellyfin = client(server, name, f"phone-{name}")
        self.user_id = self.client.user_id or ""

    def menu(self) -> dict[str, str]:
        query = {"controllableByUserId": self.user_id}
        answer = self.client.connection.get("Sessions", query=query)
        return {one["DeviceName"]: one["Id"] for one in json.loads(answer.body)}

    def cast(self, *items: Item, to: str = "Car stick", when: str = "PlayNow", at: int = 0) -> None:
        wait_until(lambda: to in self.menu(), what=f"{to} in the menu")
        query: dict[str, str | int] = {
            "itemIds": ",".join(one.id for one in items),
            "playCommand": when,
            "startIndex": at,
        }
        answer = self.client.connection.send(
            "POST", "Sessions", self.menu()[to], "Playing", query=query
        )
        assert answer.status == 204

    def named(self, kind: ItemType, title: str) -> Item:
        return named(self.client, kind, title)


@contextmanager
def sidecar_of(
    server: DemoServer, home: Path, devices: Iterable[DeviceSettings]
) -> Iterator[Sidecar]:
    sidecar = Sidecar(server, home, tuple(devices))
    try:
        yield sidecar
    finally:
        sidecar.close()


@pytest.fixture
def sidecar(server: DemoServer, tmp_path: Path) -> Iterator[Sidecar]:
    """Two devices that serve ann, one that serves everybody and one that is not to be cast to."""
    devices = [
        DeviceSettings(name="Car stick", path=tmp_path / "stick", users=("ann",)),
        DeviceSettings(name="Player card", path=tmp_path / "card", users=("ann",)),
        DeviceSettings(name="Everybody's", path=tmp_path / "all"),
        DeviceSettings(name="Silent", path=tmp_path / "silent", cast=False),
    ]
    with sidecar_of(server, tmp_path, devices) as made:
        made.sign_in("ann")
        yield made


@pytest.fixture
def phone(server: DemoServer) -> Phone:
    return Phone(server, "ann")


def test_an_album_that_is_cast_is_pinned_in_its_order_with_the_reason(
    sidecar: Sidecar, phone: Phone
) -> None:
    album = phone.named(ItemType.ALBUM, "First Light")
    with sidecar.running():
        phone.cast(album)
        wait_until(lambda: sidecar.waiting() == 3)
        reasons = sidecar.reasons(phone.named(ItemType.AUDIO, "Tone 2"))

        assert sidecar.queue() == ["Tone 1", "Tone 2", "Tone 3"]
        assert reasons == [(phone.user_id, "you cast First Light here")]


def test_now_next_and_last_come_where_the_person_meant_them(sidecar: Sidecar, phone: Phone) -> None:
    double, first = (phone.named(ItemType.ALBUM, one) for one in ("Double", "First Light"))
    hit = phone.named(ItemType.AUDIO, "Hit of Choir")
    film = phone.named(ItemType.MOVIE, "Colour Bars")
    with sidecar.running():
        for count, (item, when) in {
            2: (double, "PlayNow"),
            3: (film, "PlayLast"),
            4: (hit, "PlayNext"),
            7: (first, "PlayNow"),
        }.items():
            phone.cast(item, when=when)
            wait_until(lambda count=count: sidecar.waiting() == count)  # type: ignore[misc]

        assert sidecar.queue() == [
            "Tone 1",
            "Tone 2",
            "Tone 3",
            "Side 1",
            "Hit of Choir",
            "Side 2",
            "Colour Bars",
        ]


def test_what_was_queued_long_ago_does_not_push_into_the_order(
    sidecar: Sidecar, phone: Phone
) -> None:
    tone = phone.client.item(phone.named(ItemType.AUDIO, "Tone 1").id)
    hit = phone.client.item(phone.named(ItemType.AUDIO, "Hit of Choir").id)
    sidecar.registry.look(settle=lambda _: None)
    why = Reason("queue_ahead", tone.id, "next in the queue of Phone")
    urgent = [
        Wish(phone.user_id, sidecar.id_of("Car stick"), one, why, PIN_PRIORITY + 80)
        for one in (hit, tone)
    ]
    sidecar.planning.hold(urgent, phone.client.items)
    with sidecar.running():
        phone.cast(phone.named(ItemType.ALBUM, "First Light"))
        wait_until(lambda: sidecar.waiting() == 4)
        # The same rule wants it again: what a person cast keeps its place.
        sidecar.planning.hold(urgent, phone.client.items)

        places = {
            one.title: one.priority
            for one in sidecar.downloads.queries.on_the_way(sidecar.id_of("Car stick"), 0)
        }
        assert sorted(places, key=lambda one: -places[one]) == [
            "Tone 1",
            "Tone 2",
            "Tone 3",
            "Hit of Choir",
        ]

        # And when the rule wants nothing any more, that is no reason to wait either.
        sidecar.planning.replace(
            phone.user_id,
            sidecar.id_of("Car stick"),
            "queue_ahead",
            [],
            phone.client.items,
            grace=timedelta(0),
        )
        assert sidecar.downloads.queries.by_item(sidecar.id_of("Car stick"), hit.id) is None
        assert sidecar.queue() == ["Tone 1", "Tone 2", "Tone 3"]


def test_it_begins_where_the_person_clicked_and_leaves_nothing_out(
    sidecar: Sidecar, phone: Phone
) -> None:
    with sidecar.running():
        phone.cast(phone.named(ItemType.ALBUM, "First Light"), at=2)
        wait_until(lambda: sidecar.waiting() == 3)

        assert sidecar.queue() == ["Tone 3", "Tone 1", "Tone 2"]


def test_a_selection_a_playlist_and_a_film_are_pinned_each_for_itself(
    sidecar: Sidecar, phone: Phone
) -> None:
    playlist = phone.named(ItemType.PLAYLIST, "Road trip")
    film = phone.named(ItemType.MOVIE, "Colour Bars")
    with sidecar.running():
        phone.cast(playlist)
        wait_until(lambda: sidecar.waiting() == 2)
        phone.cast(film, when="PlayLast")
        wait_until(lambda: sidecar.waiting() == 3)

        assert sidecar.reasons(film) == [(phone.user_id, "you cast it here")]
        assert sidecar.queue() == ["Tone 2", "Tone 1", "Colour Bars"]


def test_what_is_cast_to_one_device_stays_off_the_other(sidecar: Sidecar, phone: Phone) -> None:
    with sidecar.running():
        phone.cast(phone.named(ItemType.AUDIO, "Tone 1"), to="Player card")
        wait_until(lambda: sidecar.waiting("Player card") == 1)

        assert sidecar.queue("Player card") == ["Tone 1"]
        assert sidecar.waiting("Car stick") == 0


def test_what_a_person_removed_before_comes_back_when_they_cast_it(
    sidecar: Sidecar, phone: Phone
) -> None:
    tone = phone.named(ItemType.AUDIO, "Tone 1")
    sidecar.registry.look(settle=lambda _: None)
    place = (phone.user_id, sidecar.id_of("Car stick"))
    tombstones = Tombstones(sidecar.db, SystemClock())
    tombstones.put(*place, tone.id)
    with sidecar.running():
        phone.cast(tone)
        wait_until(lambda: sidecar.waiting() == 1)

    assert tombstones.items(*place) == frozenset()


def test_each_person_sees_only_their_own_devices(
    server: DemoServer, sidecar: Sidecar, phone: Phone
) -> None:
    sidecar.sign_in("ben")
    ben, kid = Phone(server, "ben"), Phone(server, "kid")
    with sidecar.running():
        wait_until(lambda: len(phone.menu()) == 3 and len(ben.menu()) == 1)

        assert set(phone.menu()) == {"Car stick", "Player card", "Everybody's"}
        assert set(ben.menu()) == {"Everybody's"}
        assert kid.menu() == {}


def test_a_stranger_whom_the_server_lets_through_casts_nothing(
    server: DemoServer, sidecar: Sidecar, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    admin = Phone(server, "admin")
    tone = phone.named(ItemType.AUDIO, "Tone 1")
    with sidecar.running():
        # First one who never signed in here, then one whom the device does not serve.
        admin.cast(tone)
        wait_until(lambda: "does not serve them" in caplog.text)
        sidecar.sign_in("admin")
        caplog.clear()
        admin.cast(tone)
        wait_until(lambda: "does not serve them" in caplog.text)

        assert sidecar.waiting() == 0
        assert sidecar.reasons(tone) == []


def test_another_person_whom_the_device_serves_pins_it_for_themselves(
    server: DemoServer, sidecar: Sidecar
) -> None:
    admin_id = sidecar.sign_in("admin")
    admin = Phone(server, "admin")
    tone = admin.named(ItemType.AUDIO, "Tone 1")
    order = PlayOrder((tone.id,), CastPosition.NOW, by=admin_id)
    with sidecar.running():
        # As if it had come through ann's session: it is the sender's word that counts.
        sidecar.orders.take(sidecar.id_of("Everybody's"), order)
        wait_until(lambda: sidecar.waiting("Everybody's") == 1)

    assert sidecar.reasons(tone, "Everybody's") == [(admin_id, "you cast it here")]


def test_what_is_cast_while_the_server_goes_away_waits_for_it(
    server: DemoServer, sidecar: Sidecar, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tone = phone.named(ItemType.AUDIO, "Tone 1")
    clock = HastyClock(50)
    hasty = CastOrders(
        accounts=sidecar.accounts,
        registry=sidecar.registry,
        planning=sidecar.planning,
        downloads=sidecar.downloads,
        clock=clock,
        acts=Acts(clock),
    )
    sidecar.orders = hasty
    with sidecar.running():
        server.enter_phase(StartupPhase.LOADING)
        hasty.take(
            sidecar.id_of("Car stick"), PlayOrder((tone.id,), CastPosition.NOW, by=phone.user_id)
        )
        wait_until(lambda: "what was cast waits" in caplog.text)
        server.enter_phase(StartupPhase.READY)
        wait_until(lambda: sidecar.waiting() == 1)

        assert sidecar.queue() == ["Tone 1"]


def test_what_the_account_may_not_see_is_not_cast(sidecar: Sidecar, phone: Phone) -> None:
    sidecar.registry.look(settle=lambda _: None)
    album = phone.named(ItemType.ALBUM, "First Light")
    tones = tuple(one.id for one in phone.client.expand(album).items)
    film = phone.named(ItemType.MOVIE, "Colour Bars")
    sidecar.server.core.users.by_id[phone.user_id].policy |= {
        "EnableAllFolders": False,
        "EnabledFolders": [one.id for one in sidecar.server.core.library if one.name == "Movies"],
    }

    for cast in ((*tones, film.id), tones[:1], (album.id,)):
        order = PlayOrder(cast, CastPosition.NOW, by=phone.user_id)
        sidecar.orders.obey(sidecar.id_of("Car stick"), order)

    assert sidecar.queue() == ["Colour Bars"]


def test_an_order_without_a_name_is_not_obeyed(sidecar: Sidecar, phone: Phone) -> None:
    sidecar.registry.look(settle=lambda _: None)
    tone = phone.named(ItemType.AUDIO, "Tone 1")

    assert (
        sidecar.orders.obey(sidecar.id_of("Car stick"), PlayOrder((tone.id,), CastPosition.NOW))
        == 0
    )


def test_who_may_not_download_gets_the_usual_refusal(server: DemoServer, sidecar: Sidecar) -> None:
    sidecar.sign_in("ben")
    ben = Phone(server, "ben")
    tone = ben.named(ItemType.AUDIO, "Tone 1")
    with sidecar.running():
        ben.cast(tone, to="Everybody's")
        wait_until(lambda: sidecar.reasons(tone, "Everybody's") != [])
        refused = sidecar.downloads.queries.by_item(sidecar.id_of("Everybody's"), tone.id)

    assert refused is not None
    assert (refused.status, refused.error_code) == (Status.FAILED, "not-allowed")


def test_a_device_is_in_the_menu_only_while_it_is_there_and_not_paused(
    sidecar: Sidecar, phone: Phone, tmp_path: Path
) -> None:
    with sidecar.running():
        wait_until(lambda: "Car stick" in phone.menu())
        rings = sidecar.casting.wakeup.rings
        sidecar.pause("Car stick", paused=True)
        assert sidecar.casting.wakeup.rings > rings
        wait_until(lambda: "Car stick" not in phone.menu())
        sidecar.pause("Car stick", paused=False)
        wait_until(lambda: "Car stick" in phone.menu())

        (tmp_path / "stick").rename(tmp_path / "unplugged")
        sidecar.registry.look(settle=lambda _: None)
        wait_until(lambda: "Car stick" not in phone.menu())
        (tmp_path / "unplugged").rename(tmp_path / "stick")
        sidecar.registry.look(settle=lambda _: None)
        wait_until(lambda: "Car stick" in phone.menu())


def test_a_person_who_signs_out_has_no_devices_in_the_menu(sidecar: Sidecar, phone: Phone) -> None:
    with sidecar.running():
        wait_until(lambda: len(phone.menu()) == 3)
        rings = sidecar.casting.wakeup.rings
        sidecar.accounts.signed_out(sidecar.accounts.client(phone.user_id))
        assert sidecar.casting.wakeup.rings > rings
        wait_until(lambda: phone.menu() == {})
        sidecar.sign_in("ann")
        wait_until(lambda: len(phone.menu()) == 3)


def test_the_menu_is_empty_once_the_sidecar_stopped(sidecar: Sidecar, phone: Phone) -> None:
    with sidecar.running():
        wait_until(lambda: len(phone.menu()) == 3)
    wait_until(lambda: phone.menu() == {})


def test_nothing_is_shown_or_counted_as_played(
    server: DemoServer, sidecar: Sidecar, phone: Phone
) -> None:
    tone = phone.named(ItemType.AUDIO, "Tone 1")
    with sidecar.running():
        phone.cast(tone)
        wait_until(lambda: sidecar.waiting() == 1)
        with server.core.lock:
            assert all(one.item is None for one in server.core.sessions)

    assert phone.client.item(tone.id).is_played is False
