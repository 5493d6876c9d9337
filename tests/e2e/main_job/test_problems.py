"""What stands in the way is told once, loses nothing, and heals by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.core import StartupPhase
from tests.e2e.conftest import Person, Sidecar
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def notices(sidecar: Sidecar) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{sidecar.url}/api/v1/notices",
        headers={"Authorization": f"Bearer {sidecar.key}"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_a_server_that_starts_is_waited_for_and_nothing_is_used_up(
    running: Sidecar, ann: Person, jellyfin: DemoServer, line: SlowLine
) -> None:
    ann.heart(ann.tracks()["Tone 1"])
    running.wait_for("Tone 1", "completed")
    jellyfin.enter_phase(StartupPhase.STARTING)
    line.cut()
    wait_until(lambda: bool(notices(running)), what="a notice")

    jellyfin.enter_phase(StartupPhase.READY)
    ann.heart(ann.tracks()["Tone 2"])

    there = running.wait_for("Tone 2", "completed")
    assert there["retry_count"] == 0
    wait_until(lambda: notices(running) == [], what="the end of the notice")


def test_another_server_at_the_address_stops_everything_and_removes_nothing(
    running: Sidecar, ann: Person, library: Path, line: SlowLine, stick: Path
) -> None:
    ann.heart(ann.tracks()["Tone 1"])
    there = running.wait_for("Tone 1", "completed")

    with DemoServer(library, speaks=Version.V12_0, server_id="f" * 32) as other:
        line.lead_to(int(other.url.rpartition(":")[2]))
        line.cut()
        wait_until(
            lambda: any("Another Jellyfin answers" in one["text"] for one in notices(running)),
            what="a notice",
        )

    assert (stick / there["file_path"]).exists()
    kept = running.by_title("Tone 1")
    assert kept is not None
    assert kept["status"] == "completed"
    assert kept["reasons"] == there["reasons"]


def test_a_heart_taken_away_lets_go_after_the_grace(
    sidecar: Sidecar, ann: Person, stick: Path
) -> None:
    sidecar.environ["SIDECAR_RULES__FAVOURITES__GRACE"] = "2 seconds"
    track = ann.tracks()["Tone 1"]
    ann.heart(track)
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")
    there = sidecar.wait_for("Tone 1", "completed")
    assert there["reasons"]

    ann.heart(track, on=False)

    wait_until(
        lambda: (one := sidecar.by_title("Tone 1")) is not None and not one["reasons"],
        what="the end of the hold",
    )
    assert (stick / there["file_path"]).exists()


def test_a_pulled_stick_loses_nothing_and_goes_on_when_it_is_back(
    running: Sidecar, ann: Person, stick: Path
) -> None:
    ann.heart(ann.tracks()["Tone 1"])
    running.wait_for("Tone 1", "completed")
    away = stick.rename(stick.with_name("pulled"))
    stick.mkdir()
    wait_until(lambda: bool(notices(running)), what="a notice")

    ann.heart(ann.tracks()["Tone 2"])
    wait_until(lambda: "pressed a heart on 'Tone 2'" in running.log.read_text(), what="the heart")
    assert list(stick.iterdir()) == []
    kept = running.by_title("Tone 1")
    assert kept is not None
    assert kept["status"] == "completed"

    stick.rmdir()
    away.rename(stick)

    running.wait_for("Tone 2", "completed")
    wait_until(lambda: notices(running) == [], what="the end of the notice")
