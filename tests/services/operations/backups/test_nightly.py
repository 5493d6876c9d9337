"""Nightly backups: one each night, a few kept, and a failure that admins hear of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from sidecar.config import BackupSettings, NetworkSettings, Settings
from sidecar.services.accounts.person import Person
from sidecar.services.health.problems import Problems
from sidecar.services.operations.backups.archive import open_archive
from sidecar.services.operations.backups.backups import Installation
from sidecar.services.operations.backups.nightly import TRY_AGAIN_S, NightlyBackups
from tests.fakes.clock import FakeClock
from tests.services.conftest import World, opened

HOUR = 3600.0
ADMIN = Person("a" * 32, "ann", is_admin=True)
CHILD = Person("b" * 32, "ben", is_admin=False)


@dataclass
class Night:
    world: World
    backups: NightlyBackups
    settings: Settings
    folder: Path

    def change(self, **values: object) -> None:
        backup = BackupSettings.model_validate(
            {"nightly": True, "at": time(3, 30), "folder": self.folder, "keep": 2, **values}
        )
        self.settings = self.settings.model_copy(update={"backup": backup})

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("jellyfin-sidecar-nightly-*.zip"))


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    folder = tmp_path / "other disk"
    folder.mkdir()
    with opened(tmp_path, FakeClock(datetime(2026, 11, 1, 12, 0, tzinfo=UTC))) as world:
        data = tmp_path / "data"
        made = Night(
            world,
            NightlyBackups(
                settings=lambda: made.settings,
                installation=Installation(
                    data / "sidecar.db", data / "token.key", data / "config.toml"
                ),
                meta=world.meta,
                problems=Problems(world.bus),
                clock=world.clock,
            ),
            Settings(network=NetworkSettings(time_zone="UTC")),
            folder,
        )
        made.change()
        yield made


def test_one_is_made_each_night_and_a_few_are_kept(night: Night) -> None:
    other = night.folder / "jellyfin-sidecar-nightly-another-2020-01-01T00-00-00.zip"
    other.write_bytes(b"of another machine")
    by_hand = night.folder / "jellyfin-sidecar-2020-01-01T00-00-00.zip"
    by_hand.write_bytes(b"by hand")
    for _ in range(4 * 24):
        night.backups.step()
        night.world.clock.advance(HOUR)

    ours = [one for one in night.files if one != other]
    days = [one.name[-23:-4] for one in ours]
    # At noon, when it was switched on, then each night in the first step after half past three.
    assert days == ["2026-11-04T04-00-00", "2026-11-05T04-00-00"]
    assert other.read_bytes() == b"of another machine"
    assert by_hand.read_bytes() == b"by hand"
    view = night.backups.view()
    assert (view.is_on, view.kept, view.trouble) == (True, 2, None)
    assert view.last_bytes == ours[-1].stat().st_size
    with open_archive(ours[-1]) as archive:
        assert not archive.manifest.has_secrets


def test_it_makes_none_unless_it_is_switched_on(night: Night) -> None:
    night.change(nightly=False)
    night.backups.step()

    assert night.files == []
    night.backups.make()
    night.backups.make()
    assert len(night.files) == 1


def test_a_folder_that_is_not_there_is_never_made_and_admins_hear_of_it(night: Night) -> None:
    night.folder.rmdir()

    night.backups.step()

    assert not night.folder.exists()
    notices = night.backups.notices(ADMIN)
    assert [one.kind for one in notices] == ["backup"]
    assert "other disk is not there" in notices[0].text
    assert night.backups.notices(CHILD) == ()
    night.folder.mkdir()
    night.backups.step()
    assert night.files == []
    night.world.clock.advance(TRY_AGAIN_S)
    night.backups.step()
    assert len(night.files) == 1
    assert night.backups.notices(ADMIN) == ()


def test_without_a_folder_of_its_own_it_makes_one_beside_the_database(night: Night) -> None:
    night.change(folder=None)

    night.backups.step()

    [file] = (night.world.db.path.parent / "backups").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_with_a_passphrase_the_secrets_are_in_it(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.services.operations.backups.sealing.COST", 2**4)
    night.change(passphrase="correct horse battery")

    night.backups.step()

    with open_archive(night.files[0]) as archive:
        assert archive.manifest.has_secrets


def test_the_folder_is_read_only_when_one_may_be_due(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.backups.step()
    read: list[Path] = []
    iterdir = Path.iterdir

    def note(folder: Path) -> Iterator[Path]:
        read.append(folder)
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", note)

    for _ in range(10):
        night.world.clock.advance(HOUR)
        night.backups.step()
    assert read == []

    night.world.clock.advance(14 * HOUR)
    night.backups.step()
    assert set(read) == {night.folder}
    assert len(night.files) == 2
