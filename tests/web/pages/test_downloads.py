from __future__ import annotations

from datetime import timedelta

import pytest
from werkzeug.test import Client

from sidecar.domain.downloads.states import Status
from sidecar.events import Progress
from sidecar.services.devices.views import DeviceView
from sidecar.services.notices import Notice
from sidecar.web.pages.downloads.view import STATUSES, Tab
from tests.fakes.clock import START
from tests.fakes.desk import BEN, FakeDesk, a_download
from tests.web.house import Browser


def shown(ann: Browser, path: str = "/downloads") -> str:
    page = ann.client.get(path)
    assert page.status_code == 200
    return page.text


def test_each_tab_counts_and_shows_its_part(ann: Browser, desk: FakeDesk) -> None:
    desk.add(*(a_download(n, status=one, title=f"A {one}") for n, one in enumerate(Status, 1)))

    pages = {tab: shown(ann, f"/downloads?tab={tab}") for tab in Tab}

    for page in pages.values():
        assert 'Active <span class="count">3</span>' in page
        for word in ("Completed", "Failed", "Removed"):
            assert f'{word} <span class="count">1</span>' in page
    for tab, page in pages.items():
        assert {one for one in Status if f">A {one}<" in page} == STATUSES[tab]


def test_the_counts_are_those_of_what_is_looked_for(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(1), a_download(2, item_type="Movie"), a_download(3, title="Perth"))
    desk.add(a_download(4, status=Status.FAILED, title="Perth", item_type="Movie"))

    page = shown(ann, "/downloads?q=perth")

    assert 'Active <span class="count">1</span>' in page
    assert 'Failed <span class="count">1</span>' in page
    films = shown(ann, "/downloads?kind=films")
    assert 'Active <span class="count">1</span>' in films
    assert ">Track 2<" in films
    assert ">Track 1<" not in films


def test_what_was_chosen_goes_along_to_the_other_pages(eve: Browser, desk: FakeDesk) -> None:
    desk.add(*(a_download(number) for number in range(1, 15)))

    page = eve.client.get("/downloads?kind=music&sort=title&owner=ann&owner=ben&q=track").text

    wanted = "tab=active&amp;q=track&amp;kind=music&amp;owner=ann&amp;owner=ben&amp;sort=title"
    assert f'href="/downloads?{wanted}&amp;page=2"' in page
    assert 'name="owner" value="ann" checked' in page


def test_an_owner_is_no_question_for_anybody_but_an_admin(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(1))

    assert 'name="owner"' not in shown(ann)


def test_ten_are_on_a_page_and_links_lead_to_the_others(ann: Browser, desk: FakeDesk) -> None:
    desk.add(*(a_download(number) for number in range(1, 22)))

    first, last, beyond = (shown(ann, f"/downloads?page={n}") for n in (1, 3, 99))

    assert first.count('<li class="row') == 10
    assert "1\u201310 of 21" in first
    assert 'href="/downloads?tab=active&amp;page=2"' in first
    assert "21\u201321 of 21" in last
    assert "21\u201321 of 21" in beyond


@pytest.mark.parametrize("arguments", ["page=x", "page=-1", "tab=none", "page=" + "9" * 500])
def test_an_address_that_makes_no_sense_still_shows_the_page(ann: Browser, arguments: str) -> None:
    shown(ann, f"/downloads?{arguments}")


def test_a_row_says_how_far_how_fast_how_long_and_why(ann: Browser, desk: FakeDesk) -> None:
    desk.add(
        a_download(
            7,
            status=Status.DOWNLOADING,
            bytes_downloaded=3_700_000,
            speed=1_250_000.0,
            seconds_left=150.0,
        )
    )

    page = shown(ann)

    for words in ("3.7 MB of 7.4 MB", "1.3 MB/s", "3 min left", "Downloading", "Car stick"):
        assert words in page
    assert "The Quiet Hour · Evenings" in page
    assert "A favourite since this evening" in page
    assert 'value="0.5000" aria-label="Progress of Track 7"' in page


@pytest.mark.parametrize(
    ("differences", "word"),
    [
        ({}, "Queued"),
        ({"retry_next_at": START + timedelta(seconds=40)}, "Waiting to try again"),
        ({"error_message": "The stick is not there"}, "Waiting"),
        ({"status": Status.PAUSED}, "Paused"),
        ({"status": Status.FAILED}, "Failed"),
        (
            {"status": Status.FAILED, "retry_next_at": START + timedelta(hours=1)},
            "Failed for now",
        ),
    ],
)
def test_how_it_stands_is_said_in_words(
    ann: Browser, desk: FakeDesk, differences: dict[str, object], word: str
) -> None:
    desk.add(a_download(7, **differences))

    tab = "failed" if differences.get("status") is Status.FAILED else "active"
    assert f"<span>{word}</span>" in shown(ann, f"/downloads?tab={tab}")


def test_a_failure_says_why_and_when_it_is_tried_again(ann: Browser, desk: FakeDesk) -> None:
    desk.add(
        a_download(
            7,
            status=Status.FAILED,
            error_message="The connection ended at 3.1 MB of 7.4 MB",
            retry_next_at=START + timedelta(minutes=52),
        )
    )

    page = " ".join(shown(ann, "/downloads?tab=failed").split())

    assert (
        "The connection ended at 3.1 MB of 7.4 MB. Next try "
        '<time datetime="2026-11-01T12:52:00.000Z">in 52 minutes</time>.' in page
    )


def test_the_top_line_says_it_all_at_once(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(1, status=Status.DOWNLOADING), a_download(2), a_download(3))
    desk.add(a_download(9, status=Status.DOWNLOADING), of=(BEN,))
    desk.running = (Progress(1, 1, 2, 1_000_000, 1.0), Progress(9, 1, 2, 5_000_000, 1.0))
    desk.shelf = (
        DeviceView("stick", "Car stick", "", None, 32_000_000_000, 12_000_000_000, 1, 2),
        DeviceView("sd", "Player", "", "The card is not there", None, 0, None, None),
    )
    desk.told = (
        Notice("account", "warning", "ben is signed out"),
        Notice("device", "warning", "The card is not there"),
    )

    page = shown(ann)

    assert "1 running, 2 waiting" in page
    assert '">1.0 MB/s</span>' in page
    assert "12.0 GB of 32.0 GB" in page
    assert page.count("The card is not there") == 1
    assert "ben is signed out" in page


def test_an_empty_page_says_what_to_do(ann: Browser, desk: FakeDesk) -> None:
    assert "No device is set up for you yet" in shown(ann)
    desk.shelf = (DeviceView("stick", "Car stick", "", None, None, 0, 1, 2),)
    hint = "Press a heart in any Jellyfin client"

    assert hint in shown(ann)
    assert hint in shown(ann, "/downloads?tab=completed")
    assert "Nothing matches “&lt;b&gt;”" in shown(ann, "/downloads?q=<b>")


def test_whatever_a_tag_holds_is_shown_as_text(ann: Browser, desk: FakeDesk) -> None:
    nasty = "<img src=x onerror=alert(1)>\"'{{ 7*7 }}"
    desk.add(
        a_download(
            7,
            title=nasty,
            artist=nasty,
            album=nasty,
            device_name=nasty,
            error_message=nasty,
        )
    )
    desk.told = (Notice("server", "error", nasty),)

    page = shown(ann)

    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;{{ 7*7 }}" in page


def test_no_page_has_a_script_or_a_style_in_it(ann: Browser, client: Client) -> None:
    for page in (shown(ann), client.get("/sign-in").text):
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page


def test_a_missing_page_is_a_page_too(client: Client) -> None:
    page = client.get("/nothing")

    assert page.status_code == 404
    assert "Nothing here" in page.text
    assert page.mimetype == "text/html"
