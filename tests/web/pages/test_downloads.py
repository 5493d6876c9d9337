from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client

from sidecar.config.settings import Settings
from sidecar.domain.downloads.download import Status
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.web.pages.downloads.view import STATUSES, Tab
from sidecar.web.security.masking import unmask
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse, web_house, with_player

NASTY = "<img src=x onerror=alert(1)>\"'{{ 7*7 }}"
SHOWN_NASTY = "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;{{ 7*7 }}"
BROKEN_OFF = Failure(FailureClass.TRANSIENT, "reset", "The connection ended at 3.1 MB of 7.4 MB")


def shown(ann: Browser, path: str = "/downloads") -> str:
    page = ann.get(path)
    assert page.status_code == 200
    return page.text


def rows(page: str) -> dict[str, str]:
    """Return what stands in each row of a list, by its title."""
    return {
        title[1]: row
        for row in re.split(r'<li class="row', page)[1:]
        if (title := re.search(r">(Tone \d+)<", row))
    }


def test_each_tab_counts_and_shows_its_part(house: WebHouse, ann: Browser) -> None:
    for number, status in enumerate(Status, 1):
        house.add(number, status=status, title=f"A {status}")

    pages = {tab: shown(ann, f"/downloads?tab={tab}") for tab in Tab}

    for page in pages.values():
        assert 'Active <span class="count">3</span>' in page
        for word in ("Completed", "Failed", "Removed"):
            assert f'{word} <span class="count">1</span>' in page
    for tab, page in pages.items():
        assert {one for one in Status if f">A {one}<" in page} == STATUSES[tab]


def test_the_counts_are_those_of_what_is_looked_for(house: WebHouse, ann: Browser) -> None:
    house.add(1)
    house.add(2, type="Movie")
    house.add(3, title="Perth")
    house.add(4, status=Status.FAILED, title="Perth", type="Movie")

    page = shown(ann, "/downloads?q=perth")

    assert 'Active <span class="count">1</span>' in page
    assert 'Failed <span class="count">1</span>' in page
    films = shown(ann, "/downloads?kind=films")
    assert 'Active <span class="count">1</span>' in films
    assert list(rows(films)) == ["Tone 2"]


def test_what_is_only_kept_for_a_while_is_not_called_a_favourite(
    house: WebHouse, ann: Browser
) -> None:
    file = house.add(1, status=Status.COMPLETED)
    house.add(2, status=Status.COMPLETED)

    planning = house.services.rules.planning
    planning.release(ANN.user_id, "favourites", file.item_id, grace=timedelta(days=1))

    shown_rows = rows(shown(ann, "/downloads?tab=completed"))
    assert "no longer: your favourite" in shown_rows["Tone 1"]
    assert "no longer" not in shown_rows["Tone 2"]


def test_what_was_chosen_goes_along_to_the_other_pages(house: WebHouse, eve: Browser) -> None:
    for number in range(1, 12):
        house.add(number)

    page = shown(eve, "/downloads?kind=music&sort=title&owner=ann&owner=ben&q=tone&rows=10")

    wanted = "tab=active&amp;q=tone&amp;kind=music&amp;owner=ann&amp;owner=ben&amp;sort=title"
    assert f'href="/downloads?{wanted}&amp;rows=10&amp;page=2"' in page
    assert 'name="owner" value="ann" checked' in page


def test_an_owner_is_no_question_for_anybody_but_an_admin(house: WebHouse, ann: Browser) -> None:
    house.add(1)

    assert 'name="owner"' not in shown(ann)


def test_as_many_as_one_likes_are_on_a_page_and_links_lead_to_the_others(
    house: WebHouse, ann: Browser
) -> None:
    with house.store.db.write():
        for number in range(1, 22):
            house.add(number)

    first, last, beyond = (shown(ann, f"/downloads?rows=10&page={n}") for n in (1, 3, 99))

    assert len(rows(first)) == 10
    assert "1\u201310 of 21" in first
    assert 'href="/downloads?tab=active&amp;rows=10&amp;page=2"' in first
    assert "21\u201321 of 21" in last
    assert "21\u201321 of 21" in beyond
    assert len(rows(shown(ann))) == 21
    assert len(rows(shown(ann, "/downloads?rows=7"))) == 21


def test_a_long_list_is_grouped_by_album_and_a_short_one_is_not(
    house: WebHouse, ann: Browser
) -> None:
    with house.store.db.write():
        for number in range(1, 13):
            house.add(number, size=1_000_000, album_id="a" * 32)
        house.add(13, album="Another", album_id="f" * 32)
        house.add(14, size=1_000_000, album_id="a" * 32, status=Status.PAUSED)
    pages = {way: shown(ann, f"/downloads{way}") for way in ("", "?albums=yes", "?albums=no")}

    assert {way: page.count('class="album-group"') for way, page in pages.items()} == {
        "": 0,
        "?albums=yes": 1,
        "?albums=no": 0,
    }
    # What stands between or alone is a row of its own; what is in a group is a row as well.
    assert all(len(rows(page)) == 14 for page in pages.values())
    assert "12 files, 12.0 MB · 12 waiting" in " ".join(
        re.sub(r"<[^>]+>", " ", pages["?albums=yes"]).split()
    )
    with house.store.db.write():
        for number in range(20, 31):
            house.add(number, size=1_000_000, album_id="a" * 32)
    assert shown(ann).count('class="album-group"') == 2


def test_a_row_stays_where_it_is_when_it_begins_or_is_paused(house: WebHouse, ann: Browser) -> None:
    downloads = [house.add(number) for number in range(1, 6)]
    as_it_was = list(rows(shown(ann)))

    for one in (downloads[1], downloads[3]):
        ann.press(f"/downloads/{one.id}/act", action="pause")
    house.add(3, status=Status.DOWNLOADING)

    assert list(rows(shown(ann))) == as_it_was == [f"Tone {n}" for n in range(1, 6)]
    assert "1 running, 2 waiting, 2 paused" in shown(ann)


def test_a_row_tells_more_when_it_is_opened_and_is_light_before(
    house: WebHouse, ann: Browser
) -> None:
    one, other = (house.add(number, album=f"Album {number}") for number in (1, 2))

    closed = rows(shown(ann))["Tone 1"]
    answer = ann.get(f"/downloads?tab=active&open={other.id}&toggle={one.id}")
    opened = rows(shown(ann, answer.location))

    assert len(closed) <= 2600
    assert "<form" not in closed
    assert one.file_path not in closed
    assert answer.location.endswith(f"&open={one.id}&open={other.id}#download-{one.id}")
    assert one.file_path in opened["Tone 1"]
    assert other.file_path in opened["Tone 2"]
    answer = ann.get(f"/downloads?open={one.id}&open={other.id}&toggle={one.id}")
    assert f"open={one.id}" not in answer.location
    # Another page of the list begins with closed rows; what was done leads back to open ones.
    page = shown(ann, f"/downloads?open={one.id}")
    assert 'href="/downloads?tab=completed"' in page
    assert f'name="open" value="{one.id}"' in page


def test_an_admin_need_not_wait_for_the_next_attempt(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    download = house.add(1)
    house.postpone(download, house.clock.now() + timedelta(hours=1))
    at_once = f"/downloads/{download.id}/act?force=yes"

    assert at_once not in shown(ann, f"/downloads?open={download.id}")
    assert f'formaction="{at_once}"' in shown(eve, f"/downloads?open={download.id}")
    ann.press(at_once, action="retry")
    assert house.now(download).retry_next_at is not None
    eve.press(at_once, action="retry")
    assert house.now(download).retry_next_at is None


def test_an_address_that_makes_no_sense_still_shows_the_page(ann: Browser) -> None:
    for arguments in (
        "open=x",
        "open=" + "9" * 50,
        "page=x",
        "page=-1",
        "tab=none",
        "page=" + "9" * 500,
    ):
        shown(ann, f"/downloads?{arguments}")


def test_a_row_says_how_far_how_fast_how_long_and_why(house: WebHouse, ann: Browser) -> None:
    download = house.add(7, status=Status.DOWNLOADING, size=7_400_000)
    house.transfer({download.id: 3_700_000}, seconds=150)

    page = shown(ann)

    for words in ("3.7 MB of 7.4 MB", "25 kB/s", "3 min left", "Downloading", "Car stick"):
        assert words in page
    assert "The Sine Waves · First Light" in page
    assert "your favourite" in page
    assert 'value="0.5000" aria-label="Progress of Tone 7"' in page


def test_how_it_stands_is_said_in_words(house: WebHouse, ann: Browser) -> None:
    soon, later = (house.clock.now() + timedelta(seconds=one) for one in (40, 3600))
    house.add(1)
    house.postpone(house.add(2), until=soon)
    house.postpone(house.add(3))
    house.add(4, status=Status.PAUSED)
    house.add(5, status=Status.FAILED)
    house.add(6, status=Status.FAILED, until=later)

    words = {
        title: word
        for tab in ("active", "failed")
        for title, row in rows(shown(ann, f"/downloads?tab={tab}")).items()
        for word in (
            "Queued",
            "Waiting to try again",
            "Waiting",
            "Paused",
            "Failed",
            "Failed for now",
        )
        if f"<span>{word}</span>" in row
    }

    assert words == {
        "Tone 1": "Queued",
        "Tone 2": "Waiting to try again",
        "Tone 3": "Waiting",
        "Tone 4": "Paused",
        "Tone 5": "Failed",
        "Tone 6": "Failed for now",
    }


def test_a_failure_says_why_and_when_it_is_tried_again(house: WebHouse, ann: Browser) -> None:
    until = house.clock.now() + timedelta(minutes=52)
    house.add(7, status=Status.FAILED, failure=BROKEN_OFF, until=until)

    page = " ".join(shown(ann, "/downloads?tab=failed").split())

    assert (
        "The connection ended at 3.1 MB of 7.4 MB. Next try "
        '<time datetime="2026-11-01T12:52:00.000Z">in 52 minutes</time>.' in page
    )


@pytest.fixture
def two_devices(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    """A house with a limit for its stick, and a player that was taken away."""
    player = quick_path / "player"
    with web_house(quick_path, clock, change=with_player(player)) as built:
        built.services.web.settings.change(EVE, STICK, {"budget": "100 MB"}, {})
        player.rename(quick_path / "away")
        built.look_at_devices()
        yield built


def test_the_top_line_says_it_all_at_once(two_devices: WebHouse) -> None:
    house = two_devices
    mine, foreign = (
        house.add(number, who, status=Status.DOWNLOADING, size=20_000_000)
        for number, who in ((1, ANN), (9, BEN))
    )
    house.add(2)
    house.add(3)
    house.add(4, status=Status.COMPLETED)
    house.transfer({mine.id: 2_000_000, foreign.id: 10_000_000}, seconds=2)
    accounts = house.services.accounts.service
    accounts.signed_out(accounts.client(BEN.user_id))

    page = shown(house.come_in(ANN))

    assert "1 running, 2 waiting" in page
    assert '">1.0 MB/s</span>' in page
    assert "1.0 MB of 100.0 MB" in page
    assert page.count("Player is not there") == 1
    assert "must sign in again" not in page
    assert "must sign in again" in shown(house.come_in(EVE))


def test_an_empty_page_says_what_to_do(ann: Browser) -> None:
    hint = "Mark a favourite in any Jellyfin app"

    assert hint in shown(ann)
    assert hint in shown(ann, "/downloads?tab=completed")
    assert "Nothing matches “&lt;b&gt;”" in shown(ann, "/downloads?q=<b>")


def test_an_empty_page_promises_no_files_to_whom_jellyfin_gives_none(
    house: WebHouse, ann: Browser
) -> None:
    house.store.accounts.may(ANN.user_id, is_admin=False, may_download=False)

    for page in ("/", "/downloads", "/downloads?tab=completed", "/offline"):
        told = shown(ann, page)
        assert "Jellyfin does not let your account download. An admin can switch that on" in told
        assert "Mark a favourite" not in told


@pytest.mark.parametrize("users", [("ben",)])
def test_whoever_has_no_device_is_told_who_adds_one(ann: Browser) -> None:
    for page in ("/", "/downloads", "/offline", "/devices"):
        told = shown(ann, page)
        assert "No device is set up for you yet" in told, page
        assert "An admin adds it." in told, page
        assert 'main" href="/devices/add"' not in told, page


def test_an_admin_can_add_the_first_device_wherever_none_is_told(
    quick_path: Path, clock: FakeClock
) -> None:
    def without_devices(settings: Settings) -> Settings:
        return settings.model_copy(update={"devices": ()})

    with web_house(quick_path, clock, change=without_devices) as house:
        eve = house.come_in(EVE)
        for page in ("/", "/downloads", "/offline", "/devices"):
            assert 'main" href="/devices/add"' in shown(eve, page), page


def test_whatever_a_tag_holds_is_shown_as_text(house: WebHouse, ann: Browser) -> None:
    failure = Failure(FailureClass.REFUSED, "refused", NASTY)
    names = {"title": NASTY, "artist": NASTY, "album": NASTY}
    house.add(7, status=Status.FAILED, failure=failure, text=NASTY, **names)  # type: ignore[arg-type]

    page = shown(ann, "/downloads?tab=failed")

    assert "<img src=x" not in page
    assert page.count(SHOWN_NASTY) >= 4


def test_no_page_has_a_script_or_a_style_in_it(ann: Browser, client: Client) -> None:
    for page in (shown(ann), client.get("/sign-in").text):
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page


def test_forms_and_scripts_of_a_page_can_change_something(ann: Browser, client: Client) -> None:
    for path in ("/downloads", "/devices", "/profile"):
        page = shown(ann, path)
        masked = page.partition('data-csrf="')[2].partition('"')[0]
        assert unmask(masked) == unmask(ann.csrf)
        assert f'name="csrf" value="{masked}"' in page
        assert "/vendor/app.js" in page
    assert "csrf" not in client.get("/sign-in").text


def test_a_missing_page_is_a_page_too(client: Client) -> None:
    page = client.get("/nothing")

    assert page.status_code == 404
    assert "Page not found" in page.text
    assert page.mimetype == "text/html"


def test_a_deletion_says_what_is_deleted_and_what_only_is_no_longer_ones_own(
    house: WebHouse, ann: Browser
) -> None:
    gone, shared, other = (
        house.add(number, ANN, *others, status=Status.COMPLETED)
        for number, others in ((1, ()), (2, (BEN,)), (3, (BEN,)))
    )

    def delete(ids: str) -> str:
        body = {"action": "delete", "sure": "yes", "id": ids}
        page = ann.get(ann.press("/downloads/chosen", **body).location).text
        return page.partition('id="done-text">')[2].partition("</span>")[0].strip()

    both = delete(f"{gone.id},{shared.id}")
    assert both == "1 file is deleted. 1 stays for others, who need it too."
    kept = delete(str(other.id))
    assert kept == "1 file is no longer yours. 1 stays for others, who need it too."


def test_undoing_a_deletion_says_that_only_what_others_kept_is_back(
    house: WebHouse, ann: Browser
) -> None:
    gone = house.add(1, status=Status.COMPLETED)
    shared = house.add(2, ANN, BEN, status=Status.COMPLETED)
    where = ann.press(
        "/downloads/chosen", action="delete", sure="yes", id=f"{gone.id},{shared.id}"
    ).location
    page = ann.get(where).text
    assert "1 stays for others, who need it too." in page

    (token,) = re.findall(r'name="token" value="([^"]+)"', page)
    page = ann.get(ann.press("/undo", token=token, next="/downloads").location).text

    assert "It is undone. What was deleted does not come back." in page
    assert house.now(gone).status is Status.REMOVED
