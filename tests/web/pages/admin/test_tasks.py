"""Admins see what is done regularly, and have it done now."""

from __future__ import annotations

from http import HTTPStatus

from sidecar.services.health.tasks import TaskKind
from tests.services.conftest import STICK
from tests.web.house import ANN, Browser, WebHouse


def test_each_task_says_how_it_ended_and_can_be_done_now(house: WebHouse, eve: Browser) -> None:
    tasks, background = house.services.accounts.tasks, house.services.background
    background.backups.step()
    background.removals.step()
    with tasks.run(TaskKind.RULES, ANN.user_id, again_s=3600, retry_s=60) as run:
        assert "running, began" in eve.get("/admin/tasks").text
        run.fail("Jellyfin cannot be reached")
    tasks.plan(TaskKind.HEARTS, "f" * 32)

    page = eve.get("/admin/tasks").text
    assert "<b>Run the rules</b> · ann" in page
    assert "Jellyfin cannot be reached" in page
    assert "next in 60 seconds" in page
    assert "<b>Look for removed and changed files</b>" in page
    assert "done just now" in page
    assert "<b>Daily copy of the database</b>" in page
    assert "next in 24 hours" in page
    assert "only when asked for" in page, "nightly backups are off"
    assert "Compare favourites" not in page, "nobody knows that account any more"

    assert eve.press("/admin/tasks", task="backup").location == "/admin/tasks"
    assert eve.press("/admin/tasks", task="copy").location == "/admin/tasks"
    assert background.backups.view().kept == 0, "the page does not wait for it"
    background.backups.step()
    background.housekeeping.step()
    assert background.backups.view().kept == 1
    assert [*house.services.configuration.now().server.data_dir.glob("backups/*.db")]


def test_a_device_is_looked_at_again_when_somebody_wants_it(house: WebHouse, eve: Browser) -> None:
    removals = house.services.background.removals
    removals.step()
    before = house.services.accounts.tasks.found()[f"scan-{STICK}"]
    house.clock.advance(2)
    removals.step()
    assert house.services.accounts.tasks.found()[f"scan-{STICK}"] == before

    eve.press("/admin/tasks", task=f"scan-{STICK}")
    removals.step()
    assert house.services.accounts.tasks.found()[f"scan-{STICK}"] != before

    house.unplug()
    removals.step()
    assert "Look for removed" not in eve.get("/admin/tasks").text
    gone = eve.press("/admin/tasks", task=f"scan-{STICK}")
    assert gone.location == "/admin/tasks", "the page was older than that"


def test_only_admins_see_and_run_tasks_and_only_those_that_there_are(
    house: WebHouse, eve: Browser, ann: Browser
) -> None:
    house.services.background.backups.step()
    assert ann.get("/admin/tasks").status_code == HTTPStatus.FORBIDDEN
    assert ann.press("/admin/tasks", task="backup").status_code == HTTPStatus.FORBIDDEN
    for odd in ("", "backup-", "scan-none", "x" * 5000):
        assert eve.press("/admin/tasks", task=odd).status_code == HTTPStatus.SEE_OTHER
    background = house.services.background
    background.backups.step()
    assert background.backups.view().kept == 0
