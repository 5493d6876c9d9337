"""Some days of a household, with everything real but the clock: it runs faster and skips nights.

The table at the end was written by hand: what each device must hold, and why.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ByteSize, SecretStr

from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.config.settings import NetworkSettings
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from sidecar.domain.transfers.network import Use
from sidecar.runtime import Runtime
from tests.e2e.conftest import Person
from tests.e2e.household import (
    EPISODE_BYTES,
    TRACK_BYTES,
    HouseClock,
    Page,
    Player,
    page_of,
    write_library,
)
from tests.fakes.servers.slow_line import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SPEED = 20.0
HEARD_AT_MOST = 3
DAY = timedelta(days=1)
LIGHTS = [f"Light {number}" for number in range(1, 12)]
STEAMS = [f"Steam {number}" for number in range(1, 5)]
HITS = [f"Hit {number}" for number in range(1, 6)]
TIMING = Timing(user_data_s=0.05, library_changed_s=0.2)


@dataclass
class Household:
    """Ann has a phone, the admin a car; both have players and pages."""

    clock: HouseClock
    speaks: Version
    folder: Path
    ann: Person
    admin: Person
    ann_page: Page
    admin_page: Page
    phone: str
    car: str

    def player(self, person: Person) -> Player:
        return Player(person, self.speaks, self.clock.speed)

    def reasons(self, page: Page, device_id: str) -> dict[str, set[str]]:
        """What is whole on a device, and why."""
        found = page.downloads(device_id)
        return {
            title: {why["text"] for why in one["reasons"]}
            for title, one in found.items()
            if one["status"] == "completed"
        }

    def arrives(self, page: Page, device_id: str, *titles: str) -> None:
        wait_until(
            lambda: set(titles) <= self.reasons(page, device_id).keys(),
            what=f"{titles} on the device",
        )

    def hears(self, page: Page, player: Player, place: int) -> None:
        """Hear one entry, once more where the machine stood still and the play went unseen."""

        def is_counted() -> bool:
            played = page.get("/plays", page_size="100")["items"]
            item_id = player.queue[place]["Id"]
            return any(one["item_id"] == item_id and one["counted"] for one in played)

        for _ in range(HEARD_AT_MOST):
            player.hear(place)
            with suppress(AssertionError):
                wait_until(is_counted, within_s=20.0)
                return
        pytest.fail(f"{player.queue[place]} was heard {HEARD_AT_MOST} times and is not counted")

    def says(self, page: Page, device_id: str, title: str, text: str | None) -> None:
        """Wait until a reason is given for a title, or none at all."""
        wanted = set() if text is None else {text}
        wait_until(
            lambda: (
                wanted <= (found := self.reasons(page, device_id).get(title, {"?"}))
                and (text is not None or not found)
            ),
            what=f"{title} to be there because of {text}",
        )

    def night(self) -> None:
        self.clock.skip(DAY)


@pytest.fixture(params=[Version.V10_11, Version.V12_0], ids=str)
def household(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Household]:
    library = write_library(tmp_path / "library")
    clock = HouseClock(SPEED)
    with ExitStack() as open_now:
        server = DemoServer(library, speaks=request.param, timing=TIMING)
        open_now.enter_context(server)
        settings = Settings(
            jellyfin=JellyfinSettings(url=server.url, username="ann", password=SecretStr("ann")),
            server=ServerSettings(port=0, data_dir=tmp_path / "data"),
            network=NetworkSettings(use=Use.ANY),
            devices=(
                _device("Phone", tmp_path / "phone", "ann"),
                _device("Car", tmp_path / "car", "admin"),
            ),
        )
        running = open_now.enter_context(Runtime(settings, clock))
        people = [Person(server.url, name).sign_in() for name in ("ann", "admin")]
        wait_until(lambda: _can_sign_in(running.url), what="the sidecar")
        pages = [
            open_now.enter_context(page_of(running.url, name, name)) for name in ("ann", "admin")
        ]
        yield Household(
            clock=clock,
            speaks=request.param,
            folder=tmp_path,
            ann=people[0],
            admin=people[1],
            ann_page=pages[0],
            admin_page=pages[1],
            phone=pages[0].device("Phone"),
            car=pages[1].device("Car"),
        )
        for one in people:
            one.session.close()


def _device(name: str, path: Path, user: str) -> DeviceSettings:
    return DeviceSettings(name=name, path=path, reserve=ByteSize(0), users=(user,), cast=True)


def _can_sign_in(url: str) -> bool:
    with page_of(url, "ann", "ann") as page:
        return bool(page.get("/devices")["items"])


def monday(house: Household) -> None:
    ann, admin, phone, car = house.ann, house.admin, house.phone, house.car
    tracks = ann.tracks()

    # Ann presses a heart, and listens to three tracks of an album.
    ann.heart(tracks["Hit 2"])
    house.says(house.ann_page, phone, "Hit 2", "your favourite")
    player = house.player(ann)
    player.enqueue([tracks[one] for one in LIGHTS])
    for place in range(3):
        house.hears(house.ann_page, player, place)
    house.arrives(house.ann_page, phone, *LIGHTS)
    house.says(house.ann_page, phone, "Light 11", "you played 3 of 11 tracks of First Light")

    # She starts another one, and leaves it after a few seconds: only what came next was fetched.
    player.enqueue([tracks[one] for one in STEAMS])
    player.start(0)
    house.arrives(house.ann_page, phone, *STEAMS[1:])
    player.stop(0, 3.0)
    house.says(house.ann_page, phone, "Steam 3", None)

    # She chooses her playlist for the phone.
    playlist = ann.item("Road trip", "Playlist")
    assert house.ann_page.ask("PUT", f"/devices/{phone}/playlists/{playlist}").ok
    house.says(house.ann_page, phone, "Steam 2", "on your playlist Road trip")
    house.says(house.ann_page, phone, "Hit 1", "on your playlist Road trip")

    # The admin is in the middle of a series, and wants the next two in the car.
    change = {"rules": {"next_up": {"enabled": True, "count": 2}}}
    assert house.admin_page.ask("PATCH", f"/devices/{car}/settings", change).ok
    admin.watch("Signal 1")
    house.arrives(house.admin_page, car, "Signal 2", "Signal 3")


def tuesday(house: Household) -> None:
    ann, admin, phone, car = house.ann, house.admin, house.phone, house.car
    tracks = ann.tracks()

    # Ann changes her mind about one hit, and deletes a file by hand.
    ann.heart(tracks["Hit 2"], on=False)
    ann.heart(tracks["Hit 3"])
    house.says(house.ann_page, phone, "Hit 3", "your favourite")
    gone = house.ann_page.downloads(phone)["Light 4"]["file_path"]
    (house.folder / "phone" / gone).unlink()
    wait_until(
        lambda: house.ann_page.downloads(phone)["Light 4"]["status"] == "removed",
        what="Light 4 removed",
    )

    # The next track would bring it back, if she had not removed it herself.
    player = house.player(ann)
    player.enqueue([tracks[one] for one in LIGHTS])
    player.hear(2)
    why = house.ann_page.get(f"/devices/{phone}/items/{tracks['Light 4']}/why")
    assert not why["is_here"]

    # The admin casts an album to the car, and sees the second episode.
    cast = admin.cast("Car", [tracks[one] for one in HITS])
    assert cast
    house.arrives(house.admin_page, car, *HITS)
    admin.watch("Signal 2")
    house.arrives(house.admin_page, car, "Signal 4")

    # The car's stick is pulled and put back.
    shutil.move(house.folder / "car", house.folder / "pulled")
    wait_until(lambda: bool(house.admin_page.get("/notices")["items"]), what="a notice")
    shutil.move(house.folder / "pulled", house.folder / "car")
    wait_until(lambda: not house.admin_page.get("/notices")["items"], what="no notice")


def wednesday(house: Household) -> None:
    car = house.car
    # There is less room in the car: what nobody needs any more goes.
    budget = 5 * TRACK_BYTES + 2 * EPISODE_BYTES + 60_000
    assert house.admin_page.ask(
        "PATCH", f"/devices/{car}/settings", {"settings": {"budget": budget}}
    ).ok
    wait_until(
        lambda: house.admin_page.downloads(car)["Signal 2"]["status"] == "removed",
        what="room in the car",
    )


def test_two_days_and_a_morning(household: Household) -> None:
    house = household
    phone, car = house.phone, house.car

    monday(house)
    house.night()
    tuesday(house)
    house.night()
    house.night()
    wednesday(house)

    affinity = {"you played 3 of 11 tracks of First Light"}
    on_the_phone = {
        **{title: affinity for title in LIGHTS if title != "Light 4"},
        "Light 5": affinity | {"on your playlist Road trip"},
        "Steam 2": {"on your playlist Road trip"},
        "Steam 3": set(),
        "Steam 4": set(),
        "Hit 1": {"on your playlist Road trip"},
        "Hit 2": set(),
        "Hit 3": {"your favourite"},
    }
    in_the_car = {
        **{title: {"you cast Greatest Hits here"} for title in HITS},
        "Signal 3": {"next up in The Signal"},
        "Signal 4": {"next up in The Signal"},
    }
    wait_until(
        lambda: house.reasons(house.ann_page, phone) == on_the_phone,
        what="the phone as it should be",
    )
    wait_until(
        lambda: house.reasons(house.admin_page, car) == in_the_car, what="the car as it should be"
    )
