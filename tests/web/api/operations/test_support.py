"""The support file has what helps, and nothing that opens a door."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.cli import main
from sidecar.config import JellyfinSettings, Settings
from sidecar.services.health.problems import Problem, ProblemKind
from tests.fakes.clock import FakeClock
from tests.web.house import ANN, EVE, web_house

CANARY = "zebra-4711-canary"
FILE_S = f"{CANARY}-of-the-file"
PAGE_S = f"{CANARY}-of-the-page"


def read(body: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {one: archive.read(one).decode() for one in archive.namelist()}


def test_the_admins_page_makes_one_without_any_secret(quick_path: Path, clock: FakeClock) -> None:
    def change(settings: Settings) -> Settings:
        told = {"url": settings.jellyfin.url, "password": SecretStr(FILE_S)}
        return settings.model_copy(update={"jellyfin": JellyfinSettings.model_validate(told)})

    with web_house(quick_path, clock, change=change) as house:
        ann, eve = house.come_in(ANN), house.come_in(EVE)
        assert ann.get("/api/v1/support").status_code == 403
        house.services.configuration.change({"metrics.enabled": True, "metrics.key": PAGE_S})
        secrets = {FILE_S, PAGE_S, f"token of {EVE.name}"}
        text = f"it sent {FILE_S}, {PAGE_S} and Authorization: Bearer token"
        house.recent.emit(logging.LogRecord("x", logging.ERROR, "", 0, text, None, None))
        problem = Problem("server-away", "Jellyfin is away")
        house.services.accounts.problems.note(ProblemKind.SERVER, "jellyfin", problem)

        answer = eve.get("/api/v1/support")

        found = read(answer.data)
        assert answer.mimetype == "application/zip"
        assert "Download a support file" in eve.get("/admin").text
    assert "it sent ********, ********" in found["log.txt"]
    assert json.loads(found["problems.json"])[0]["text"] == "Jellyfin is away"
    assert json.loads(found["settings.json"])["devices"][0]["name"] == "Car stick"
    assert "sidecar_downloads" in found["metrics.txt"]
    assert "peewee" in found["versions.txt"]
    assert not [one for one in secrets for text in found.values() if one in text]
    assert CANARY not in "".join(found.values())


def test_the_command_makes_one_and_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIDECAR_SERVER__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SIDECAR_METRICS__KEY", FILE_S)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    file = tmp_path / "support.zip"

    assert main(["support", str(file)]) == 0
    assert main(["support", str(file)]) == 1
    found = read(file.read_bytes())
    assert "Data folder" in found["doctor.txt"]
    assert json.loads(found["status.json"])["running"] is False
    assert CANARY not in "".join(found.values())
    assert file.stat().st_mode & 0o077 == 0
    assert "File exists" in capsys.readouterr().err
