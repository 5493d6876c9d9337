from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from sidecar.domain.downloads.states import Status
from sidecar.events import Bus, DownloadChanged, Progress, TransfersProgressed
from sidecar.services.devices.views import DeviceView
from sidecar.services.notices import Notice
from sidecar.web.server import WebServer
from tests.browser.conftest import DEADLINE_MS, SignedIn, give_session, served
from tests.browser_trouble import BrowserTrouble
from tests.fakes.desk import ANN, DOWNLOAD, EVE, PASSWORD, FakeDesk, a_download

pytestmark = pytest.mark.browser

# A page whose session has ended asks whether it has.
SIGNED_OUT = "^401 GET .*/(api/v1/session|downloads)$"
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 3
STICK = DeviceView("stick", "Car stick", "", None, 32_000_000_000, 12_000_000_000, 1, 2)
AWAY = DeviceView("sd", "Player", "", "The card is not there: put it in", None, 0, None, None)


def a_full_desk(desk: FakeDesk) -> None:
    """Every state, with titles that nobody would wish for."""
    desk.add(
        a_download(
            1, status=Status.DOWNLOADING, bytes_downloaded=3_700_000, speed=1e6, seconds_left=4.0
        ),
        a_download(2, status=Status.DOWNLOADING, expected_size=None, title=LONG, album=LONG),
        a_download(3, title=NASTY, artist=NASTY, album=NASTY, device_name=NASTY),
        a_download(4, status=Status.PAUSED, bytes_downloaded=5),
        a_download(
            5,
            status=Status.FAILED,
            error_message="It may not be downloaded",
            bytes_downloaded=2_220_000,
        ),
        a_download(6, status=Status.COMPLETED, item_type="Movie"),
    )
    desk.running = (Progress(1, 1, 2, 1e6, 4.0),)
    desk.shelf = (STICK, AWAY)
    desk.told = (Notice("server", "error", "The Jellyfin server does not answer"),)


def arrive(desk: FakeDesk, bus: Bus) -> None:
    desk.change(7, status=Status.COMPLETED)
    desk.running = ()
    bus.publish(DownloadChanged(DOWNLOAD, Status.DOWNLOADING, Status.COMPLETED))


def test_a_person_signs_in_and_out(
    context: BrowserContext, server: WebServer, trouble: BrowserTrouble
) -> None:
    trouble.announce("^401 POST .*/sign-in$", SIGNED_OUT)
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")

    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Downloads")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_quick_connect_goes_on_by_itself(
    context: BrowserContext, server: WebServer, desk: FakeDesk
) -> None:
    page = context.new_page()
    page.goto(server.url)
    page.get_by_role("button", name="Use Quick Connect").click()
    expect(page.get_by_text("482913")).to_be_visible()
    expect(page.get_by_text("Waiting for the code")).to_be_visible()

    desk.approved = ANN

    expect(page.get_by_role("heading", name="Downloads")).to_be_visible(timeout=DEADLINE_MS)


def test_the_page_follows_a_download_from_the_heart_to_the_device(
    signed_in: SignedIn, desk: FakeDesk, bus: Bus
) -> None:
    desk.shelf = (STICK,)
    page = signed_in(ANN)
    websocket = []
    page.on("websocket", lambda line: websocket.append(line.url))
    page.reload()
    expect(page.get_by_text("Press a heart in any Jellyfin client")).to_be_visible()

    desk.add(a_download(7))
    bus.publish(DownloadChanged(DOWNLOAD, None, Status.PENDING))
    row = page.locator("#download-7")
    expect(row).to_contain_text("Queued")
    expect(page.locator("#tab-active")).to_have_text("Active 1")

    desk.change(7, status=Status.DOWNLOADING)
    bus.publish(DownloadChanged(DOWNLOAD, Status.PENDING, Status.DOWNLOADING))
    expect(row).to_contain_text("Downloading")
    bus.publish(TransfersProgressed((Progress(7, 3_700_000, 7_400_000, 1_250_000.0, 3.0),)))
    expect(row).to_contain_text("3.7 MB of 7.4 MB")
    expect(row).to_contain_text("3 sec left")
    expect(row.get_by_role("progressbar")).to_have_js_property("value", 0.5)
    expect(page.locator('[data-part="total-speed"]')).to_have_text("1.3 MB/s")

    arrive(desk, bus)
    expect(row).to_have_count(0)
    expect(page.locator("#tab-completed")).to_have_text("Completed 1")
    assert {one.partition(":")[0] for one in websocket} == {"ws"}


def test_all_of_it_works_below_a_base_url(
    context: BrowserContext, desk: FakeDesk, bus: Bus
) -> None:
    serving = served(desk, bus, 0, "/sidecar")
    server = next(serving)
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sidecar/downloads")
    page.wait_for_load_state("networkidle")

    desk.add(a_download(7))
    bus.publish(DownloadChanged(DOWNLOAD, None, Status.PENDING))

    expect(page.locator("#download-7")).to_contain_text("Queued")
    context.close()
    next(serving, None)


def test_tabs_search_and_pages_change_the_list_in_place(
    signed_in: SignedIn, desk: FakeDesk
) -> None:
    desk.add(*(a_download(n) for n in range(1, 13)), a_download(20, title="Perth"))
    desk.add(a_download(30, status=Status.COMPLETED, title="Towers"))
    page = signed_in(ANN)
    page.evaluate("window.untouched = true")

    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("11\u201313 of 13")).to_be_visible()
    page.get_by_label("Search titles").fill("pert")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_contain_text("Perth")
    page.get_by_role("link", name="Completed").click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_label("Search titles").fill("")
    expect(page.locator(".row")).to_contain_text("Towers")

    assert page.evaluate("window.untouched") is True
    assert "tab=completed" in page.url
    page.reload()
    expect(page.locator(".row")).to_contain_text("Towers")


def test_back_leads_back(signed_in: SignedIn, desk: FakeDesk) -> None:
    desk.add(a_download(1), a_download(30, status=Status.COMPLETED, title="Towers"))
    page = signed_in(ANN)
    page.get_by_role("link", name="Completed").click()
    expect(page.locator(".row")).to_contain_text("Towers")

    page.go_back()

    expect(page.locator(".row")).to_contain_text("Track 1")
    expect(page.get_by_role("heading", name="Downloads")).to_have_count(1)


def test_everything_can_be_read_without_scripts(
    chromium: Browser, server: WebServer, desk: FakeDesk
) -> None:
    a_full_desk(desk)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    page.get_by_role("link", name="Failed").click()
    expect(page.locator("#download-5")).to_contain_text("It may not be downloaded.")
    page.get_by_role("link", name="Completed").click()
    expect(page.locator("#download-6")).to_contain_text("On the device")
    page.get_by_label("Search titles").fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [320, 360, 640, 1280])
@pytest.mark.parametrize(
    "path", ["/sign-in", "/downloads", "/downloads?tab=completed", "/downloads?tab=failed"]
)
def test_no_page_has_to_be_moved_sideways(
    signed_in: SignedIn, context: BrowserContext, desk: FakeDesk, width: int, path: str
) -> None:
    a_full_desk(desk)
    page = signed_in(ANN, path)
    if path == "/sign-in":
        context.clear_cookies()
        page.goto(page.url.replace("/downloads", path))
    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_whatever_a_tag_holds_nothing_runs(signed_in: SignedIn, desk: FakeDesk, bus: Bus) -> None:
    a_full_desk(desk)
    page = signed_in(ANN)
    expect(page.locator("#download-3")).to_contain_text("<img src=x onerror=")
    with page.expect_response("**/downloads*"):
        bus.publish(DownloadChanged(replace(DOWNLOAD, id=3), Status.PENDING, Status.PENDING))
    expect(page.locator("#download-3")).to_contain_text("<img src=x onerror=")

    assert page.title() == "Downloads · Jellyfin Sidecar"
    assert page.locator('img[src="x"]').count() == 0


def test_the_page_tells_of_a_break_and_knows_the_truth_after_it(
    context: BrowserContext, desk: FakeDesk, bus: Bus
) -> None:
    desk.add(a_download(7, status=Status.DOWNLOADING))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    first = served(desk, bus, port)
    server = next(first)
    give_session(context, desk, server, ANN)
    page = context.new_page()
    page.goto(server.url + "/downloads")
    expect(page.locator("#download-7")).to_contain_text("Downloading")
    page.wait_for_load_state("networkidle")
    next(first, None)
    banner = page.locator("#offline")
    expect(banner).to_contain_text("Trying again")

    arrive(desk, bus)
    second = served(desk, bus, port)
    next(second)

    expect(banner).to_be_hidden(timeout=15_000)
    expect(page.locator("#tab-completed")).to_have_text("Completed 1")
    expect(page.locator("#download-7")).to_have_count(0)
    context.close()
    next(second, None)


def test_a_page_whose_session_ended_elsewhere_asks_to_sign_in(
    signed_in: SignedIn, context: BrowserContext, trouble: BrowserTrouble
) -> None:
    trouble.announce(SIGNED_OUT)
    page = signed_in(ANN)
    other = context.new_page()
    other.goto(page.url)
    page.wait_for_load_state("networkidle")

    other.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    signed_in: SignedIn, desk: FakeDesk
) -> None:
    page = signed_in(ANN)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    reached = []
    for _ in range(13):
        assert page.evaluate(outline) == "solid"
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        page.keyboard.press("Tab")

    assert reached == [
        "Skip to the content",
        "Sidecar",
        "Downloads",
        "Library",
        "On the device",
        "Devices",
        "Now playing",
        "ann",
        "Sign out",
        "",
        "Search",
        "Filter and sort",
        "Active 0",
    ]


def test_it_is_dark_where_the_person_likes_it_dark(chromium: Browser, server: WebServer) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme="dark" if scheme == "dark" else "light")
        page = context.new_page()
        page.goto(server.url)
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()

    assert backgrounds == ["rgb(246, 246, 249)", "rgb(20, 20, 27)"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["/sign-in", "/downloads", "/downloads?tab=completed", "/downloads?tab=removed", "/none"],
)
def test_nothing_keeps_anybody_out(
    chromium: Browser,
    server: WebServer,
    desk: FakeDesk,
    axe: str,
    trouble: BrowserTrouble,
    *,
    path: str,
    dark: bool,
) -> None:
    trouble.announce("^404 GET .*/none$")
    a_full_desk(desk)
    context = chromium.new_context(color_scheme="dark" if dark else "light", bypass_csp=True)
    if path != "/sign-in":
        give_session(context, desk, server, EVE)
    page = context.new_page()
    page.goto(server.url + path)
    found = violations(page, axe)
    context.close()

    assert found == []


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


def test_the_page_is_loaded_again_and_goes_on(signed_in: SignedIn, desk: FakeDesk) -> None:
    a_full_desk(desk)
    page = signed_in(ANN)
    with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
        page.reload()
    page.get_by_role("link", name="Completed").click()

    expect(page.locator("#download-6")).to_be_visible()


SAYS = "([id, text]) => document.getElementById(id).textContent.includes(text)"


def test_progress_lays_out_nothing_but_the_rows_that_changed(
    signed_in: SignedIn, desk: FakeDesk, bus: Bus
) -> None:
    eight = range(1, 9)
    running = [a_download(n, status=Status.DOWNLOADING, bytes_downloaded=740_000) for n in eight]
    desk.add(*running, *(a_download(n) for n in range(9, 210)))
    desk.running = tuple(Progress(n, 740_000, 7_400_000, 1e6, 7.0) for n in eight)
    page = signed_in(ANN)
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """() => {
            window.touched = new Set();
            new MutationObserver((changes) => {
                for (const { target, type } of changes) {
                    const place = target.closest ? target : target.parentElement;
                    const row = place.closest(".row, .summary");
                    window.touched.add(`${row?.id || row?.className} ${type}`);
                }
            }).observe(document.body, {
                subtree: true, childList: true, characterData: true, attributes: true,
            });
        }"""
    )
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = layouts(session)

    for step in range(2, 12):
        held = 500_000 * step
        transfers = tuple(Progress(n, held, 7_400_000, 1e6, 5.0) for n in eight)
        bus.publish(TransfersProgressed(transfers))
        done = f"{held / 1e6:.1f} MB of 7.4 MB"
        # Not `expect`: it asks for the layout itself.
        page.wait_for_function(SAYS, arg=["download-8", done])

    assert layouts(session) - before <= 3 * 10
    touched = set(page.evaluate("[...window.touched]"))
    rows = {f"download-{n}" for n in eight}
    assert {one.split()[0] for one in touched} <= rows | {"summary"}


def layouts(session: CDPSession) -> int:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return int(next(one["value"] for one in metrics if one["name"] == "LayoutCount"))
