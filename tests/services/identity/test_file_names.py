"""Rename files today is shown, and they are renamed where they lie after a yes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest
from werkzeug.test import Client

from sidecar.errors import NotAManager, NotPossible, NotVisible
from sidecar.events import Bus, DeviceChanged, NewsMissed
from sidecar.services.accounts.person import Person
from sidecar.services.identity.file_names import KEPT_S, FileNames, RenamedFile
from sidecar.services.identity.renaming import FileRenaming
from sidecar.web.app import create_app
from tests.fakes.libraries.tiny import track
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, come_in, moving_house
from tests.statements import broken

ALBUM = "Music/Various/Mix (2004)"
OTHER = "22222222-2222-4222-8222-222222222222"
ARTISTS = ("Anna", "Bert", "Cleo")
OLD = [f"{name}/Mix ({2004 + n})/1-0{n + 1} - Tone {n + 1}.flac" for n, name in enumerate(ARTISTS)]
NEW = [f"Anna/Mix (2004)/1-0{n} - Tone {n}.flac" for n in (1, 2, 3)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    """A compilation has three folders on the stick, as it had before albums decided that."""
    entries = [
        track(ALBUM, n, f"Tone {n}", artists=[name], album_artists=[name], year=2003 + n)
        for n, name in enumerate(ARTISTS, 1)
    ]
    shared: dict[str, object] = {"users": ("ann", "ben"), "managers": ("ann",)}
    with moving_house(tmp_path, entries, change=lambda facts: facts.update(shared)) as built:
        items = sorted(built.items(), key=lambda one: one.title)
        built.fill(*items)
        built.store.db.sql("UPDATE downloads SET started_at = completed_at")
        assert [one.file_path for one in built.rows()] == OLD
        yield built


@pytest.fixture
def names(house: MovingHouse) -> FileNames:
    return house.services.web.file_names


@pytest.fixture
def renaming(house: MovingHouse) -> FileRenaming:
    services = house.services
    return FileRenaming(house.store.downloads, services.devices.registry, house.bus)


def test_nothing_is_renamed_before_a_yes(
    house: MovingHouse, names: FileNames, renaming: FileRenaming
) -> None:
    ann = house.person("ann")

    shown = names.preview(ann, STICK)
    renaming.step()

    assert (shown.renamed, shown.fetched, shown.waiting, shown.unread) == (2, 0, 0, 0)
    assert shown.device_name == "Car stick"
    assert house.files() == OLD
    assert [one.wanted_path for one in house.rows()] == [None] * 3


def test_after_a_yes_each_file_is_renamed_where_it_lies(
    house: MovingHouse, names: FileNames, renaming: FileRenaming
) -> None:
    ann, before = house.person("ann"), house.rows()
    inodes = [(house.stick / one.file_path).stat().st_ino for one in before]

    assert names.rename(ann, STICK, names.preview(ann, STICK).plan_id) == 2
    waiting = names.preview(ann, STICK)
    renaming.step()

    assert (waiting.renamed, waiting.waiting) == (0, 2)
    assert house.files() == NEW
    after = house.rows()
    assert [one.file_path for one in after] == NEW
    assert [(house.stick / one.file_path).stat().st_ino for one in after] == inodes
    assert [one.content_hash for one in after] == [one.content_hash for one in before]
    assert house.server.fetched == 0
    again = names.preview(ann, STICK)
    assert (again.renamed, again.waiting, again.examples) == (0, 0, [])


def test_another_plan_than_the_one_that_was_shown_is_not_carried_out(
    house: MovingHouse, names: FileNames
) -> None:
    ann = house.person("ann")
    plan_id = names.preview(ann, STICK).plan_id
    house.store.db.sql("DELETE FROM downloads WHERE title = 'Tone 3'")

    with pytest.raises(NotPossible, match="look at the names again"):
        names.rename(ann, STICK, plan_id)

    assert [one.wanted_path for one in house.rows()] == [None] * 2


def test_names_are_planned_anew_only_when_something_has_changed(
    house: MovingHouse, names: FileNames
) -> None:
    ann, ben = house.person("ann"), house.person("ben")
    first = names.preview(ann, STICK)
    # Nobody tells of this, so it shows whether the rows are read.
    house.store.db.sql("UPDATE downloads SET file_path = ? WHERE title = 'Tone 3'", (NEW[2],))

    assert names.preview(ann, STICK) == first
    assert names.preview(ben, STICK).renamed == 2
    house.bus.publish(DeviceChanged(OTHER))
    assert names.preview(ann, STICK) == first
    for news in (DeviceChanged(STICK), NewsMissed()):
        house.bus.publish(news)
        assert names.preview(ann, STICK).renamed == 1
        house.store.db.sql("UPDATE downloads SET file_path = ? WHERE title = 'Tone 3'", (OLD[2],))
        assert names.preview(ann, STICK).renamed == 1
        house.bus.publish(news)
        assert names.preview(ann, STICK).renamed == 2
        house.store.db.sql("UPDATE downloads SET file_path = ? WHERE title = 'Tone 3'", (NEW[2],))


def test_names_that_could_not_be_planned_are_planned_at_the_next_look(
    house: MovingHouse, names: FileNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = house.person("ann")
    assert names.preview(ann, STICK).renamed == 2
    house.store.db.sql("UPDATE downloads SET file_path = ? WHERE title = 'Tone 3'", (NEW[2],))
    house.bus.publish(DeviceChanged(STICK))

    with broken(house.store.db), pytest.raises(peewee.OperationalError):
        names.preview(ann, STICK)

    assert names.preview(ann, STICK).renamed == 1


def test_what_was_looked_up_is_forgotten_after_a_while(
    house: MovingHouse, names: FileNames
) -> None:
    names.preview(house.person("ann"), STICK)
    asked = len(house.server.paths)
    house.bus.publish(DeviceChanged(STICK))
    names.preview(house.person("ann"), STICK)
    assert len(house.server.paths) == asked

    house.clock.advance(KEPT_S + 1)
    house.bus.publish(DeviceChanged(OTHER))
    assert not names._looks
    names.preview(house.person("ann"), STICK)
    assert len(house.server.paths) > asked


def test_what_was_adopted_and_what_the_server_does_not_know_stays(
    house: MovingHouse, names: FileNames
) -> None:
    house.store.db.sql("UPDATE downloads SET started_at = NULL WHERE title = 'Tone 2'")
    house.store.db.sql("UPDATE downloads SET item_id = ? WHERE title = 'Tone 3'", ("f" * 32,))

    assert names.preview(house.person("ann"), STICK).renamed == 0


def test_what_waits_for_its_file_is_named_at_once(house: MovingHouse, names: FileNames) -> None:
    ann = house.person("ann")
    house.store.db.sql("UPDATE downloads SET status = 'removed' WHERE title = 'Tone 2'")
    shown = names.preview(ann, STICK)

    assert shown.renamed == 1
    assert names.rename(ann, STICK, shown.plan_id) == 1

    assert house.row("Tone 2").file_path == NEW[1]


def test_only_managers_rename(house: MovingHouse, names: FileNames) -> None:
    ann, ben = house.person("ann"), house.person("ben")
    plan_id = names.preview(ann, STICK).plan_id

    with pytest.raises(NotAManager):
        names.rename(ben, STICK, plan_id)
    theirs = names.preview(ben, STICK)
    assert (theirs.renamed, theirs.examples, theirs.management.may_manage) == (2, [], False)
    with pytest.raises(NotVisible):
        names.preview(Person("f" * 32, "eve", is_admin=False), STICK)
    # What is kept for others alone is counted, but shown to an admin alone, whoever asked first.
    moved = house.row("Tone 2").item_id
    house.store.db.sql("UPDATE holds SET user_id = ? WHERE item_id = ?", (ben.user_id, moved))
    admin = house.person("admin")
    shown, theirs = names.preview(ann, STICK), names.preview(ben, STICK)
    assert (shown.renamed, shown.examples) == (2, [RenamedFile(OLD[2], NEW[2])])
    assert (theirs.renamed, theirs.examples) == (2, [RenamedFile(OLD[1], NEW[1])])
    assert [one.path for one in names.preview(admin, STICK).examples] == OLD[1:]


def test_files_that_change_places_pass_each_other(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    first, second, third = house.rows()
    inodes = {one.id: (house.stick / one.file_path).stat().st_ino for one in house.rows()}
    places = {first.id: second.file_path, second.id: third.file_path, third.id: first.file_path}
    house.store.downloads.identity.plan_renames(places)

    for _ in range(4):
        renaming.step()

    assert {one.id: one.file_path for one in house.rows()} == places
    assert [one.wanted_path for one in house.rows()] == [None] * 3
    for one in house.rows():
        assert (house.stick / one.file_path).stat().st_ino == inodes[one.id]
    assert house.files() == OLD


def test_it_is_previewed_and_confirmed_on_the_page_and_by_the_api(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    web = create_app(house.services.web, Bus(), clock=house.clock)
    client, csrf = come_in(house, house.person("ann"), Client(web.wsgi))
    where = f"/devices/{STICK}/names"

    assert where in client.get(f"/devices/{STICK}").text
    page = client.get(where).text
    assert "2 files would be renamed, nothing is downloaded." in page
    told = client.get(f"/api/v1{where}").get_json()
    assert (told["renamed"], told["fetched"], told["unread"]) == (2, 0, 0)
    assert told["plan_id"] in page
    stale = client.post(where, data={"csrf": csrf, "plan": "0" * 16})
    assert (stale.status_code, "look at the names again" in stale.text) == (409, True)
    assert client.post(where, data={"csrf": csrf, "plan": told["plan_id"]}).status_code == 303
    assert "2 files are being renamed." in client.get(where).text
    renaming.step()
    assert "Every file here has the name" in client.get(where).text
    assert house.files() == NEW

    headers = {"X-Sidecar-CSRF": csrf}
    plan = client.get(f"/api/v1{where}").get_json()["plan_id"]
    reply = client.post(f"/api/v1{where}", json={"plan_id": plan}, headers=headers)
    assert (reply.status_code, reply.get_json()["renamed"]) == (202, 0)
    assert client.post(f"/api/v1{where}", json={"plan_id": "x"}, headers=headers).status_code == 409
