"""A title that is wanted on several devices is one row of the downloads page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Download, Status
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import BEN, Browser, WebHouse, web_house
from tests.web.pages.test_downloads import rows, shown
from tests.web.test_queries import with_more


@pytest.fixture
def house(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    with web_house(quick_path, clock, change=with_more(quick_path, 3)) as built:
        yield built


@pytest.fixture
def player(house: WebHouse) -> str:
    """The id of a second device."""
    return next(one.id for one in house.services.devices.registry.all() if one.id != STICK)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def address_of(action: str, page: str) -> str:
    """Where the button of the one row sends an action."""
    found = re.search(rf'formaction="([^"]*)" name="action" value="{action}"', rows(page)["Tone 1"])
    assert found is not None
    return found[1]


def on_both(
    house: WebHouse, player: str, number: int, **facts: object
) -> tuple[Download, Download]:
    stick, other = (
        house.add(number, device=device, size=7_400_000, **facts)  # type: ignore[arg-type]
        for device in (STICK, player)
    )
    return stick, other


def test_a_title_is_one_row_that_says_how_it_stands_on_each_device(
    house: WebHouse, ann: Browser, player: str
) -> None:
    stick, other = on_both(house, player, 1)
    house.add(1, device=player, status=Status.PAUSED)
    house.add(2)

    page = shown(ann)
    row, alone = rows(page)["Tone 1"], rows(page)["Tone 2"]

    assert page.count('<li class="row') == 2
    chips = re.findall(r'<li class="on-device.*?</li>', row, re.DOTALL)
    assert sorted(map(text_of, chips)) == ["Car stick : Queued", "player-1 : Paused"]
    assert {f'id="download-{one.id}"' in row for one in (stick, other)} == {True}
    assert all("<use" in one for one in chips)
    assert "14.8 MB" in row
    assert row.count("your favourite") == 1
    # One that is on one device looks as ever.
    assert 'class="on-device ' not in alone
    assert "3 files of 2 titles" in text_of(page)
    assert "files of" not in text_of(shown(ann, f"/downloads?device={STICK}"))


def test_of_many_devices_those_in_one_state_are_told_together_and_trouble_first(
    house: WebHouse, ann: Browser
) -> None:
    devices = [one.id for one in house.services.devices.registry.all()]
    for device in devices:
        house.add(1, device=device)
    states = r'<li class="by-state.*?</li>'

    page = shown(ann)
    (alike,) = re.findall(states, page, re.DOTALL)
    house.add(1, device=devices[1], status=Status.PAUSED)
    apart = re.findall(states, shown(ann), re.DOTALL)

    assert text_of(alike) == "3 devices Car stick, player-1, player-2"
    assert [text_of(one) for one in apart] == ["2 Car stick, player-2", "player-1"]
    # Who hears the page hears each device.
    assert page.count('<li class="on-device ') == len(devices)
    assert 'title="Paused: player-1"' in apart[1]


def test_with_a_device_chosen_there_is_nothing_of_the_others(
    house: WebHouse, ann: Browser, player: str
) -> None:
    stick, other = on_both(house, player, 1)

    page = shown(ann, f"/downloads?device={STICK}")

    assert f'id="download-{stick.id}"' in page
    assert f'id="download-{other.id}"' not in page
    assert 'class="on-device ' not in page


def test_another_persons_copy_is_no_chip(house: WebHouse, ann: Browser, player: str) -> None:
    house.add(1)
    house.add(1, BEN, device=player)

    assert 'class="on-device ' not in shown(ann)
    assert 'class="on-device ' not in shown(house.come_in(BEN))


def test_the_main_action_is_for_all_of_them_and_asks_before_it_deletes(
    house: WebHouse, ann: Browser, player: str
) -> None:
    both = on_both(house, player, 1)

    answer = ann.press(address_of("pause", shown(ann)), action="pause")

    assert answer.status_code == 303
    assert {house.now(one).status for one in both} == {Status.PAUSED}
    ann.press(address_of("resume", shown(ann)), action="resume")
    assert {house.now(one).status for one in both} == {Status.PENDING}
    for device in (STICK, player):
        house.add(1, device=device, status=Status.COMPLETED)
    page = shown(ann, "/downloads?tab=completed")
    asked = ann.press(address_of("delete", page), action="delete")
    assert "Delete 2 files?" in asked.text
    assert "on Car stick" in asked.text
    assert "on player-1" in asked.text
    assert {house.now(one).status for one in both} == {Status.COMPLETED}


def test_an_opened_row_has_the_actions_of_each_and_those_of_all(
    house: WebHouse, ann: Browser, player: str
) -> None:
    stick, other = on_both(house, player, 1)
    house.add(2)
    closed = rows(shown(ann))["Tone 1"]

    row = rows(shown(ann, f"/downloads?open={other.id}"))["Tone 1"]

    assert stick.file_path not in closed
    assert 'aria-expanded="true"' in row
    words = text_of(row)
    for device in ("Car stick", "player-1"):
        assert f"Pause Tone 1 on {device}" in words
        assert f"Cancel Tone 1 on {device}" in words
    assert "Cancel all Tone 1" in words
    ann.press(f"/downloads/{other.id}/act", action="pause")
    assert [house.now(one).status for one in (stick, other)] == [Status.PENDING, Status.PAUSED]
    # Whichever of them opened it, the same button closes it.
    assert f'name="toggle" value="{other.id}"' in row


def test_what_a_row_shows_when_it_is_opened_comes_alone_to_who_may_see_it(
    house: WebHouse, ann: Browser, player: str
) -> None:
    stick, other = on_both(house, player, 1)
    address = f"/downloads/{other.id}/details"

    details = ann.get(f"{address}?open={other.id}").text

    row = rows(shown(ann, f"/downloads?open={other.id}"))["Tone 1"]
    assert details.strip() in row
    assert details.strip().startswith('<div class="opened">')
    assert stick.file_path in details
    # Of a title that is not in the list that is looked at there are none.
    for browser, path in (
        (house.come_in(BEN), address),
        (ann, f"{address}?tab=completed"),
        (ann, f"{address}?device={STICK}"),
    ):
        assert browser.get(path).status_code == HTTPStatus.NOT_FOUND


def test_a_title_that_failed_says_where_and_why_and_is_retried_everywhere(
    house: WebHouse, ann: Browser, player: str
) -> None:
    both = on_both(house, player, 1, status=Status.FAILED)

    page = shown(ann, "/downloads?tab=failed")
    row = text_of(rows(page)["Tone 1"])

    assert "Car stick : Failed" in row
    assert "Car stick: Jellyfin refuses the file." in row
    ann.press(address_of("retry", page), action="retry")
    assert {house.now(one).status for one in both} == {Status.PENDING}


def test_a_box_stands_for_all_downloads_of_its_title(
    house: WebHouse, ann: Browser, player: str
) -> None:
    both = on_both(house, player, 1)
    alone = house.add(2)
    box = re.search(r'name="id" value="([^"]*)"', rows(shown(ann))["Tone 1"])
    assert box is not None

    asked = ann.press("/downloads/chosen", action="pause", id=[box[1], str(alone.id)])
    assert "Pause 3 downloads?" in asked.text
    ann.press("/downloads/chosen", action="pause", id=[box[1], "x,,-1," + "9" * 30], sure="yes")

    assert {house.now(one).status for one in both} == {Status.PAUSED}
    assert house.now(alone).status is Status.PENDING


def test_pages_are_of_titles_and_say_how_many_files_there_are(
    house: WebHouse, ann: Browser, player: str
) -> None:
    with house.store.db.write():
        for number in range(1, 13):
            on_both(house, player, number)

    first, second, behind = (
        shown(ann, f"/downloads?rows=10&albums=no&page={page}") for page in (1, 2, 9)
    )

    assert [len(rows(one)) for one in (first, second, behind)] == [10, 2, 2]
    assert "1\u201310 · 24 files of 12 titles" in text_of(first)
    assert "11\u201312 · 24 files of 12 titles" in text_of(behind)
    assert "All 24 files of the list" in text_of(first)
    assert 'data-total="24"' in first


def test_an_album_on_the_same_devices_is_one_group(
    house: WebHouse, ann: Browser, player: str
) -> None:
    with house.store.db.write():
        for number in range(1, 7):
            on_both(house, player, number, album_id="a" * 32)
        for number in range(7, 10):
            house.add(number, size=1_000_000, album_id="a" * 32)

    page = shown(ann, "/downloads?albums=yes")

    assert page.count('class="album-group"') == 2
    assert "12 files of 6 titles, 88.8 MB · 12 waiting" in text_of(page)
    assert "3 files, 3.0 MB · 3 waiting" in text_of(page)
    assert "The Sine Waves · Car stick, player-1" in text_of(page)


def test_the_only_row_that_waits_cannot_be_moved(
    house: WebHouse, ann: Browser, player: str
) -> None:
    on_both(house, player, 1)
    assert "data-grip" not in rows(shown(ann))["Tone 1"]

    house.add(2)

    assert all("data-grip" in row for row in rows(shown(ann)).values())
