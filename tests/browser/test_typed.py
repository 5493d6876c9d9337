"""What was typed is not lost where it cannot be saved: signed out, or the sidecar is away."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from sidecar.web.app import create_app
from sidecar.web.server import WebServer
from tests.browser.conftest import SignedIn, give_session
from tests.browser.trouble import SERVER_GONE, BrowserTrouble
from tests.services.conftest import STICK
from tests.web.house import EVE, PASSWORD, WebHouse, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEVICE = f"/devices/{STICK}"
LIMIT = "#settings-budget"
NOT_SAVED = "This was not saved: it is here again as you typed it."
SIGNED_OUT = "^401 GET .*/(api/v1/session|downloads|alerts|devices)"


def type_a_limit(page: Page) -> None:
    page.locator(LIMIT).fill("12 GB")
    page.locator("#settings-paused").check()


def sign_in_again(page: Page, name: str) -> None:
    expect(page.get_by_text("You have been signed out")).to_be_visible()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def limit_of(house: WebHouse) -> int | None:
    settings = house.services.devices.settings.of(STICK)
    assert settings is not None
    return settings.budget


def test_what_was_typed_is_back_after_signing_in_again_and_gone_once_it_is_saved(
    signed_in: SignedIn, house: WebHouse, server: WebServer, trouble: BrowserTrouble
) -> None:
    trouble.announce(SIGNED_OUT)
    page = signed_in(EVE, DEVICE)
    page.wait_for_load_state("networkidle")
    type_a_limit(page)

    house.services.web.users.end_sessions(EVE)
    sign_in_again(page, "eve")

    page.wait_for_url(server.url + DEVICE)
    expect(page.get_by_text(NOT_SAVED)).to_be_visible()
    expect(page.locator(LIMIT)).to_have_value("12 GB")
    expect(page.locator("#settings-paused")).to_be_checked()
    assert limit_of(house) != 12 * 10**9
    page.locator("form.settings", has=page.locator(LIMIT)).get_by_role("button").last.click()
    page.wait_for_url("**saved=settings*")
    assert limit_of(house) == 12 * 10**9
    page.goto(server.url + DEVICE)
    page.reload()
    expect(page.locator(LIMIT)).to_have_value("12 GB")
    expect(page.get_by_text(NOT_SAVED)).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0


def test_nobody_else_gets_what_was_typed(
    signed_in: SignedIn, house: WebHouse, trouble: BrowserTrouble
) -> None:
    trouble.announce(SIGNED_OUT)
    page = signed_in(EVE, DEVICE)
    page.wait_for_load_state("networkidle")
    type_a_limit(page)

    house.services.web.users.end_sessions(EVE)
    sign_in_again(page, "ann")

    expect(page.locator(LIMIT)).to_be_visible()
    expect(page.locator(LIMIT)).not_to_have_value("12 GB")
    expect(page.get_by_text(NOT_SAVED)).to_have_count(0)


def test_a_form_stays_while_the_sidecar_is_away_and_is_saved_when_it_is_back(
    context: BrowserContext, house: WebHouse, port: int, trouble: BrowserTrouble
) -> None:
    trouble.announce(*SERVER_GONE)
    with serving(house.web, port) as server:
        give_session(context, house, server, EVE)
        page = context.new_page()
        page.goto(server.url + DEVICE)
        page.wait_for_load_state("networkidle")
        type_a_limit(page)
    save = page.locator("form.settings", has=page.locator(LIMIT)).get_by_role("button").last
    expect(page.locator("#offline")).to_contain_text("Trying again")

    save.click()
    expect(page.locator("#offline")).to_be_in_viewport()
    expect(page.locator(LIMIT)).to_have_value("12 GB")

    with serving(create_app(house.services.web, house.bus), port):
        save.click()
        page.wait_for_url("**saved=settings*")
        assert limit_of(house) == 12 * 10**9
        context.close()


def test_no_password_is_kept(signed_in: SignedIn, house: WebHouse) -> None:
    page = signed_in(EVE, "/settings/downloads")
    page.evaluate(
        """() => {
            const form = document.querySelector("form.settings");
            form.insertAdjacentHTML("beforeend", "<input name=text>");
            form.insertAdjacentHTML("beforeend", "<input name=word type=password>");
            for (const name of ["word", "text"]) form.elements[name].value = `canary ${name}`;
            form.addEventListener("submit", (event) => event.preventDefault());
            form.requestSubmit();
        }"""
    )

    kept = page.evaluate("JSON.stringify(sessionStorage)")
    assert "canary text" in kept
    assert "canary word" not in kept
