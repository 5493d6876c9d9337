"""The downloads page is dense, and what a person looks at stays where it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from sidecar.domain.downloads.download import Status
from sidecar.messages import msg
from sidecar.services.health.problems import Problem, ProblemKind
from sidecar.web.server import WebServer
from tests.browser.accessibility import violations_in_both_themes
from tests.browser.conftest import SignedIn, give_session
from tests.web.house import ANN, EVE, WebHouse

pytestmark = pytest.mark.browser

LONG = "A title that is long enough to be cut " * 3
# Of every row: its top, its height, its right end.
BOXES = """() => [...document.querySelectorAll(".row")].map((row) => {
    const { top, height, right } = row.getBoundingClientRect();
    return [top, height, right];
})"""

EDGES = """all => all.map((one) => {
    const { top, right } = one.getBoundingClientRect();
    return [top, right];
})"""
MIDDLES = """all => all.map((one) => {
    const { top, height, right } = one.getBoundingClientRect();
    return [Math.round(top + height / 2), right];
})"""


def boxes(page: Page) -> list[list[float]]:
    found: list[list[float]] = page.evaluate(BOXES)
    return found


@pytest.mark.parametrize(
    ("width", "height", "most"),
    [(345, 740, 72), (360, 740, 72), (640, 800, 72), (1280, 800, 48), (1920, 1080, 48)],
)
def test_rows_are_low_begin_high_up_and_take_the_whole_width(
    signed_in: SignedIn, house: WebHouse, width: int, height: int, most: int
) -> None:
    with house.store.db.write():
        running = house.add(1, status=Status.DOWNLOADING, size=7_400_000, title=LONG, album=LONG)
        house.add(2, status=Status.PAUSED)
        house.postpone(house.add(3))
        for number in range(4, 20):
            house.add(number)
    house.transfer({running.id: 3_700_000}, seconds=4)
    page = signed_in(ANN)
    page.set_viewport_size({"width": width, "height": height})

    found = boxes(page)

    assert len(found) == 19
    assert found[0][0] <= 400
    assert max(one[1] for one in found) <= most
    assert width - found[0][2] <= 40
    expect(page.locator("#chosen")).to_be_hidden()
    expect(page.get_by_role("button", name="Pause Tone 4")).to_be_visible()
    # Longer words, an alert and what an admin steers make no row higher; it begins where it began.
    trouble = Problem("blocked", msg("{detail}", detail=LONG))
    house.services.accounts.problems.note(ProblemKind.SERVER, "files", trouble)
    for person in (ANN, EVE):
        page = signed_in(person)
        page.context.add_cookies([{"name": "sidecar_language", "value": "de", "url": page.url}])
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        expect(page.locator("#state-of-things")).to_contain_text("wartend")
        expect(page.locator("#alerts .alert")).to_contain_text(LONG.strip())
        found = boxes(page)
        assert found[0][0] <= 400 or width >= 640
        assert max(one[1] for one in found) <= most
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # Nothing of what stands above them is cut or in a second line on a wide screen.
        tabs = page.locator(".tabs a").evaluate_all(EDGES)
        assert max(right for _, right in tabs) <= width
        if width >= 1280:
            assert len({top for top, _ in page.locator(".summary > *").evaluate_all(MIDDLES)}) == 1


def test_what_a_row_is_about_opens_and_stays_open_while_the_list_changes(
    signed_in: SignedIn, house: WebHouse
) -> None:
    download = house.add(7)
    page = signed_in(ANN)
    row = page.locator(f"#download-{download.id}")
    expect(row.locator(".file")).to_be_hidden()

    row.get_by_role("button", name="More about").click()
    expect(row.locator(".file")).to_contain_text(download.file_path)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(row.locator(".file")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(row.locator(".file")).to_be_visible()
    another = house.add(8)
    expect(page.locator(f"#download-{another.id}")).to_be_visible()

    expect(row.locator(".file")).to_be_visible()
    expect(row.get_by_role("button", name="Move to top Tone 7")).to_be_visible()


def test_rows_are_opened_without_scripts_as_well(
    chromium: Browser, house: WebHouse, server: WebServer
) -> None:
    with house.store.db.write():
        downloads = [house.add(number) for number in range(1, 31)]
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/downloads?albums=no")

    for number in (30, 20):
        page.get_by_role("button", name=f"More about Tone {number}").click()

    for number in (30, 20):
        row = page.locator(f"#download-{downloads[number - 1].id}")
        expect(row.get_by_role("button", name="Move to top")).to_be_visible()
    expect(page.get_by_role("button", name="More about Tone 20")).to_be_in_viewport()
    page.get_by_role("button", name="More about Tone 20").click()
    expect(page.get_by_role("button", name="Move to top")).to_have_count(1)
    page.get_by_role("button", name="Move to top").click()
    assert page.locator(".row h2").first.text_content() == "Tone 30"
    context.close()


def test_rows_that_are_opened_in_quick_turn_are_all_open(
    signed_in: SignedIn, house: WebHouse
) -> None:
    for number in range(1, 4):
        house.add(number)
    page = signed_in(ANN)

    page.locator(".opens").evaluate_all("all => all.forEach((one) => one.click())")

    expect(page.get_by_role("button", name="Move to top")).to_have_count(3)
    page.reload()
    expect(page.get_by_role("button", name="Move to top")).to_have_count(3)


def test_a_row_that_is_opened_asks_for_its_details_alone(
    signed_in: SignedIn, house: WebHouse
) -> None:
    download = house.add(7)
    for number in range(8, 30):
        house.add(number)
    page = signed_in(ANN)
    page.wait_for_load_state("networkidle")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it takes no built-in
    more = page.get_by_role("button", name="More about Tone 7")
    file = page.locator(f"#download-{download.id} .file")

    more.click()
    expect(file).to_contain_text(download.file_path)
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(more).to_be_focused()
    more.click()
    expect(file).to_have_count(0)
    expect(more).to_have_attribute("aria-expanded", "false")
    page.wait_for_load_state("networkidle")

    (answer,) = answers
    assert f"/downloads/{download.id}/details" in answer.url
    assert len(answer.body()) < 4000


def test_who_pauses_by_keys_stays_on_the_button_and_the_numbers_say_it(
    signed_in: SignedIn, house: WebHouse
) -> None:
    for number in range(1, 5):
        house.add(number)
    page = signed_in(ANN)
    page.wait_for_load_state("networkidle")

    page.get_by_role("button", name="Pause Tone 2").press("Enter")

    resume = page.get_by_role("button", name="Resume Tone 2")
    expect(resume).to_be_visible()
    expect(resume).to_be_focused()
    expect(page.locator("#done")).to_contain_text("1 download is paused.")
    expect(page.locator("#state-of-things")).to_have_text("3 waiting, 1 paused")


def test_on_a_phone_a_reason_is_told_once_for_all_that_came_by_it(
    signed_in: SignedIn, house: WebHouse
) -> None:
    for number in range(1, 6):
        house.add(number, status=Status.COMPLETED)
    house.add(6, status=Status.COMPLETED, text="you played 3 of 4 tracks")
    page = signed_in(ANN, "/activity")
    reasons = page.locator(".happened .soft", has_text="your favourite")
    heights = "(all) => all.map((one) => Math.round(one.getBoundingClientRect().height))"
    assert min(reasons.evaluate_all(heights)) > 1

    page.set_viewport_size({"width": 360, "height": 740})

    assert sum(one > 1 for one in reasons.evaluate_all(heights)) == 1
    rows = page.locator(".happened li")
    assert max(rows.locator("visible=true").evaluate_all(heights)) <= 96
    assert rows.last.evaluate("(one) => one.offsetHeight") <= 64
    # What is not shown is still spoken.
    expect(rows.nth(2)).to_contain_text("Downloaded")
    assert list(violations_in_both_themes(page)) == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_on_a_phone_what_an_admin_steers_is_read_in_whole(
    signed_in: SignedIn, language: str
) -> None:
    page = signed_in(EVE)
    page.context.add_cookies([{"name": "sidecar_language", "value": language, "url": page.url}])
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()
    words = page.get_by_role("switch").locator("span").last

    assert words.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert words.evaluate("(one) => one.offsetHeight") <= 40
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_a_phone_a_task_has_its_button_beside_it(signed_in: SignedIn) -> None:
    page = signed_in(EVE, "/admin/tasks")
    page.set_viewport_size({"width": 360, "height": 740})
    [text, button] = page.locator("#tasks li").first.evaluate(
        "(one) => [...one.children].map((part) => part.getBoundingClientRect().top)"
    )
    height = page.locator("#tasks li").first.evaluate("(one) => one.offsetHeight")

    assert button < text + height / 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
