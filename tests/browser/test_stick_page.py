"""The page that lies on a device, opened from the device itself by a browser without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.accessibility import violations_in_both_themes
from tests.browser.trouble import BrowserTrouble
from tests.fakes.stick import EVIL, PaintedStick

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def stick(tmp_path: Path) -> PaintedStick:
    stick = PaintedStick(tmp_path / "a #1 stick?")
    stick.root.mkdir()
    for number, title in enumerate(("Venus as a Boy", "100% #1 Crying; Human?"), 1):
        path = f"Björk/Début (1993)/{number:02d} - {title.replace('?', '_')}.wav"
        stick.add(path, title, artist="Björk", album="Début")
    stick.add("Kettle/Steam/01 - Boil.flac", "Boil", artist="Kettle", album="Steam")
    for number in (1, 2):
        path = f"Signals/Season 01/Signals - S01E{number:02d}.mkv"
        stick.add(path, f"The {number}", artist="Signals", kind="Episode")
    stick.add("Pi (1998)/Pi (1998).mkv", "Pi", kind="Movie")
    stick.cover("Björk/Début (1993)")
    return stick


@contextmanager
def opened(context: BrowserContext, stick: PaintedStick) -> Iterator[Page]:
    """Open the page; afterwards it must have asked for nothing but files."""
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto(stick.paint())
    yield page
    assert {urlsplit(one).scheme for one in asked} == {"file"}


def card(page: Page, name: str) -> Locator:
    return page.locator(".card", has=page.get_by_text(name, exact=True))


def links(page: Page) -> list[str]:
    found: list[str] = page.locator("a.file").evaluate_all("all => all.map((one) => one.href)")
    return found


def test_everything_is_shown_by_shelf_and_artist_with_its_cover_or_letters(
    context: BrowserContext, stick: PaintedStick
) -> None:
    with opened(context, stick) as page:
        expect(page.locator("#works > h2")).to_have_text(["Music", "Films", "Series"])
        expect(page.locator("#works h3")).to_have_text(["Björk", "Kettle"])
        expect(page.locator("#summary")).to_have_text("3 tracks · 1 film · 2 episodes · 30.0 MB")
        cover = card(page, "Début").locator("img")
        expect(cover).to_be_visible()
        assert cover.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 8
        expect(card(page, "Steam").locator(".cover")).to_have_text("S")


def test_it_speaks_the_language_of_the_browser_that_opens_it(
    chromium: Browser, stick: PaintedStick
) -> None:
    context = chromium.new_context(locale="de-DE")
    with opened(context, stick) as page:
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page).to_have_title(re.compile("· Offline-Bibliothek$"))
        expect(page.locator("#works > h2")).to_have_text(["Musik", "Filme", "Serien"])
        expect(page.locator("#summary")).to_have_text("3 Titel · 1 Film · 2 Folgen · 30,0 MB")
        expect(page.get_by_role("button", name="Alles")).to_be_visible()
        page.get_by_role("searchbox", name="Auf diesem Gerät suchen").fill("nirgends")
        expect(page.get_by_text("Hier hat nichts diese Wörter.")).to_be_visible()
        english = re.compile(
            r"\b(search|found|tracks|films|episodes|close|made by)\b", re.IGNORECASE
        )
        assert not english.search(page.locator("body").inner_text())
    context.close()


def test_a_cover_that_went_meanwhile_becomes_letters(
    context: BrowserContext, stick: PaintedStick, trouble: BrowserTrouble
) -> None:
    trouble.announce("^net::ERR_FILE_NOT_FOUND GET .*/cover.png$")
    address = stick.paint()
    (stick.root / "Björk/Début (1993)/cover.png").unlink()
    page = context.new_page()
    page.goto(address)

    expect(card(page, "Début").locator(".cover")).to_have_text("D")


def test_every_link_leads_to_a_file_on_the_stick(
    context: BrowserContext, stick: PaintedStick
) -> None:
    with opened(context, stick) as page:
        found: set[str] = set()
        for name in ("Début", "Steam", "Signals", "Pi"):
            card(page, name).click()
            found |= set(links(page))
            page.get_by_role("button", name="Close").click()

    paths = {Path(unquote(urlsplit(one).path)) for one in found}
    assert paths == {stick.root / one.path for one in stick.files}
    assert all(one.is_file() for one in paths)


@pytest.mark.parametrize(
    ("words", "works", "titles"),
    [
        ("debut", ["Début"], []),
        ("BJÖRK boy", [], ["Venus as a Boy"]),
        ("human 100%", [], ["100% #1 Crying; Human?"]),
        ("steam", ["Steam"], []),
        ("pi", ["Pi"], []),
        ("nowhere to be found", [], []),
    ],
)
def test_a_search_finds_works_and_titles_whatever_their_accents(
    context: BrowserContext,
    stick: PaintedStick,
    words: str,
    works: list[str],
    titles: list[str],
) -> None:
    with opened(context, stick) as page:
        page.get_by_role("searchbox").fill(words)
        page.get_by_role("searchbox").press("Enter")

        expect(page.locator(".card .name")).to_have_text(works)
        expect(page.locator(".file .title")).to_have_text(titles)
        nothing = page.get_by_text("Nothing here has these words.")
        expect(nothing).to_be_visible(visible=not works and not titles)

        page.get_by_role("searchbox").fill("")
        expect(page.locator(".card")).to_have_count(4)


def test_a_shelf_shows_only_its_own(context: BrowserContext, stick: PaintedStick) -> None:
    with opened(context, stick) as page:
        films = page.get_by_role("button", name="Films (1)")
        films.click()

        expect(page.locator(".card .name")).to_have_text(["Pi"])
        expect(films).to_have_attribute("aria-pressed", "true")


def test_an_album_plays_in_the_page_track_after_track(
    context: BrowserContext, stick: PaintedStick
) -> None:
    with opened(context, stick) as page:
        card(page, "Début").click()
        page.get_by_role("link", name="Venus as a Boy").click()

        expect(page.locator("#playing")).to_have_text("Venus as a Boy — Björk")
        expect(page.locator(".file[aria-current] .title")).to_have_text("100% #1 Crying; Human?")
        assert page.url.endswith(".html")
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#player")).to_be_visible()


def test_what_a_title_says_is_only_ever_text(context: BrowserContext, stick: PaintedStick) -> None:
    stick.name = EVIL
    stick.add("x/javascript:alert(1)/01.flac", EVIL, artist=EVIL, album=EVIL)
    with opened(context, stick) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text(EVIL)
        page.locator(".card", has_text="window.evil").click()
        expect(page.locator("#work-title")).to_have_text(EVIL)
        expect(page.locator("#work .file .title")).to_have_text(EVIL)

        assert page.evaluate("window.evil") is None
        assert page.locator("img[src='x']").count() == 0


def test_not_even_a_mistake_in_its_own_script_could_make_markup_of_a_title(
    context: BrowserContext, stick: PaintedStick, trouble: BrowserTrouble
) -> None:
    trouble.announce("requires 'TrustedHTML'", "trusted-types-sink")
    page = context.new_page()
    page.goto(stick.paint())

    refused = "() => { try { document.body.innerHTML = '<p>'; } catch { return true; } }"
    assert page.evaluate(refused) is True


def test_it_is_readable_for_everybody(chromium: Browser, stick: PaintedStick) -> None:
    for width in (360, 1280):
        context = chromium.new_context(viewport={"width": width, "height": 800})
        context.set_default_timeout(30_000)
        with opened(context, stick) as page:
            assert list(violations_in_both_themes(page)) == []
            page.get_by_role("searchbox").fill("boy")
            expect(page.locator(".file")).to_have_count(1)
            assert list(violations_in_both_themes(page)) == []
            page.get_by_role("searchbox").fill("")
            card(page, "Début").click()
            page.get_by_role("link", name="Venus as a Boy").click()
            assert list(violations_in_both_themes(page)) == []
            overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(overhang) == 0
        context.close()


def test_without_javascript_the_folders_are_still_there(
    chromium: Browser, stick: PaintedStick
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(stick.paint())

    expect(page.get_by_role("link")).to_have_text(["Björk", "Kettle", "Pi (1998)", "Signals"])
    context.close()


def test_fifty_thousand_tracks_open_and_are_searched_without_a_wait(
    context: BrowserContext, tmp_path: Path
) -> None:
    stick = PaintedStick(tmp_path)
    stick.add("a/b/c.flac", "c", artist="a", album="b")
    one, album = stick.files[0], "Artist {}/Album {} (1999)/{:02d} - Song.flac"
    stick.files = [
        type(one)(
            path=album.format(number // 120, number // 12, number % 12),
            title=f"Song of the long night {number}",
            artist=f"Artist {number // 120}",
            album=f"Album {number // 12}",
            kind="Audio",
            size=1,
        )
        for number in range(50_000)
    ]
    with opened(context, stick) as page:
        expect(page.locator("#summary")).to_contain_text("50,000 tracks")
        assert page.locator(".card").count() < 400
        page.get_by_role("searchbox").fill("night 49999")
        expect(page.locator(".file .title")).to_have_text(["Song of the long night 49999"])
        page.get_by_role("searchbox").fill("")
        before = page.locator(".card").count()
        page.keyboard.press("End")
        expect(page.locator(".card").nth(before + 10)).to_be_attached()
