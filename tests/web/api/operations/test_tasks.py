"""Programs of admins see what is done regularly and have it done, as the page does."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from sidecar.services.health.tasks import TaskKind
from sidecar.web.api.schemas.base import Json, moment
from tests.web.house import ANN, Browser, WebHouse

PATH = "/api/v1/tasks"


def test_tasks_are_listed_with_how_they_ended(house: WebHouse, eve: Browser) -> None:
    tasks, began_at = house.services.accounts.tasks, house.clock.now()
    with tasks.run(TaskKind.RULES, ANN.user_id, again_s=3600, retry_s=60) as run:
        began = _read_rules(eve)
        house.clock.advance(2)
        run.fail("Jellyfin cannot be reached")

    assert began == {
        "id": f"rules-{ANN.user_id}",
        "what": "Run the rules",
        "about": "ann",
        "machine": "",
        "began_at": moment(began_at),
        "ended_at": None,
        "failure": "",
        "next_at": None,
    }
    assert _read_rules(eve) == {
        **began,
        "ended_at": moment(began_at + timedelta(seconds=2)),
        "failure": "Jellyfin cannot be reached",
        "next_at": moment(began_at + timedelta(seconds=60)),
    }


def test_one_is_done_when_asked_for_and_one_that_is_not_there_is_not_found(
    house: WebHouse, eve: Browser, ann: Browser
) -> None:
    background = house.services.background
    background.backups.step()

    assert eve.send("POST", f"{PATH}/backup/run").status_code == HTTPStatus.NO_CONTENT
    background.backups.step()
    assert background.backups.view().kept == 1

    assert eve.send("POST", f"{PATH}/scan-none/run").status_code == HTTPStatus.NOT_FOUND
    assert ann.get(PATH).status_code == HTTPStatus.FORBIDDEN
    assert ann.send("POST", f"{PATH}/backup/run").status_code == HTTPStatus.FORBIDDEN


def _read_rules(browser: Browser) -> Json:
    found: list[Json] = browser.told(PATH)["items"]
    return next(one for one in found if one["what"] == "Run the rules")
