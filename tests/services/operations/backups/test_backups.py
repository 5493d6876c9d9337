"""A backup holds everything but what is secret, and a restore replaces all or nothing."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.errors import AlreadyRunning, SidecarError
from sidecar.services.operations.backups import archive, sealing
from sidecar.services.operations.backups.backups import Installation, Restored, back_up, restore
from sidecar.services.operations.backups.sealing import seal, unseal
from sidecar.store.database import Database
from sidecar.store.meta import Meta
from sidecar.store.schema.migrations import STEPS, migrate
from tests.fakes.clock import START, FakeClock
from tests.store.schema.test_upgrades import content, written

PASSPHRASE = SecretStr("correct horse battery")
# What must be in no backup without secrets: tokens, hashes of keys and sessions, sealed settings.
CANARIES = {
    "token": b"CANARY-TOKEN",
    "session": b"CANARY-SESSION-OF-A-BROWSER-12345",
    "key": b"CANARY-HASH-OF-AN-API-KEY-1234567",
    "setting": b"CANARY-SEALED-SETTING",
    "key file": b"CANARY-KEY-FILE",
    "config": b"CANARY-PASSWORD",
}


def installation(folder: Path) -> Installation:
    return Installation(folder / "sidecar.db", folder / "token.key", folder / "config.toml")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a passphrase costs is meant to be seconds; `tests/e2e` pays it."""
    monkeypatch.setattr(sealing, "COST", 2**4)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """A sidecar with something in every table."""
    made = installation(tmp_path / "here")
    made.database.parent.mkdir()
    written(made.database, len(STEPS))
    with closing(sqlite3.connect(made.database)) as connection:
        connection.execute("UPDATE accounts SET token_encrypted = ?", (CANARIES["token"],))
        connection.execute("UPDATE sessions SET id_hash = ?", (CANARIES["session"],))
        connection.execute("UPDATE push_subscriptions SET session_hash = ?", (CANARIES["session"],))
        connection.execute("UPDATE api_keys SET key_hash = ?", (CANARIES["key"],))
        sealed = '{"sealed": "' + CANARIES["setting"].decode() + '"}'
        connection.execute("INSERT INTO page_settings VALUES ('jellyfin.password', ?)", (sealed,))
        connection.commit()
    made.key.write_bytes(CANARIES["key file"])
    made.key.chmod(0o600)
    made.config.write_bytes(b'[jellyfin]\npassword = "' + CANARIES["config"] + b'"\n')
    return made


@pytest.fixture
def there(tmp_path: Path) -> Installation:
    """Another machine, where nothing is yet."""
    return installation(tmp_path / "there")


def make(here: Installation, to: Path, passphrase: SecretStr | None = None) -> Path:
    back_up(here, to, passphrase=passphrase, now=START)
    return to


def bring(there: Installation, source: Path, passphrase: SecretStr | None = None) -> Restored:
    return restore(there, source, passphrase=passphrase, now=START)


def unpacked(path: Path) -> bytes:
    with zipfile.ZipFile(path) as opened:
        return b"\n".join(opened.read(name) for name in opened.namelist())


TABLES = {"downloads": ["*"], "holds": ["*"], "plays": ["*"], "devices": ["*"], "owned": ["*"]}


def test_without_secrets_there_are_none_in_it_and_everything_else_is(
    here: Installation, there: Installation, tmp_path: Path
) -> None:
    file = make(here, tmp_path / "some.zip")

    found = unpacked(file)
    assert [name for name, canary in CANARIES.items() if canary in found] == []
    assert file.stat().st_mode & 0o077 == 0
    done = bring(there, file)
    assert done == Restored(START, None, has_tokens=False)
    assert content(there.database, TABLES) == content(here.database, TABLES)
    accounts = content(there.database, {"accounts": ["state", "token_encrypted"]})["accounts"]
    assert accounts == {("signed-out", None)}
    assert content(there.database, {"page_settings": ["key"]})["page_settings"] == {
        ("transfer.workers",)
    }
    assert sorted(one.name for one in there.database.parent.iterdir()) == [
        "sidecar.db",
        "sidecar.db.exists",
        "sidecar.lock",
    ]


def test_with_secrets_they_are_there_for_who_knows_the_passphrase(
    here: Installation, there: Installation, tmp_path: Path
) -> None:
    file = make(here, tmp_path / "some.zip", PASSPHRASE)

    found = unpacked(file)
    assert [one for one in ("session", "key file", "config") if CANARIES[one] in found] == []
    with pytest.raises(SidecarError, match="does not fit"):
        bring(there, file, SecretStr("incorrect horse"))
    assert not there.database.exists()
    done = bring(there, file, PASSPHRASE)
    assert (done.has_tokens, done.config) == (True, there.config)
    assert there.key.read_bytes() == here.key.read_bytes()
    assert there.key.stat().st_mode & 0o077 == 0
    assert there.config.read_bytes() == here.config.read_bytes()
    kept = {"accounts": ["*"], "api_keys": ["*"], "page_settings": ["*"]}
    assert content(there.database, kept) == content(here.database, kept)
    assert content(there.database, {"sessions": ["*"]})["sessions"] == set()


def test_the_secrets_are_of_no_use_beside_another_database(
    here: Installation, there: Installation, tmp_path: Path
) -> None:
    """Who can change the file must not put accounts of their own beside our key."""
    real, other = make(here, tmp_path / "some.zip", PASSPHRASE), tmp_path / "other.zip"
    with closing(sqlite3.connect(here.database)) as connection:
        connection.execute("UPDATE accounts SET is_admin = 1")
        connection.commit()
    make(here, tmp_path / "changed.zip", SecretStr("their own words"))
    with (
        zipfile.ZipFile(tmp_path / "changed.zip") as theirs,
        zipfile.ZipFile(real) as ours,
        zipfile.ZipFile(other, "w") as mixed,
    ):
        for name in (archive.MANIFEST, archive.DATABASE):
            mixed.writestr(name, theirs.read(name))
        mixed.writestr(archive.SECRETS, ours.read(archive.SECRETS))

    with pytest.raises(SidecarError, match="the file was changed"):
        bring(there, other, PASSPHRASE)


def test_a_backup_of_a_sidecar_that_writes_meanwhile_is_of_one_moment(
    there: Installation, tmp_path: Path, clock: FakeClock
) -> None:
    here = installation(tmp_path / "here")
    db = Database.open(here.database, clock=clock)
    Meta(db).set("word", "committed")
    with db.write():
        Meta(db).set("word", "not yet")
        Meta(db).set("other", "not yet")
        file = make(here, tmp_path / "some.zip")
    db.close()

    bring(there, file)

    assert content(there.database, {"meta": ["key", "value"]})["meta"] == {("word", "committed")}


def test_what_was_there_stays_beside_it(
    here: Installation, there: Installation, tmp_path: Path, clock: FakeClock
) -> None:
    file = make(here, tmp_path / "some.zip", PASSPHRASE)
    db = Database.open(there.database, clock=clock)
    Meta(db).set("word", "theirs")
    there.key.write_bytes(b"their key")
    there.config.write_text("theirs")
    with pytest.raises(AlreadyRunning):
        bring(there, file, PASSPHRASE)
    db.close()

    done = bring(there, file, PASSPHRASE)

    assert done.before is not None
    assert content(done.before, {"meta": ["value"]})["meta"] == {("theirs",)}
    stamp = f"{START:%Y-%m-%dT%H-%M-%S}"
    assert done.before.name == f"sidecar.db.replaced-{stamp}"
    assert (there.key.parent / f"token.key.replaced-{stamp}").read_bytes() == b"their key"
    assert (there.config.read_text(), done.config, done.config_left) == (
        "theirs",
        None,
        there.config,
    )
    again = Database.open(there.database, clock=clock)
    assert (again.recovery, Meta(again).get("word")) == (None, None)
    again.close()


def test_the_log_of_the_old_database_does_not_get_into_the_new_one(
    here: Installation, there: Installation, tmp_path: Path, clock: FakeClock
) -> None:
    """SQLite would believe a write-ahead log that is left beside another database."""
    file = make(here, tmp_path / "some.zip")
    there.database.parent.mkdir()
    migrate(there.database)
    # As after a kill: the last change is in the log only.
    left = sqlite3.connect(there.database)
    left.execute("PRAGMA wal_autocheckpoint = 0")
    left.execute("INSERT INTO meta VALUES ('word', 'old')")
    left.commit()
    parts = {one: one.read_bytes() for one in there.database.parent.glob("sidecar.db*")}
    left.close()
    for part, body in parts.items():
        part.write_bytes(body)
    assert there.database.with_name("sidecar.db-wal").stat().st_size > 0

    done = bring(there, file)

    assert content(there.database, {"meta": ["key"]})["meta"] == {("server_id",)}
    assert done.before is not None
    assert content(done.before, {"meta": ["key"]})["meta"] == {("word",)}


def test_a_copy_from_before_an_update_is_the_way_back(here: Installation, clock: FakeClock) -> None:
    before = content(here.database, TABLES)
    migrate(here.database, (*STEPS, ("CREATE TABLE tomorrow (x)", "DELETE FROM holds")))
    copy = here.database.with_name(f"sidecar.db.before-{len(STEPS) + 1}")
    with pytest.raises(SidecarError, match=f"jellyfin-sidecar restore {copy}"):
        Database.open(here.database, clock=clock)

    done = bring(here, copy)

    assert done.before is not None
    assert content(done.before, {"tomorrow": ["x"]}) == {"tomorrow": set()}
    Database.open(here.database, clock=clock).close()
    assert content(here.database, TABLES) == before


def newer_schema(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")


def not_ours(file: Path) -> None:
    file.write_bytes(b"Dear diary" * 1000)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def other_bytes(file: Path) -> None:
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)


def absent(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("harm", [not_ours, cut_short, other_bytes, absent])
def test_what_cannot_be_restored_changes_nothing(
    here: Installation, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    file = make(here, tmp_path / "some.zip")
    before = {one: one.read_bytes() for one in here.key.parent.iterdir()}
    harm(file)

    with pytest.raises(SidecarError, match=r"some\.zip"):
        bring(here, file)

    after = {one: one.read_bytes() for one in here.key.parent.iterdir()}
    after.pop(here.key.with_name("sidecar.lock"), None)
    assert after == before


def test_a_newer_sidecars_backup_says_so(
    here: Installation, there: Installation, tmp_path: Path
) -> None:
    copy = tmp_path / "some.db"
    copy.write_bytes(here.database.read_bytes())
    newer_schema(copy)

    with pytest.raises(SidecarError, match="written by a newer Jellyfin Sidecar"):
        bring(there, copy)
    assert not there.database.exists()


def test_nothing_is_written_over(here: Installation, tmp_path: Path) -> None:
    file = tmp_path / "some.zip"
    file.write_text("holidays")

    with pytest.raises(SidecarError, match="exists already"):
        make(here, file)
    with pytest.raises(SidecarError, match="at least 10"):
        make(here, tmp_path / "other.zip", SecretStr("short"))

    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["some.zip"]


def test_what_is_sealed_twice_differs() -> None:
    first, second = (seal(b"secret", PASSPHRASE, bound_to=b"this") for _ in range(2))

    assert first != second
    assert unseal(first, PASSPHRASE, bound_to=b"this") == b"secret"
    for sealed, bound_to in ((first[:20], b"this"), (first, b"that")):
        with pytest.raises(SidecarError, match="does not fit"):
            unseal(sealed, PASSPHRASE, bound_to=bound_to)
