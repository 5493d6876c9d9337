"""What doctor says of Syncthing's folders, asked of a real Syncthing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.config import DeviceSettings, Settings
from sidecar.config.settings import SyncthingSettings
from sidecar.domain.syncthing.stignore import LINE
from sidecar.services.operations.doctor import CheckResult, run_checks
from sidecar.services.operations.syncthing_checks import checks_of_syncthing
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import FOLDER, OneSyncthing

pytestmark = pytest.mark.slow

Both = tuple[OneSyncthing, OneSyncthing]
PLACE = f"config/folders/{FOLDER}"
VERSIONS = (
    "The folder Music keeps what other devices delete or replace: that takes room on the device "
    "which no limit counts"
)


@pytest.fixture
def home(syncthings: Both) -> Iterator[OneSyncthing]:
    """The Syncthing of this machine, which is as it was afterwards."""
    home, phone = syncthings
    # A test before may have paused the phone.
    home.wait_for(phone)
    before = home.ask("GET", PLACE)
    (home.folder / ".stignore").write_text(f"{LINE}\n")
    home.scan()
    yield home
    home.ask("PATCH", f"config/devices/{phone.id}", {"paused": False})
    home.ask("PUT", PLACE, before)
    (home.folder / ".stignore").unlink()
    (home.folder / ".stfolder").mkdir(exist_ok=True)
    home.scan()


def look(
    one: OneSyncthing, *files: str, key: str | None = None, **device: object
) -> Sequence[CheckResult]:
    """Return what is found of a device in its folder, and of Syncthing itself first."""
    settings = Settings(
        syncthing=SyncthingSettings(
            url=one.url, api_key=SecretStr(key or one.key), certificate=one.certificate
        ),
        devices=(DeviceSettings.model_validate({"name": "Music", "path": one.folder, **device}),),
    )
    return list(run_checks(checks_of_syncthing(settings, lambda _name: files)))


def wrong(found: Sequence[CheckResult]) -> list[str]:
    assert all(one.way_out is None or one.way_out.text for one in found)
    return [one.text for one in found if not one.is_well]


def test_a_folder_that_is_well_says_with_whom_it_is_shared(home: OneSyncthing) -> None:
    (home.folder / "known.flac").write_bytes(b"1")
    home.scan()

    asked, folder = look(home, "known.flac")

    assert asked.text == f"Answers at {home.url}"
    assert (folder.subject, folder.is_well) == ("Syncthing and Music", True)
    assert folder.text == "The folder Music is shared with Ann's phone"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"paused": True}, ["The folder Music is paused: nothing of it is sent"]),
        (
            {"type": "receiveonly"},
            ["The folder Music only receives: what arrives here is sent to nobody"],
        ),
        ({"devices": []}, ["The folder Music is shared with nobody"]),
        (
            {"versioning": {"type": "simple", "params": {"keep": "5"}}},
            [VERSIONS],
        ),
    ],
)
def test_a_folder_that_is_set_up_otherwise_says_so(
    home: OneSyncthing, change: dict[str, object], said: list[str]
) -> None:
    home.ask("PATCH", PLACE, change)

    assert wrong(look(home)) == said


def test_files_that_are_hidden_and_unfinished_ones_that_are_not(home: OneSyncthing) -> None:
    (home.folder / ".stignore").write_text("*.flac\n")
    for name in ("hidden.flac", "shown.mp3"):
        (home.folder / name).write_bytes(b"1")
    home.scan()

    assert wrong(look(home, "hidden.flac", "shown.mp3")) == [
        "Syncthing does not know 1 download in the folder Music",
        "Our unfinished files travel with the folder Music: the line /.sidecar is missing",
    ]


def test_a_peer_that_is_paused(home: OneSyncthing, syncthings: Both) -> None:
    _, phone = syncthings
    home.ask("PATCH", f"config/devices/{phone.id}", {"paused": True})

    assert wrong(look(home)) == ["Nothing of the folder Music is sent to Ann's phone: paused"]


def test_a_folder_that_has_stopped_says_why(home: OneSyncthing) -> None:
    (home.folder / ".stfolder").rmdir()
    # It is told to look, and does not want to.
    with pytest.raises(AssertionError):
        home.scan()

    wait_until(lambda: wrong(look(home)) != [], what="it has stopped")
    [stopped] = wrong(look(home))
    assert stopped.startswith("The folder Music has stopped: folder marker missing")


def test_one_that_cannot_be_asked_and_a_device_in_no_folder(
    home: OneSyncthing, tmp_path: Path
) -> None:
    assert "refuses the API key" in wrong(look(home, key="none"))[0]
    assert len(look(home, key="none")) == 1
    assert look(home, path=tmp_path)[1].text == "Music lies in no folder of Syncthing"
    assert "knows no folder other" in wrong(look(home, syncthing_folder="other"))[0]
    assert list(checks_of_syncthing(Settings(), lambda _name: ())) == []
