"""A device that is too small for everything: what goes, what waits, and how it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import TRACKS, Person, Sidecar
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def plan_of(running: Sidecar) -> dict[str, Any]:
    def asked(path: str) -> dict[str, Any]:
        answer = requests.get(
            f"{running.url}/api/v1/{path}",
            headers={"Authorization": f"Bearer {running.key}"},
            timeout=PATIENCE_S,
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    device_id = asked("devices")["items"][0]["id"]
    return asked(f"devices/{device_id}/plan")


def test_what_is_wanted_no_more_makes_room_for_what_is(
    sidecar: Sidecar, ann: Person, stick: Path
) -> None:
    tracks = ann.tracks()
    device = {
        "name": "Car stick",
        "path": str(stick),
        "budget": TRACKS["Tone 2"] + 5 * 4096,
        "reserve": 0,
    }
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([device])
    assert sidecar.command("sign-in").returncode == 0
    sidecar.start()
    sidecar.get_key("ann")
    for title in ("Tone 2", "What?"):
        ann.heart(tracks[title])
        sidecar.wait_for(title, "completed")

    ann.heart(tracks["Tone 1"])
    wait_until(lambda: plan_of(sidecar)["refusals"] != [], what="the refusal")
    (refused,) = plan_of(sidecar)["refusals"]
    assert (refused["title"], refused["code"]) == ("Tone 1", "budget")
    told = json.loads(sidecar.command("plan", "--json").stdout)["devices"][0]
    assert [one["title"] for one in told["refusals"]] == ["Tone 1"]

    ann.heart(tracks["Tone 2"], on=False)

    sidecar.wait_for("Tone 1", "completed")
    gone = sidecar.by_title("Tone 2")
    assert gone is None or gone["status"] == "removed"
    files = [one for one in stick.rglob("*.flac") if ".sidecar" not in one.parts]
    assert sorted(one.stat().st_size for one in files) == [TRACKS["What?"], TRACKS["Tone 1"]]
    page = requests.get(
        f"{sidecar.url}/devices",
        headers={"Authorization": f"Bearer {sidecar.key}"},
        timeout=PATIENCE_S,
    )
    assert "Up to date" in page.text
