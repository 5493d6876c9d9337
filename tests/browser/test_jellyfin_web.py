"""Our button on a page like those of Jellyfin's own web client, served from another origin."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sidecar.clock import SystemClock
from sidecar.domain.downloads.download import Status
from sidecar.web.app import WebOptions, create_app
from tests.browser.accessibility import violations
from tests.browser.conftest import DEADLINE_MS, give_session
from tests.browser.trouble import BrowserTrouble
from tests.fakes.servers.answering import Reply
from tests.services.conftest import track
from tests.services.rules.steered import row
from tests.web.house import ANN, WebHouse, serving

pytestmark = pytest.mark.browser

# The parts of an item's page that the script looks for, as in Jellyfin's own: each address has a
# page of its own, and the one before stays in the document, hidden.
JELLYFIN = """<!doctype html><html lang="en"><title>Jellyfin</title>
<style>.hide { display: none }</style>
<body style="background:#101010;color:#fff"><main></main><script>
window.ApiClient = { getCurrentUserId: () => "%(user)s" };
function draw() {
  for (const page of document.querySelectorAll(".page")) page.className += " hide";
  const page = document.createElement("div");
  page.className = "page libraryPage itemDetailPage";
  page.innerHTML = `<div class="detailRibbon"><div class="mainDetailButtons focuscontainer-x">
    <button type="button" class="button-flat btnPlay detailButton" title="Play">&gt;</button>
    <button type="button" class="button-flat btnMoreCommands detailButton" title="More">:</button>
  </div></div>`;
  if (location.hash.includes("bare=yes")) page.replaceChildren();
  document.querySelector("main").append(page);
}
addEventListener("hashchange", draw);
draw();
const script = document.createElement("script");
script.src = "%(sidecar)s/jellyfin-web.js";
document.head.append(script);
</script></body></html>"""


@pytest.fixture
def page(chromium: Browser, house: WebHouse, trouble: BrowserTrouble) -> Iterator[Page]:
    """Jellyfin's page of track 7, in a browser where Ann is signed in to the sidecar."""
    trouble.announce("^401 GET .*/api/v1/jellyfin-web/")
    house.library(row(7), row(8))
    options = WebOptions(jellyfin_web_origins=(house.jellyfin.url,))
    web = create_app(house.services.web, house.bus, options, SystemClock())
    with serving(web) as server:
        body = JELLYFIN % {"user": ANN.user_id, "sidecar": server.url}
        html = {"Content-Type": "text/html"}
        house.jellyfin.routes["GET /web/"] = Reply(body=body.encode(), headers=html)
        context = chromium.new_context()
        context.set_default_timeout(DEADLINE_MS)
        give_session(context, house, server, ANN)
        page = context.new_page()
        page.clock.install()
        page.goto(f"{house.jellyfin.url}/web/#/details?id={track(7).id}&serverId=1")
        yield page
        # Else connections that the browser keeps ready would outlive the servers.
        context.close()


def test_an_item_is_downloaded_from_jellyfin_s_own_page(page: Page, house: WebHouse) -> None:
    ours = page.locator(".page:not(.hide) .sidecarButton")
    expect(ours).to_have_attribute("title", "Sidecar: connect")
    # After Jellyfin's own buttons, before what opens the menu.
    titles = page.locator(".page:not(.hide) .detailButton").evaluate_all(
        "all => all.map((one) => one.title)"
    )
    assert titles == ["Play", "Sidecar: connect", "More"]

    with page.context.expect_page() as opened:
        ours.click()
    expect(opened.value.locator("main")).to_contain_text(house.jellyfin.url)
    with opened.value.expect_event("close"):
        opened.value.get_by_role("button", name="Yes, as ann").click()
    expect(ours).to_have_attribute("title", "Download to a device")
    ours.click()
    expect(ours).to_have_attribute("title", "Waiting for Car stick")
    assert house.row(7).status is Status.PENDING

    ours.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Car stick")
    expect(dialog).to_contain_text("waits")
    assert violations(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_contain_text("not here")
    page.keyboard.press("Escape")
    expect(ours).to_have_attribute("title", "Download to a device")

    # Another page of Jellyfin, without loading anything anew.
    house.add(8, status=Status.COMPLETED)
    page.evaluate(f"location.hash = '#/details?id={track(8).id}'")
    expect(ours).to_have_attribute("title", "On Car stick")
    expect(page.locator(".sidecarButton")).to_have_count(1)
    # Where its buttons are not found, ours has a corner of its own.
    page.evaluate(f"location.hash = '#/details?id={track(8).id}&bare=yes'")
    page.evaluate(f"location.hash = '#/details?id={track(7).id}&bare=yes'")
    page.clock.fast_forward(4000)
    expect(page.locator("body > div .sidecarButton")).to_be_visible()
    page.evaluate("location.hash = '#/home'")
    expect(page.locator(".sidecarButton")).to_have_count(0)

    # Revoked, it asks again; nothing of it is in the page's own address or log.
    house.services.web.api_keys.revoke_all(ANN)
    page.evaluate(f"location.hash = '#/details?id={track(7).id}'")
    expect(ours).to_have_attribute("title", "Sidecar: connect")
    assert not re.search("sidecarweb_", page.url + page.content())
