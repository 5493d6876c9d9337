"""A database is lost; the stick is still there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Person, Sidecar
from tests.e2e.devices.test_player_logs import ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def lost(running: Sidecar, ann: Person, tmp_path: Path) -> list[dict[str, Any]]:
    """Two tracks have come to the stick; then the data folder is gone, and ann signs in anew."""
    wanted = [ann.tracks()[title] for title in ("Tone 1", "Tone 2")]
    ask(running, "POST", "/downloads", {"item_ids": wanted})
    rows = [running.wait_for(title, "completed") for title in ("Tone 1", "Tone 2")]
    running.stop()
    shutil.rmtree(tmp_path / "data")
    assert running.command("sign-in").returncode == 0
    return rows


def write_manifest(stick: Path, rows: list[dict[str, Any]], **changes: object) -> None:
    """Leave the manifest that a device has."""
    marker = json.loads((stick / ".sidecar" / "device.json").read_text())
    files = [
        {
            "item_id": one["item_id"],
            "path": one["file_path"],
            "size": one["bytes_downloaded"],
            "content_hash": one["content_hash"],
            "title": one["title"],
            "artist": one["artist"],
            "album": one["album"],
            "kind": one["item_type"],
            "completed_at": one["completed_at"],
        }
        for one in rows
    ]
    said = {"version": 1, "server_id": None, "device_id": marker["id"], "files": files}
    (stick / ".sidecar" / "manifest.json").write_text(json.dumps({**said, **changes}))


def adopt(sidecar: Sidecar, *words: str) -> dict[str, Any]:
    done = sidecar.command("adopt", "--json", *words)
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["devices"]
    assert isinstance(found, dict)
    return found


def paths(found: dict[str, Any]) -> list[str]:
    return sorted(one["path"] for one in found["adopted"])


def test_without_a_manifest_size_and_place_are_enough(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    (stick / ".sidecar" / "manifest.json").unlink(missing_ok=True)
    trial = adopt(running, "--dry-run")
    first, second = adopt(running), adopt(running)

    ours = sorted(one["file_path"] for one in lost)
    assert paths(trial) == paths(first) == ours
    assert (paths(second), second["known"], first["manifest"]) == ([], 2, False)


def test_with_a_manifest_the_rows_are_what_they_were_and_nothing_is_fetched(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    write_manifest(stick, lost)

    found = adopt(running, "--check")

    assert found["manifest"]
    assert not found["not_adopted"]
    running.start()
    running.get_key("ann")
    again = [running.wait_for(title, "completed") for title in ("Tone 1", "Tone 2")]
    for before, after in zip(lost, again, strict=True):
        for name in ("item_id", "device_id", "file_path", "content_hash", "album"):
            assert after[name] == before[name], name
        assert [one["rule"] for one in after["reasons"]] == ["pin"]
        assert after["started_at"] is None, "it was fetched again"


def test_a_damaged_file_is_found_by_its_bytes_if_asked_and_an_edited_one_in_any_case(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    write_manifest(stick, lost)
    broken = stick / lost[1]["file_path"]
    content = bytearray(broken.read_bytes())
    content[len(content) // 3] ^= 1
    written = broken.stat().st_mtime
    broken.write_bytes(content)
    os.utime(broken, (written, written))

    quick = adopt(running, "--dry-run")
    os.utime(broken, (written + 60, written + 60))
    edited = adopt(running, "--dry-run")
    os.utime(broken, (written, written))
    careful = adopt(running, "--check")

    assert len(quick["adopted"]) == 2
    assert paths(edited) == [lost[0]["file_path"]]
    assert paths(careful) == [lost[0]["file_path"]]
    assert careful["not_adopted"] == [
        {"path": lost[1]["file_path"], "why": "its bytes are not those that we wrote"}
    ]
    assert broken.read_bytes() == content


def test_what_is_gone_changed_or_from_elsewhere_is_told(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    write_manifest(stick, [*lost, {**lost[0], "item_id": "f" * 32, "file_path": "../x.flac"}])
    (stick / lost[0]["file_path"]).unlink()
    with (stick / lost[1]["file_path"]).open("ab") as file:
        file.write(b"more")

    found = adopt(running)

    assert found["adopted"] == []
    assert {one["path"]: one["why"] for one in found["not_adopted"]} == {
        "../x.flac": "the manifest names a place that files of ours never have",
        lost[0]["file_path"]: "it is not there any more",
        lost[1]["file_path"]: "it has another size than the file we wrote",
    }


def test_the_ids_of_another_server_mean_nothing_and_the_files_are_known_all_the_same(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    swapped = [
        {**one, "item_id": other["item_id"]} for one, other in zip(lost, lost[::-1], strict=True)
    ]
    write_manifest(stick, swapped, server_id="f" * 32)
    server = adopt(running, "--dry-run", "--check")
    write_manifest(stick, lost, device_id="another")
    device = adopt(running, "--dry-run")

    assert server["not_adopted"] == []
    assert {one["path"]: one["item_id"] for one in server["adopted"]} == {
        one["file_path"]: one["item_id"] for one in lost
    }
    assert device["remark"] == "Its manifest is not used: it is that of another device"
    assert len(device["adopted"]) == 2


def test_who_holds_nothing_leaves_it_to_the_rules(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    adopt(running, "--unheld", "--account", "ann")

    running.start()
    running.get_key("ann")
    assert running.wait_for("Tone 1", "completed")["reasons"] == []


def test_the_manifest_is_enough_while_jellyfin_is_away(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    write_manifest(stick, lost)
    running.environ["SIDECAR_JELLYFIN__URL"] = "http://127.0.0.1:9"

    assert len(adopt(running)["adopted"]) == 2


def test_wrong_use_and_trouble_have_their_codes(
    lost: list[dict[str, Any]], running: Sidecar, stick: Path
) -> None:
    assert running.command("adopt", "--device", "Nothing").returncode == 2
    nobody = running.command("adopt", "--account", "nobody")
    assert (nobody.returncode, nobody.stderr.count("\n")) == (1, 1)
    stick.rename(stick.with_name("away"))
    away = running.command("adopt")
    assert away.returncode == 1
    assert "Car stick is not there" in away.stderr


def test_a_running_sidecar_is_not_disturbed(running: Sidecar) -> None:
    done = running.command("adopt")

    assert done.returncode == 1
    assert "Another Jellyfin Sidecar is running" in done.stderr
