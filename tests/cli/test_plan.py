from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar import cli
from tests.cli.conftest import used


def test_before_the_first_run_there_is_nothing_to_plan(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plan"]) == 0
    assert "never used" in capsys.readouterr().out
    assert list(house.iterdir()) == []


def test_it_prints_what_comes_and_what_does_not_beside_a_running_sidecar(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = used(house)
    before = sorted((house / "stick").rglob("*"))
    try:
        assert cli.main(["plan"]) == 0
        text = capsys.readouterr().out
        assert cli.main(["plan", "--json"]) == 0
        (told,) = json.loads(capsys.readouterr().out)["devices"]
    finally:
        db.close()

    assert text.startswith("Car stick: 1 come (12 kB), 0 go (0 bytes), 1 have no room\n")
    assert "  + Tone 1" in text
    assert "  ! Tone 2" in text
    assert [one["title"] for one in told["adds"]] == ["Tone 1"]
    (refused,) = told["refusals"]
    assert (refused["title"], refused["code"], refused["is_final"]) == ("Tone 2", "too-big", True)
    assert sorted((house / "stick").rglob("*")) == before


def test_a_device_that_is_not_there_is_said(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used(house).close()
    (house / "stick").rename(house / "elsewhere")

    assert cli.main(["plan"]) == 0
    assert "Car stick: " in (told := capsys.readouterr().out)
    assert "come" not in told
