"""What is pressed by keyboard and leads back to its page leaves the focus where it was."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from sidecar.domain.notifications.webhooks import HookEvent
from sidecar.errors import ServerAway
from sidecar.messages import msg
from sidecar.services.health.tasks import TaskKind
from tests.browser.conftest import SignedIn
from tests.browser.trouble import BrowserTrouble
from tests.services.conftest import STICK
from tests.web.house import ANN, EVE, WebHouse

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def stays_loaded(page: Page) -> None:
    """Have the page remember that it was not loaded anew."""
    page.evaluate("document.body.dataset.wasHere = ''")


def was_not_loaded_again(page: Page) -> bool:
    return bool(page.evaluate("'wasHere' in document.body.dataset"))


def test_a_task_that_is_run_keeps_the_focus_on_its_button(
    signed_in: SignedIn, house: WebHouse
) -> None:
    tasks = house.services.accounts.tasks
    with tasks.run(TaskKind.RULES, ANN.user_id, again_s=3600, retry_s=60):
        pass
    page = signed_in(EVE, "/admin/tasks")
    stays_loaded(page)
    button = page.get_by_role("button", name="Run now Run the rules ann")
    button.focus()

    with tasks.run(TaskKind.RULES, ANN.user_id, again_s=3600, retry_s=60):
        page.keyboard.press("Enter")
        expect(button).to_be_disabled()
        expect(button).to_be_focused()
        assert was_not_loaded_again(page)


def test_a_device_that_is_paused_from_its_menu_keeps_the_menu_and_the_focus(
    signed_in: SignedIn,
) -> None:
    page = signed_in(EVE, "/")
    stays_loaded(page)
    tile = page.locator(f"#tile-{STICK}")
    tile.get_by_role("button", name="More about").click()
    page.get_by_role("button", name="Pause").focus()

    page.keyboard.press("Enter")

    expect(tile).to_contain_text("Paused: nothing is downloaded or removed")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    assert was_not_loaded_again(page)


def test_who_pauses_all_automatic_downloads_stays_on_the_button(signed_in: SignedIn) -> None:
    page = signed_in(EVE, "/admin")
    stays_loaded(page)
    page.get_by_role("button", name="Pause automatic downloads").focus()

    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume automatic downloads")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause automatic downloads")).to_be_focused()
    assert was_not_loaded_again(page)


def test_a_session_that_is_ended_leaves_the_focus_on_the_next(
    signed_in: SignedIn, house: WebHouse
) -> None:
    for _ in range(3):
        house.begin_session(ANN)
    page = signed_in(ANN, "/profile")
    stays_loaded(page)
    sessions = page.get_by_role("region", name="Sessions").get_by_role("listitem")
    expect(sessions).to_have_count(4)
    ends = page.get_by_role("button", name="Sign out An unknown")

    for left in (2, 1, 0):
        ends.first.focus()
        page.keyboard.press("Enter")
        expect(ends).to_have_count(left)
        page.wait_for_function("document.activeElement.closest('[aria-labelledby=sessions] li')")
    assert was_not_loaded_again(page)


def test_who_answers_an_alert_that_came_with_the_news_stays_on_the_page(
    signed_in: SignedIn, house: WebHouse
) -> None:
    page = signed_in(EVE, "/devices")
    stays_loaded(page)
    house.services.accounts.server.tell(ServerAway(msg("Jellyfin is away")))
    button = page.get_by_role("button", name="Try now")
    button.focus()

    with page.expect_response("**/alerts/try"):
        page.keyboard.press("Enter")

    page.wait_for_function("document.querySelector('form[aria-busy], .htmx-request') === null")
    assert has_focus_in_page(page)
    assert was_not_loaded_again(page)


def test_an_account_that_an_admin_signs_out_leaves_the_focus_in_its_row(
    signed_in: SignedIn,
) -> None:
    page = signed_in(EVE, "/admin")
    stays_loaded(page)
    row = page.get_by_role("region", name="Accounts").get_by_role("listitem").filter(has_text="ann")
    row.get_by_role("button", name="Sign out ann").focus()

    page.keyboard.press("Enter")

    expect(row).to_contain_text("must sign in again")
    page.wait_for_function("document.activeElement.closest('[aria-labelledby=accounts] li')")
    assert was_not_loaded_again(page)


def test_webhooks_are_changed_and_removed_where_they_are(
    signed_in: SignedIn, house: WebHouse
) -> None:
    address = SecretStr("https://example.org/hook")
    hook, _ = house.services.web.webhooks.add(address, [HookEvent.DEVICE_READY])
    page = signed_in(EVE, "/admin/webhooks")
    stays_loaded(page)
    hooks = page.locator(f"section[aria-labelledby='hook-{hook.id}']")
    hooks.get_by_role("checkbox").last.check()
    save = hooks.get_by_role("button", name="Save")
    save.focus()

    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(save).to_be_focused()
    expect(hooks.get_by_role("checkbox").last).to_be_checked()
    hooks.get_by_role("button", name="Remove").focus()
    page.keyboard.press("Enter")

    expect(hooks).to_have_count(0)
    assert has_focus_in_page(page)
    assert was_not_loaded_again(page)


def test_a_form_that_is_refused_is_sent_once_and_its_answer_is_shown(
    signed_in: SignedIn, house: WebHouse, trouble: BrowserTrouble
) -> None:
    trouble.announce("^404 POST .*/admin/webhooks/.*/test$")
    address = SecretStr("https://example.org/hook")
    hook, _ = house.services.web.webhooks.add(address, [HookEvent.DEVICE_READY])
    page = signed_in(EVE, "/admin/webhooks")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    house.services.web.webhooks.remove(hook.id)

    page.get_by_role("button", name="Send a test").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("not found", ignore_case=True)
    assert page.url.endswith("/admin/webhooks")
    assert len(sent) == 1


def test_what_is_told_and_when_is_saved_where_it_is(signed_in: SignedIn) -> None:
    page = signed_in(EVE, "/profile/notifications")
    here = page.get_by_role("button", name="Turn on here")
    expect(here).to_be_visible()
    stays_loaded(page)
    page.get_by_label("Quiet hours").fill("22:00-06:30")
    save = page.get_by_role("button", name="Save")
    save.focus()

    page.keyboard.press("Enter")

    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(save).to_be_focused()
    expect(here).to_be_visible()
    assert was_not_loaded_again(page)


def has_focus_in_page(page: Page) -> bool:
    return bool(page.evaluate("document.activeElement.closest('#main') !== null"))
