"""Commands that look for what is not there: another data folder, a file in place of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar import cli
from tests.cli.conftest import used


@pytest.mark.parametrize(
    "command",
    [
        ["api-key", "list", "--account", "ann"],
        ["api-key", "create", "--account", "ann", "--label", "script"],
        ["api-key", "revoke", "1"],
        ["join-code"],
        ["backup", "{house}/state.zip"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_data_folder_that_was_never_used_is_said_and_stays_so(
    house: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([one.format(house=house) for one in command]) == 1

    assert "the sidecar has never run with this data folder" in capsys.readouterr().err
    assert list(house.iterdir()) == []


def test_a_backup_into_a_folder_that_is_not_there_names_it(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used(house).close()

    assert cli.main(["backup", str(house / "none" / "state.zip")]) == 1

    assert f"There is no folder {house / 'none'}:" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_for_the_demo_is_named(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "file").write_text("no folder")

    assert cli.main(["demo", "--library", str(house / "file" / "library")]) == 1

    assert f"cannot be in {house / 'file' / 'library'}: Not a directory" in capsys.readouterr().err
