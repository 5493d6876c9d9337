"""The home page: each person sees there what is theirs, and the devices as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.rules.queue_ahead import NAME as AHEAD
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.errors import WrongServer
from sidecar.messages import msg
from sidecar.services.health.problems import Problem, ProblemKind
from tests.services.conftest import STICK
from tests.web.house import ANN, EVE, Browser, WebHouse

BLOCK = 4096


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann", "ben")


def test_everything_on_it_is_of_the_one_who_looks(
    house: WebHouse, ann: Browser, ben: Browser, eve: Browser
) -> None:
    house.add(1, ANN, status=Status.COMPLETED, title="Ann's file")
    house.add(2, ANN, title="Ann's wish")
    running = house.add(3, ANN, status=Status.DOWNLOADING, size=1000, title="Ann's transfer")
    house.transfer({running.id: 500}, seconds=1)
    house.heard(ANN, 1, house.clock.now() - timedelta(hours=1))

    mine, theirs, all_of_it = (one.get("/").text for one in (ann, ben, eve))

    for title in ("Ann&#39;s file", "Ann&#39;s wish", "Ann&#39;s transfer"):
        assert title in mine
        assert title not in theirs
        assert title in all_of_it
    assert "Downloading 1 file" in mine
    assert "last synced" in mine
    assert 'aria-labelledby="played"' in mine
    assert "Nothing to download" in theirs
    assert "nothing of yours synced yet" in theirs
    assert "Nothing of yours is on a device yet" in theirs
    assert 'aria-labelledby="played"' not in theirs


def test_what_is_paused_is_not_nothing(house: WebHouse, ann: Browser) -> None:
    for number in (1, 2):
        house.add(number, status=Status.PAUSED)

    page = ann.get("/").text

    assert "2 downloads are paused" in page
    assert "Nothing to download" not in page


def test_what_cannot_come_now_is_not_said_to_come_next(house: WebHouse, ann: Browser) -> None:
    waits = house.add(1, title="Unreadable")
    failure = Failure(FailureClass.TRANSIENT, "source", "Jellyfin cannot read this file")
    house.postpone(waits, house.clock.now() + timedelta(hours=1), failure)

    page = ann.get("/").text

    assert "1 download is waiting" in page
    assert "Waiting to try again:" in page
    assert page.index("Unreadable") < page.index("Jellyfin cannot read this file. ")
    assert "Next try" in page
    assert 'aria-labelledby="coming"' not in page

    house.add(2, title="Readable")

    coming = ann.get("/").text.partition('aria-labelledby="coming"')[2]
    assert "Readable" in coming
    assert "Unreadable" not in coming


@pytest.mark.parametrize("paused", [False, True])
def test_nothing_comes_next_to_a_device_that_takes_nothing_now(
    house: WebHouse, ann: Browser, *, paused: bool
) -> None:
    house.add(1, title="For the stick")
    assert 'aria-labelledby="coming"' in ann.get("/").text
    assert "1 download is queued" in ann.get("/").text
    if paused:
        house.services.web.settings.change(EVE, STICK, {"paused": True}, {})
    else:
        house.unplug()

    page = ann.get("/").text

    assert "1 download is waiting" in page
    assert 'aria-labelledby="coming"' not in page


def test_a_paused_device_says_so_also_where_something_is_wrong_with_it(
    house: WebHouse, ann: Browser
) -> None:
    house.add(1, status=Status.COMPLETED, size=6 * BLOCK)
    house.add(2, size=5 * BLOCK)
    house.services.web.settings.change(EVE, STICK, {"budget": 8 * BLOCK, "reserve": 0}, {})
    house.services.transfers.space.step()
    told = "Paused: nothing is downloaded or removed"
    assert all(told not in ann.get(path).text for path in ("/", "/devices"))

    house.services.web.settings.change(EVE, STICK, {"paused": True}, {})

    home = ann.get("/").text
    assert "Needs attention" in home
    assert told in home
    assert told in ann.get("/devices").text


def test_what_does_not_fit_says_so_wherever_it_is_shown(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED, size=6 * BLOCK)
    house.add(2, size=5 * BLOCK)
    house.services.web.settings.change(EVE, STICK, {"budget": 8 * BLOCK, "reserve": 0}, {})
    house.services.transfers.space.step()

    home, downloads = ann.get("/").text, ann.get("/downloads").text

    assert "1 download is waiting" in home
    assert 'aria-labelledby="coming"' not in home
    assert "Unpin something, or have the limit raised" in home
    assert "is used up by files with the same or a higher priority" in downloads
    assert "<span>No room</span>" in downloads
    assert "<span>Queued</span>" not in downloads


def test_a_drive_that_others_fill_is_not_said_to_be_over_a_limit(
    house: WebHouse, ann: Browser
) -> None:
    house.add(1, status=Status.COMPLETED, size=6 * BLOCK)
    total = house.services.devices.registry.get(STICK).folder.space().total
    house.services.web.settings.change(EVE, STICK, {"reserve": total - BLOCK}, {})
    house.services.transfers.space.step()

    home, devices = ann.get("/").text, ann.get("/devices").text

    assert "has less free space than it should keep" in home
    assert "unpin something or delete other files there" in home
    assert "more should stay free, but everything on it is kept" in devices
    assert "raise the limit" not in home + devices


def test_where_more_should_stay_free_than_the_drive_holds_pages_say_what_to_lower(
    house: WebHouse, ann: Browser
) -> None:
    house.add(1, status=Status.COMPLETED, size=6 * BLOCK)
    waits = house.add(2, size=5 * BLOCK)
    # As in a settings file, which is read before any drive is there.
    house.services.devices.settings.change(STICK, {"reserve": 9 * 10**15})
    house.services.transfers.space.step()

    home, devices, failed = (
        ann.get(one).text for one in ("/", "/devices", "/downloads?tab=failed")
    )

    assert "so nothing is downloaded to it: lower Keep free in its settings" in home
    assert "Lower Keep free in its settings" in devices
    assert "never fits: lower Keep free in its settings" in failed
    assert "unpin something" not in home + devices
    assert "-" not in re.findall(r"of (.*?) used", home + devices)[0]

    house.services.web.settings.change(EVE, STICK, {"reserve": 0}, {})
    assert house.now(waits).status is Status.PENDING


def test_the_menu_of_a_tile_pauses_for_whoever_manages_the_device(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    def is_paused() -> bool:
        now = house.services.devices.settings.of(STICK)
        return now is not None and now.paused

    address = f"/devices/{STICK}/pause"
    assert f'action="{address}"' not in ann.get("/").text
    assert "Name, users, remove" not in ann.get("/").text
    assert ann.press(address, paused="yes", next="/").status_code == 403
    page = eve.get("/").text
    assert f'href="/downloads?device={STICK}"' in page
    assert f'href="/devices/edit?device={STICK}"' in page
    assert re.search(r'value="yes">.*Pause</span>', page)

    paused = eve.press(address, paused="yes", next="/")

    assert (paused.status_code, paused.location) == (303, "/")
    assert is_paused()
    assert re.search(r'value="no">.*Resume</span>', eve.get("/").text)
    eve.press(address, paused="no", next="/")
    assert not is_paused()


def test_the_tile_says_the_worst_of_a_device(house: WebHouse, ann: Browser) -> None:
    assert ">Empty</span>" in ann.get("/").text
    house.add(1, status=Status.COMPLETED)
    house.look()
    assert "Up to date" in ann.get("/").text
    house.add(20)
    assert ">Queued</span>" in ann.get("/").text
    problems = house.services.accounts.problems
    problems.note(ProblemKind.ROOM, STICK, Problem("no-room", "It does not fit"))
    page = ann.get("/").text
    assert ">Needs attention</span>" in page
    assert "It does not fit" in page
    house.ask_about_removals()

    page = ann.get("/").text

    assert ">Files are missing</span>" in page
    assert "6 files are missing" in page
    assert "Up to date" not in page
    house.unplug()
    assert ">Not available</span>" in ann.get("/").text


def another_jellyfin_answers(house: WebHouse) -> None:
    house.services.accounts.server.tell(WrongServer(msg("It is another one")))


def ann_has_to_sign_in_again(house: WebHouse) -> None:
    problem = Problem("signed-out", "Sign in again")
    house.services.accounts.problems.note(ProblemKind.ACCOUNT, ANN.user_id, problem)


def automatic_downloads_are_paused(house: WebHouse) -> None:
    house.services.web.transfers.pause(paused=True)


def a_download_has_failed(house: WebHouse) -> None:
    house.add(2, status=Status.FAILED)


def a_download_is_paused(house: WebHouse) -> None:
    house.add(2, status=Status.PAUSED)


def so_much_would_go_that_somebody_is_asked(house: WebHouse) -> None:
    for number in range(2, 11):
        house.add(number, status=Status.COMPLETED, size=4096, rule=AHEAD)
    house.services.web.settings.change(ANN, STICK, {"budget": 4096, "reserve": 0}, {})
    house.services.transfers.space.step()


@pytest.mark.parametrize("users", [("ann",)])
@pytest.mark.parametrize(
    ("happens", "word"),
    [
        (another_jellyfin_answers, "Waiting for Jellyfin"),
        (ann_has_to_sign_in_again, "Needs attention"),
        (automatic_downloads_are_paused, "Paused"),
        (a_download_has_failed, "Downloads failed"),
        (a_download_is_paused, "Paused"),
        (so_much_would_go_that_somebody_is_asked, "Needs an answer"),
    ],
)
def test_nothing_is_called_up_to_date_that_is_not(
    house: WebHouse, ann: Browser, happens: Callable[[WebHouse], None], word: str
) -> None:
    house.add(1, status=Status.COMPLETED, rule=AHEAD, size=4096)
    house.look()
    for page in ("/", "/devices"):
        assert "Up to date" in ann.get(page).text

    happens(house)

    home, devices, downloads = (ann.get(path).text for path in ("/", "/devices", "/downloads"))
    assert f">{word}</span>" in home
    assert "Up to date" not in home + devices
    if word != "Needs an answer":
        assert "Everything is on the device" not in downloads


def test_while_jellyfin_is_away_nobody_says_that_there_is_nothing_to_download(
    house: WebHouse, ann: Browser
) -> None:
    house.add(1, status=Status.COMPLETED)
    another_jellyfin_answers(house)

    for path in ("/", "/downloads"):
        page = ann.get(path).text
        assert "Waiting for Jellyfin" in page
        assert "Nothing to download" not in page


def the_stick_is_pulled(house: WebHouse) -> None:
    house.unplug()


def the_stick_cannot_be_written_to(house: WebHouse) -> None:
    problem = Problem("read-only", "Car stick is read-only: its queue waits")
    house.services.accounts.problems.note(ProblemKind.DEVICE, STICK, problem)


def the_stick_is_paused(house: WebHouse) -> None:
    house.services.web.settings.change(EVE, STICK, {"paused": True}, {})


def no_file_gets_through(house: WebHouse) -> None:
    problem = Problem("blocked", "No file gets through from Jellyfin: the proxy refuses it")
    house.services.accounts.problems.note(ProblemKind.SERVER, "files", problem)


@pytest.mark.parametrize(
    ("happens", "word", "why"),
    [
        (the_stick_is_pulled, "Waiting for the device", "Car stick is not there"),
        (the_stick_cannot_be_written_to, "Waiting for the device", "Car stick is read-only"),
        (the_stick_is_paused, "Device paused", "Car stick is paused: nothing is downloaded to it"),
        (no_file_gets_through, "Waiting for Jellyfin", "the proxy refuses it"),
        (ann_has_to_sign_in_again, "Waiting", "Sign in again"),
        (automatic_downloads_are_paused, "Waiting", "Automatic downloads are paused"),
    ],
)
def test_a_row_says_what_it_waits_for_as_every_other_page_does(
    house: WebHouse, ann: Browser, happens: Callable[[WebHouse], None], word: str, why: str
) -> None:
    added = house.add(1, title="Ann's wish")
    assert ">Queued</span>" in ann.get("/downloads").text

    happens(house)

    row, home = ann.get("/downloads").text.partition('class="row')[2], ann.get("/").text
    told = " ".join(
        ann.client.get(f"/api/v1/devices/{STICK}/items/{added.item_id}/why").get_json()["sentences"]
    )
    assert f">{word}</span>" in row
    assert why in row
    assert why in told
    assert ">Queued</span>" not in row
    assert "1 download is waiting" in home
    assert 'aria-labelledby="coming"' not in home


def test_what_comes_next_is_found_behind_many_that_cannot_come(
    house: WebHouse, ann: Browser
) -> None:
    for number in range(1, 41):
        house.postpone(house.add(number), house.clock.now() + timedelta(hours=1))
    house.add(41, title="Behind forty")

    page = ann.get("/").text

    assert "Behind forty" in page.partition('aria-labelledby="coming"')[2]
    assert "41 downloads are queued" in page
    the_stick_is_paused(house)
    assert "41 downloads are waiting" in ann.get("/").text


def test_what_comes_late_moves_nothing(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED)
    house.heard(ANN, 1, house.clock.now() - timedelta(hours=1))

    page = ann.get("/").text

    assert 0 < page.index('aria-labelledby="added"') < page.index('aria-labelledby="played"')
    assert page.index('aria-labelledby="played"') < page.index('id="continued"')
