"""What another process has found, problems and questions, is on pages that have no rules."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings, Settings
from sidecar.domain.downloads.download import Status
from sidecar.domain.identity.matching import Facts
from sidecar.domain.items.selection import Selection
from sidecar.domain.playback.sessions import NowPlaying, QueueEntry
from sidecar.domain.processes.roles import Roles, Task
from sidecar.domain.rules.context import KeptSelection
from sidecar.errors import ServerAway
from sidecar.events import DownloadChanged, Event, NoticesChanged, WorkArrived
from sidecar.services.health.problems import Problem, ProblemKind
from sidecar.services.identity.questions import IdentityQuestion
from sidecar.services.operations.backups.nightly import ITSELF
from sidecar.services.playback.shared_playing import REST_S
from sidecar.services.rules.selections.questions import SelectionQuestion
from sidecar.store.rules.selections import SavedSelection
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Reply, json_reply
from tests.services.conftest import STICK, track
from tests.web.elsewhere.house_and_car import Car, house_and_car, share
from tests.web.house import ANN, Browser, WebHouse, only_for, web_house
from tests.web.pages.admin.test_checks import me

WEB = Roles(frozenset({Task.WEB}), is_alone=False)
RULES = Roles(frozenset({Task.WATCH, Task.WORK}), is_alone=False)


@pytest.fixture
def both(quick_path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Car]]:
    """Pages alone at home; the rules and the stick are at the car."""

    def change(settings: Settings) -> Settings:
        absent = DeviceSettings(name="New card", path=Path("/media/nobody/here"))
        devices = (*only_for("ann")(settings).devices, absent)
        return settings.model_copy(update={"devices": devices})

    with house_and_car(quick_path, clock, change, pages=WEB, work=RULES) as built:
        for one in built:
            share(one)
        yield built


@pytest.fixture
def house(both: tuple[WebHouse, Car]) -> WebHouse:
    return both[0]


@pytest.fixture
def car(both: tuple[WebHouse, Car]) -> Car:
    return both[1]


def page_of(browser: Browser) -> str:
    return browser.get("/").text


def doubt(house: WebHouse, car: Car) -> IdentityQuestion:
    """Let the rules find that one of Ann's files may be either of two items."""
    held = house.add(1, status=Status.COMPLETED)
    facts = Facts(
        id=held.item_id, kind="Audio", title=held.title, devices=frozenset({STICK}), size=3
    )
    asked = IdentityQuestion(facts, (track(8), track(9)), "2 of them fit equally well")
    car.services.rules.questions.decide([held.item_id], {held.item_id: asked})
    return asked


def test_a_question_about_an_item_is_shown_and_answered_where_no_rules_run(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    asked = doubt(house, car)
    assert "by another name" not in page_of(ann)
    share(car)
    share(house)

    assert "it is not certain which item that is" in page_of(ann)
    (told,) = ann.told(f"/api/v1/devices/{STICK}/matches")["files"]
    assert [one["id"] for one in told["candidates"]] == [track(8).id, track(9).id]
    assert house.services.rules.questions.of(asked.file.id) == asked, "nothing of it is lost"

    answered = ann.press(f"/devices/{STICK}/matches", item=asked.file.id)
    assert answered.status_code == HTTPStatus.SEE_OTHER
    assert "it is not certain" not in page_of(ann)
    share(house)
    share(car)
    share(house)

    assert car.services.rules.questions.all() == []
    assert "it is not certain" not in page_of(ann)
    assert house.store.db.sql("SELECT * FROM findings WHERE kind = 'identity'") == []


def test_a_question_about_a_saved_filter_is_shown_and_answered_where_no_rules_run(
    house: WebHouse, car: Car, ann: Browser, ben: Browser
) -> None:
    saved = SavedSelection("5" * 32, "Jazz", Selection(genres=("Jazz",)))
    house.store.selections.add(ANN.user_id, saved, house.clock.now())
    house.store.selections.keep(ANN.user_id, STICK, saved.id)
    kept = KeptSelection(id=saved.id, name="Jazz", asked=saved.asked, matched=9)
    asked = SelectionQuestion(ANN.user_id, STICK, kept, 2)
    car.services.rules.asking.known.replace([], {"jazz": asked})
    share(car)
    share(house)

    question = "Your filter Jazz matched 9 files and now matches 2"
    assert question in page_of(ann)
    assert question not in page_of(ben)
    assert list(house.services.rules.asking.of(ANN.user_id, STICK)) == [asked]


def test_an_answer_about_a_filter_ends_the_question_everywhere_and_runs_the_rules(
    house: WebHouse, car: Car
) -> None:
    saved = SavedSelection("5" * 32, "Jazz", Selection(genres=("Jazz",)))
    house.store.selections.add(ANN.user_id, saved, house.clock.now())
    house.store.selections.keep(ANN.user_id, STICK, saved.id)
    matched = house.store.selections.kept(ANN.user_id, STICK)[0]
    car.services.rules.asking.known.replace(
        [],
        {f"{ANN.user_id} {STICK} {saved.id}": SelectionQuestion(ANN.user_id, STICK, matched, 2)},
    )
    ran: list[str] = []
    car.services.sharing.calls.answer("rules", ran.append)
    share(car)
    share(house)

    house.services.web.selections.answer(ANN, STICK, saved.id, remove=True)
    assert house.services.rules.asking.of(ANN.user_id, STICK) == []
    share(house)
    share(car)

    assert car.services.rules.asking.of(ANN.user_id, STICK) == []
    assert ran == [ANN.user_id]
    assert [one.matched for one in house.store.selections.kept(ANN.user_id, STICK)] == [2]


def test_a_server_that_another_machine_cannot_reach_is_named_and_stops_nothing_here(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    car.services.accounts.server.tell(ServerAway("it does not answer"))
    share(car)
    share(house)

    shown = page_of(ann)
    assert "car: Jellyfin cannot be reached" in shown
    assert house.services.accounts.server.is_there, "this machine may reach it"
    waits = house.add(1)
    why = ann.get(f"/api/v1/devices/{STICK}/items/{waits.item_id}/why").text
    assert "Jellyfin cannot be reached" in why

    house.services.accounts.server.tell(ServerAway("it does not answer"))
    now = page_of(ann)
    assert now.count("Jellyfin cannot be reached") == shown.count("Jellyfin cannot be reached")
    assert "car: Jellyfin" not in now, "one message for all"


def test_trying_now_on_any_page_has_all_processes_try(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    heard: list[Event] = []
    car.bus.subscribe(heard.append)
    car.services.accounts.server.tell(ServerAway("it does not answer"))
    share(car)
    share(house)
    assert "car: Jellyfin cannot be reached" in page_of(ann)

    assert ann.press("/alerts/try").status_code == HTTPStatus.SEE_OTHER
    share(car)
    assert WorkArrived() in heard
    assert car.services.accounts.server.is_there
    share(house)

    assert "Jellyfin cannot be reached" not in page_of(ann)


def test_problems_of_an_account_and_of_backups_found_elsewhere_are_on_the_pages(
    house: WebHouse, car: Car, ann: Browser, ben: Browser, eve: Browser
) -> None:
    car.services.accounts.service.outside_hours(ANN.user_id)
    car.services.accounts.problems.note(
        ProblemKind.BACKUP, ITSELF, Problem("no-backup", "No backup was made")
    )
    share(car)
    share(house)

    assert "It is outside ann&#39;s hours" in page_of(ann)
    assert "outside ann" not in page_of(ben)
    assert "No backup was made" in page_of(eve)
    assert house.services.accounts.server.may_ask_for(ANN.user_id), "it may be used from here"
    assert [one.user_id for one in car.services.accounts.service.outside_their_hours()] == [
        ANN.user_id
    ]

    car.die()
    share(house)
    assert "outside ann" not in page_of(ann), "it goes with the lease of who found it"


def test_a_device_that_was_never_attached_says_on_all_pages_what_its_machine_sees(
    house: WebHouse, car: Car, eve: Browser
) -> None:
    assert "New card is not there" not in eve.get("/devices").text
    car.look()
    share(car)
    share(house)

    assert "car: New card is not there" in eve.get("/devices").text


def news_of_files(heard: list[Event]) -> list[DownloadChanged]:
    return [one for one in heard if isinstance(one, DownloadChanged)]


def test_files_that_come_on_another_machine_are_news_here_without_redis(
    house: WebHouse, car: Car
) -> None:
    waits = house.add(1)
    heard: list[Event] = []
    house.bus.subscribe(heard.append)
    house.add(2, status=Status.COMPLETED)
    own = news_of_files(heard)
    share(house)
    assert news_of_files(heard) == own != [], "what happens here is told at once, and once"
    heard.clear()

    (claimed,) = car.store.downloads.queue.claim_together(house.clock.now(), at_most=1)
    assert claimed.id == waits.id
    assert car.store.downloads.transitions.mark_arrived(
        claimed, size=3, content_hash="0" * 32, mime_type="audio/flac"
    )
    share(house)

    (told,) = news_of_files(heard)
    assert (told.download.id, told.was, told.now) == (
        waits.id,
        Status.DOWNLOADING,
        Status.COMPLETED,
    )
    heard.clear()
    share(house)
    assert news_of_files(heard) == []

    house.bus.connect(lambda: True)
    assert house.store.downloads.transitions.delete(house.now(waits))
    heard.clear()
    share(car)
    share(house)
    assert news_of_files(heard) == []


def test_who_is_alone_calls_nobody_and_tells_nobody(quick_path: Path, clock: FakeClock) -> None:
    with web_house(quick_path, clock) as alone:
        alone.services.rules.wake(ANN.user_id)
        alone.services.web.notices.try_now()
        assert alone.store.db.sql("SELECT * FROM meta WHERE key LIKE 'call:%'") == []
        assert alone.store.db.sql("SELECT * FROM findings") == []


def test_an_account_that_was_refused_at_a_machine_that_only_works_goes_on_there(
    quick_path: Path, clock: FakeClock
) -> None:
    with house_and_car(quick_path, clock, only_for("ann")) as (house, car):
        accounts = car.services.accounts
        accounts.permissions.step()
        assert house.jellyfin.asked("/Users/Me") == [], "the process that watches asks for all"
        accounts.service.outside_hours(ANN.user_id)
        assert not accounts.server.may_ask_for(ANN.user_id)
        house.jellyfin.routes["GET /Users/Me"] = Reply(403)
        accounts.permissions.step()
        assert not accounts.server.may_ask_for(ANN.user_id)

        house.jellyfin.routes["GET /Users/Me"] = json_reply(me(may_download=True))
        accounts.permissions.step()

        assert accounts.server.may_ask_for(ANN.user_id)
        assert len(house.jellyfin.asked("/Users/Me")) == 2


def test_tasks_and_backups_of_another_process_are_shown_and_run_from_any_page(
    house: WebHouse, car: Car, eve: Browser
) -> None:
    background = car.services.background
    background.backups.step()
    assert "not done since" not in eve.get("/admin/tasks").text
    share(car)
    share(house)
    page = eve.get("/admin/tasks").text
    assert "<b>Backup</b> <small" in page
    assert "on car" in page
    assert "none yet" in eve.get("/admin").text

    eve.press("/admin/tasks", task="backup")
    share(car)
    background.backups.step()
    share(car)
    share(house)
    assert "done just now" in eve.get("/admin/tasks").text
    assert "1 kept" in eve.get("/admin").text

    house.clock.advance(5)
    eve.press("/admin/backup")
    share(car)
    background.backups.step()
    share(car)
    share(house)
    assert "2 kept" in eve.get("/admin").text
    assert background.backups.view().kept == 2


def test_what_plays_is_shown_by_a_process_that_does_not_hear_it(
    house: WebHouse, car: Car, ann: Browser, ben: Browser
) -> None:
    playing = NowPlaying(
        session_id="phone",
        user_id=ANN.user_id,
        item=track(5, seconds=180.0),
        device_name="Phone",
        client="Finamp",
        position_s=12.0,
        checked_in=house.clock.now(),
        queue=(QueueEntry(track(5).id, "5"), QueueEntry(track(6).id, "6")),
    )
    car.services.rules.watching.tell(ANN.user_id, [playing])
    house.clock.advance(REST_S)
    assert "Nothing is playing" in ann.get("/now").text
    share(car)
    share(house)

    page = ann.get("/now").text
    assert "Finamp on Phone" in page
    assert "1 more in the queue" in page
    assert "Nothing is playing" in ben.get("/now").text, "it is not theirs"
    (told,) = house.services.rules.playing.shown()
    assert told.playing == playing

    house.clock.advance(REST_S)
    car.services.rules.watching.tell(ANN.user_id, [])
    house.clock.advance(REST_S)
    share(car)
    share(house)
    assert "Nothing is playing" in ann.get("/now").text


def test_everybody_reads_that_rules_rest_while_no_process_watches(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    told: list[Event] = []
    house.bus.subscribe(told.append)
    assert "No rule runs" not in ann.get("/").text

    car.die()
    share(house)
    assert NoticesChanged() in told
    assert "No rule runs" in ann.get("/").text
    told.clear()
    share(house)
    assert NoticesChanged() not in told

    car.store.processes.take_another_id()
    car.store.processes.register("car", "/car", is_alone=False, roles="work")
    share(house)
    assert "No rule runs" in ann.get("/").text

    car.store.processes.take_another_id()
    car.store.processes.register("car", "/car", is_alone=False, roles="watch,work")
    share(house)
    assert NoticesChanged() in told
    assert "No rule runs" not in ann.get("/").text


def test_who_uses_a_device_that_was_added_on_a_page_counts_on_all_machines_without_redis(
    house: WebHouse, car: Car
) -> None:
    def users_there() -> list[tuple[str, ...]]:
        car.services.background.housekeeping.step()
        settings = car.services.devices.registry.settings()
        return [one.users for one in settings if one.name == "Page card"]

    card: dict[str, object] = {"name": "Page card", "path": "/media/nobody/card"}
    for users in (["ann", "ben"], ["ann"]):
        house.services.configuration.save({"devices": [card | {"users": users}]})
        assert users_there() == [tuple(users)]
    house.services.configuration.save({"devices": None})
    assert users_there() == []
