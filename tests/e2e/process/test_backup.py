"""A backup is made while the sidecar runs; on another machine the same stick stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Person, Sidecar
from tests.e2e.devices.test_player_logs import ask
from tests.fakes.servers.slow_line import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def media(stick: Path) -> dict[str, tuple[int, int]]:
    """What is on the stick; a file that was fetched again has another number."""
    return {
        one.relative_to(stick).as_posix(): (one.stat().st_ino, one.stat().st_mtime_ns)
        for one in stick.rglob("*.flac")
    }


def test_with_the_same_stick_on_another_machine_nothing_moves(
    running: Sidecar, ann: Person, stick: Path, tmp_path: Path
) -> None:
    titles = ("Tone 1", "Tone 2")
    ask(running, "POST", "/downloads", {"item_ids": [ann.tracks()[one] for one in titles]})
    before = [running.wait_for(one, "completed") for one in titles]
    file, words = tmp_path / "backup.zip", tmp_path / "words"
    words.write_text("correct horse battery\n")

    made = running.command("backup", str(file), "--secrets", "--passphrase-file", str(words))

    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(f"{file}: ")
    refused = running.command("restore", str(file), "--passphrase-file", str(words), "--yes")
    assert (refused.returncode, "is running" in refused.stderr) == (1, True)
    assert running.stop() == 0
    there = media(stick)
    assert len(there) == 2
    # The other machine: another folder, the stick at another place, no password in the settings.
    moved = stick.rename(tmp_path / "usb")
    environ = running.environ
    environ["SIDECAR_SERVER__DATA_DIR"] = str(tmp_path / "other")
    environ["SIDECAR_DEVICES"] = environ["SIDECAR_DEVICES"].replace(str(stick), str(moved))
    del environ["SIDECAR_JELLYFIN__USERNAME"], environ["SIDECAR_JELLYFIN__PASSWORD"]
    other = Sidecar(environ, tmp_path / "other-log", moved, key=running.key)
    done = other.command("restore", str(file), "--passphrase-file", str(words))
    assert done.returncode == 0, done.stderr
    assert "signs in again" not in done.stdout
    try:
        other.start()
        wait_until(lambda: "has 0 favourites" in other.log.read_text(), what="the first look")
        after = [other.wait_for(one, "completed") for one in titles]
        for name in ("id", "device_id", "file_path", "started_at", "completed_at", "reasons"):
            assert [one[name] for one in after] == [one[name] for one in before], name
        assert len(other.downloads()) == 2
    finally:
        assert other.stop() == 0
    assert media(moved) == there
