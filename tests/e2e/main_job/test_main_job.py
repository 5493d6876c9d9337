"""The main job: a heart pressed in Jellyfin arrives as a whole file on the device."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.contract.client import Client
from tests.e2e.conftest import MIB, PASSWORDS, TRACKS, Person, Sidecar, sha256
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S
from tests.postgres import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def wait_for_part(running: Sidecar, more_than: int) -> None:
    def there() -> bool:
        one = running.by_title("Long Noise")
        return one is not None and one["bytes_downloaded"] > more_than

    wait_until(there, what="a part of the file")


def test_a_heart_brings_the_whole_file(running: Sidecar, ann: Person, stick: Path) -> None:
    track = ann.tracks()["Tone 2"]

    ann.heart(track)
    there = running.wait_for("Tone 2", "completed")

    file = stick / there["file_path"]
    assert file.relative_to(stick).parts[0] == "The Sine Waves"
    assert sha256(file.read_bytes()) == sha256(ann.bytes_of(track))
    assert there["reasons"] == [{"rule": "favourites", "account": "ann", "text": "your favourite"}]
    assert there["owners"] == ["ann"]
    assert there["progress"] == 1.0
    assert list((stick / ".sidecar" / "parts").iterdir()) == []
    assert running.stop() == 0


def test_on_postgresql_it_does_the_same_and_moves_back(
    sidecar: Sidecar, ann: Person, stick: Path, postgresql: Server, tmp_path: Path
) -> None:
    secret = "a-w0rd-nobody-sees"
    postgresql.make("journey")
    file = tmp_path / "address"
    file.write_text(postgresql.url("journey").replace("sidecar@", f"sidecar:{secret}@"))
    sidecar.environ["SIDECAR_DATABASE__URL_FILE"] = str(file)
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")
    ann.heart(ann.tracks()["Tone 1"])
    there = sidecar.wait_for("Tone 1", "completed")
    assert (stick / there["file_path"]).stat().st_size == TRACKS["Tone 1"]
    assert not (tmp_path / "data" / "sidecar.db").exists()
    told = sidecar.command("status", "--json").stdout
    assert json.loads(told)["database"]["path"].startswith("postgresql://")
    backup = tmp_path / "backup.zip"
    assert sidecar.command("backup", str(backup)).returncode == 0
    back = ("database", "move", "--to", str(tmp_path / "data" / "sidecar.db"))
    refused = sidecar.command(*back)
    assert (refused.returncode, "stop it first" in refused.stderr) == (1, True)
    bundle = tmp_path / "support.zip"
    sidecar.command("support", str(bundle))
    assert sidecar.stop() == 0

    sidecar.start()
    assert sidecar.wait_for("Tone 1", "completed")["id"] == there["id"]
    assert sidecar.stop() == 0
    restored = sidecar.command("restore", "--yes", str(backup))
    assert restored.returncode == 0, restored.stderr
    moved = sidecar.command(*back)
    assert moved.returncode == 0, moved.stderr
    assert "are the same in both databases" in moved.stdout
    del sidecar.environ["SIDECAR_DATABASE__URL_FILE"]
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")
    again = sidecar.wait_for("Tone 1", "completed")
    assert (again["id"], again["file_path"]) == (there["id"], there["file_path"])

    said = [told, refused.stderr, restored.stdout, moved.stdout, sidecar.log.read_text()]
    assert not any(secret in one for one in said)
    for archive in (backup, bundle):
        with ZipFile(archive) as zipped:
            assert not any(secret.encode() in zipped.read(one) for one in zipped.namelist())


def has_looked_since_connected(running: Sidecar) -> bool:
    """Whether all favourites were listed after the live connection was there."""
    log = running.log.read_text()
    connected = log.find("hearts-ann sidecar.jellyfin.http.connection: GET /Sessions ")
    return 0 <= connected < log.rfind("has 0 favourites")


def test_a_favourite_album_brings_all_its_tracks_and_the_client_says_so(
    running: Sidecar, ann: Person
) -> None:
    web = Client(ann.url, "web", "Jellyfin Web")
    web.sign_in("ann", PASSWORDS["ann"])
    with web.socket() as socket:
        can = {"SupportedCommands": ["DisplayMessage"], "SupportsMediaControl": True}
        web.post("/Sessions/Capabilities/Full", can)
        # What a listing finds is nobody's act in a client: it must come by the live connection.
        wait_until(lambda: has_looked_since_connected(running), what="the live connection")
        web.post(f"/UserFavoriteItems/{ann.item('First Light', 'MusicAlbum')}")

        for title in TRACKS:
            there = running.wait_for(title, "completed")
            assert there["reasons"][0]["text"] == "on your favourite album First Light"
        message = socket.next("GeneralCommand", within_s=PATIENCE_S)

    assert (message["Name"], message["ControllingUserId"]) == ("DisplayMessage", ann.user_id)
    assert message["Arguments"]["Text"].startswith("First Light")
    assert message["Arguments"]["Text"].endswith(" Car stick")


def test_a_heart_pressed_while_nobody_looked_is_found_at_the_start(
    sidecar: Sidecar, ann: Person
) -> None:
    ann.heart(ann.tracks()["Tone 1"])

    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")

    sidecar.wait_for("Tone 1", "completed")


def test_a_heart_that_jellyfin_forgets_is_kept_and_set_again(running: Sidecar, ann: Person) -> None:
    track = ann.tracks()["Tone 1"]
    ann.report("", track, 0)
    ann.heart(track)
    running.wait_for("Tone 1", "completed")
    ann.report("/Progress", track, 5)
    assert not ann.has_heart(track)

    ann.report("/Stopped", track, 30)

    wait_until(lambda: ann.has_heart(track), what="the heart set again")
    there = running.by_title("Tone 1")
    assert there is not None
    assert there["reasons"]


def test_killed_at_any_moment_it_goes_on_where_it_was(
    running: Sidecar, ann: Person, line: SlowLine, stick: Path
) -> None:
    size = TRACKS["Long Noise"]
    line.bytes_a_second = 10 * MIB
    track = ann.tracks()["Long Noise"]
    ann.heart(track)
    kills = 3
    for number in range(kills):
        wait_for_part(running, (number + 1) * 7 * MIB)
        if number < kills - 1:
            running.kill()
            running.start()
            continue
        # Now another one stands by, and takes its place.
        standby = replace(running)
        standby.begin("--standby")
        wait_until(lambda: "standing by" in running.log.read_text(), what="the one that stands by")
        running.kill()
        line.bytes_a_second = None
        running.process = standby.process
        running.wait_until_begun()

    there = running.wait_for("Long Noise", "completed")

    assert sha256((stick / there["file_path"]).read_bytes()) == sha256(ann.bytes_of(track))
    # The lists and covers asked for meanwhile are small beside one piece.
    assert line.passed < size + kills * 8 * MIB + 2 * MIB


def test_a_line_that_breaks_is_gone_on_with(
    running: Sidecar, ann: Person, line: SlowLine, stick: Path
) -> None:
    line.bytes_a_second = 10 * MIB
    track = ann.tracks()["Long Noise"]
    ann.heart(track)
    wait_for_part(running, 6 * MIB)

    line.cut()
    line.bytes_a_second = None

    there = running.wait_for("Long Noise", "completed")
    assert sha256((stick / there["file_path"]).read_bytes()) == sha256(ann.bytes_of(track))
    assert line.passed < TRACKS["Long Noise"] + 10 * MIB


def test_stopping_in_the_middle_takes_less_than_ten_seconds_and_loses_nothing(
    running: Sidecar, ann: Person, line: SlowLine
) -> None:
    line.bytes_a_second = 4 * MIB
    ann.heart(ann.tracks()["Long Noise"])
    wait_for_part(running, 3 * MIB)

    assert running.stop() == 0

    line.bytes_a_second = None
    running.start()
    there = running.wait_for("Long Noise", "completed")
    assert there["retry_count"] == 0


def test_it_stops_in_time_while_the_server_says_nothing(
    running: Sidecar, ann: Person, line: SlowLine
) -> None:
    line.bytes_a_second = 10 * MIB
    ann.heart(ann.tracks()["Long Noise"])
    wait_for_part(running, 3 * MIB)
    line.bytes_a_second = 1.0
    wait_for_standstill(running)

    assert running.stop() == 0

    line.cut()
    line.bytes_a_second = None
    running.start()
    running.wait_for("Long Noise", "completed")


def wait_for_standstill(running: Sidecar) -> None:
    held: list[int] = [-1]

    def stands() -> bool:
        one = running.by_title("Long Noise")
        assert one is not None
        before, held[0] = held[0], one["bytes_downloaded"]
        return before == held[0]

    wait_until(stands, every_s=1.0, what="a standstill")


def test_a_second_one_on_the_same_data_or_device_refuses_to_start(
    running: Sidecar, tmp_path: Path
) -> None:
    same_data = running.command("run")
    elsewhere = {**running.environ, "SIDECAR_SERVER__DATA_DIR": str(tmp_path / "other")}
    same_device = subprocess.run(
        [sys.executable, "-m", "sidecar", "run"],
        env=elsewhere,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    for refused in (same_data, same_device):
        assert refused.returncode == 1
        assert "Another Jellyfin Sidecar" in refused.stderr


def test_a_wrong_setting_ends_it_with_2_and_says_which(sidecar: Sidecar) -> None:
    sidecar.environ["SIDECAR_TRANSFER__WORKERS"] = "many"

    ended = sidecar.command("run")

    assert ended.returncode == 2
    assert "SIDECAR_TRANSFER__WORKERS = 'many'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_secret_is_left_anywhere(
    running: Sidecar, ann: Person, line: SlowLine, tmp_path: Path
) -> None:
    ann.heart(ann.tracks()["Tone 1"])
    running.wait_for("Tone 1", "completed")
    status = json.loads(running.command("status", "--json").stdout)
    doctor = running.command("doctor")
    database = sqlite3.connect(f"file:{tmp_path / 'data' / 'sidecar.db'}?mode=ro", uri=True)
    dump = "\n".join(database.iterdump())
    database.close()
    running.stop()

    left = running.log.read_text() + dump + json.dumps(status) + doctor.stdout + doctor.stderr
    assert doctor.returncode == 0, doctor.stdout
    assert line.tokens
    for secret in (running.key, ann.token, *line.tokens):
        assert secret not in left
