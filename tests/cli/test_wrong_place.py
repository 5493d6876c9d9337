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


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["demo", "--port", "65536"], "--port: must be a number from 0 to 65535"),
        (["demo", "--port", "x"], "--port: must be a number from 0 to 65535"),
        (["api-key", "revoke", str(2**63)], f"ID: must be a number from 1 to {2**63 - 1}"),
        (["api-key", "revoke", "²"], f"ID: must be a number from 1 to {2**63 - 1}"),
        (["api-key", "revoke", "1" * 5000], f"ID: must be a number from 1 to {2**63 - 1}"),
    ],
)
def test_a_number_that_cannot_be_is_wrong_use(
    house: Path, command: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    used(house).close()

    with pytest.raises(SystemExit) as ended:
        cli.main(command)

    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_backup_into_a_folder_that_is_not_there_names_it(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used(house).close()

    assert cli.main(["backup", str(house / "none" / "state.zip")]) == 1

    assert f"There is no folder {house / 'none'}:" in capsys.readouterr().err


def test_a_data_folder_in_which_the_demo_cannot_be_kept_is_named(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "data").write_text("no folder")
    monkeypatch.delenv("SIDECAR_JELLYFIN__URL")
    monkeypatch.delenv("SIDECAR_DEVICES")
    monkeypatch.setenv("SIDECAR_SERVER__PORT", "0")

    assert cli.main(["run"]) == 1

    assert f"cannot be kept in {house / 'data' / 'demo'}: Not a dir" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_for_the_demo_is_named(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "file").write_text("no folder")

    assert cli.main(["demo", "--library", str(house / "file" / "library")]) == 1

    assert f"cannot be in {house / 'file' / 'library'}: Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--label", "script", "--days", "soon"], "must be a number from 1 to"),
        (["--label", "script", "--days", "0"], "must be a number from 1 to"),
        (["--label", " "], "must say what the key is for"),
    ],
)
def test_what_a_key_cannot_have_is_said_in_words(
    house: Path, capsys: pytest.CaptureFixture[str], words: list[str], refusal: str
) -> None:
    used(house).close()

    with pytest.raises(SystemExit):
        cli.main(["api-key", "create", "--account", "ann", *words])

    assert refusal in capsys.readouterr().err
