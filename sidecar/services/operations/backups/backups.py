"""Makes a backup of the whole state, and restores one; no sidecar needs to run for it.

    back_up   database in use ── consistent copy ── without secrets? ──▶ ZIP, renamed when whole
    restore   ZIP or copy of the database ── checked ──▶ data folder, in place of what was there

Devices are not touched, neither then nor afterwards: the database knows them by their markers and
finds its files where they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, SecretStr

from sidecar.errors import SidecarError
from sidecar.messages import msg
from sidecar.process import private_files
from sidecar.services.operations.backups.archive import (
    LONGEST_SECRETS,
    Archive,
    Manifest,
    open_archive,
    write_archive,
)
from sidecar.services.operations.backups.sealing import seal, unseal
from sidecar.store.backup import copy_database
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.store.place import Place

SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the state of a sidecar is.

    Attributes:
        database: The database's file, which may not exist yet.
        server: Where the database is instead, if it is on a server.
        key: The file with the key that encrypts the stored tokens.
        config: The settings file, or where it belongs if there is none.
    """

    database: Path
    key: Path
    config: Path
    server: PostgresqlAddress | None = None

    @property
    def place(self) -> Place:
        """Where the database is."""
        return Place(self.database, self.server)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        made_at: When the backup was made; None for a bare copy of the database.
        before: Where the database is now that was there before.
        has_tokens: Whether the accounts' sign-ins came with it.
        config: Where the settings file was written; None if none came or one was there.
        config_left: The settings file that was there and is not replaced.
    """

    made_at: datetime | None
    before: Path | None
    has_tokens: bool
    config: Path | None = None
    config_left: Path | None = None


class _Secrets(BaseModel):
    """What is encrypted in a backup; None for what did not exist."""

    key: str | None
    config: str | None


def back_up(
    installation: Installation, to: Path, *, passphrase: SecretStr | None, now: datetime
) -> Manifest:
    """Write a backup; with secrets if there is a passphrase to encrypt them.

    Raises:
        SidecarError: It could not be made; `to` exists already, or the database is not sound.
    """
    if to.exists():
        raise SidecarError(msg("{path} exists already: choose another name", path=to))
    with _writing(to), _draft(to, ".database") as copy:
        schema = installation.place.copy_to(copy, with_secrets=passphrase is not None)
        manifest = Manifest.of(
            copy, schema_step=schema, has_secrets=passphrase is not None, now=now
        )
        described = manifest.encode()
        sealed = None
        if passphrase is not None:
            secrets = _read_secrets(installation).model_dump_json().encode()
            sealed = seal(secrets, passphrase, bound_to=described)
        with _draft(to, ".draft") as draft:
            with draft.open("wb") as file:
                write_archive(file, described, copy, sealed)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(to)
    return manifest


def restore(
    installation: Installation, source: Path, *, passphrase: SecretStr | None, now: datetime
) -> Restored:
    """Put a backup, or a bare copy of the database, in place of the present state.

    Args:
        installation: What is replaced; the database and key that are there stay beside the new.
        source: The file.
        passphrase: Opens the secrets of the backup; None to go without them.
        now: Goes into the names of what was replaced.

    Raises:
        AlreadyRunning: A sidecar runs on the data folder.
        SidecarError: The backup cannot be used; nothing was changed.
    """
    with _writing(source), source.open("rb") as file:
        is_bare = file.read(len(SQLITE)) == SQLITE
    with installation.place.replacing():
        if is_bare:
            return _restore_bare(installation, source, now)
        with open_archive(source) as archive:
            return _restore_archive(installation, archive, passphrase, now)


def has_secrets(source: Path) -> bool:
    """Whether a passphrase is needed to restore everything in a backup.

    Raises:
        SidecarError: It cannot be read, or is no backup.
    """
    with _writing(source), source.open("rb") as file:
        if file.read(len(SQLITE)) == SQLITE:
            return False
    with open_archive(source) as archive:
        return archive.manifest.has_secrets


def _restore_bare(installation: Installation, source: Path, now: datetime) -> Restored:
    """Restore a copy of the database, such as one from before a migration, or a daily one."""
    with _draft(installation.database, ".restored") as draft:
        copy_database(source, draft, with_secrets=True)
        before = installation.place.put_back(draft, now)
    return Restored(None, before, has_tokens=installation.key.exists())


def _restore_archive(
    installation: Installation, archive: Archive, passphrase: SecretStr | None, now: datetime
) -> Restored:
    secrets = _Secrets(key=None, config=None)
    if passphrase is not None and archive.manifest.has_secrets:
        opened = unseal(archive.sealed, passphrase, bound_to=archive.manifest_bytes)
        secrets = _Secrets.model_validate_json(opened)
    with _draft(installation.database, ".restored") as draft:
        archive.extract_database(draft)
        before = installation.place.put_back(draft, now)
    with _writing(installation.key):
        if secrets.key is not None:
            _replace_key(installation.key, secrets.key.encode(), now)
        written = left = None
        if secrets.config is not None and installation.config.exists():
            left = installation.config
        elif secrets.config is not None:
            written = installation.config
            private_files.write(written, secrets.config.encode())
    return Restored(
        archive.manifest.made_at, before, secrets.key is not None, config=written, config_left=left
    )


def _read_secrets(installation: Installation) -> _Secrets:
    def read(path: Path) -> str | None:
        if not path.is_file():
            return None
        content = path.read_bytes()
        if len(content) > LONGEST_SECRETS // 4:
            raise SidecarError(msg("{path} is far too long to be what it should be", path=path))
        return content.decode()

    return _Secrets(key=read(installation.key), config=read(installation.config))


def _replace_key(path: Path, key: bytes, now: datetime) -> None:
    """Write the key; one that is there already and differs stays beside it."""
    if path.exists():
        if path.read_bytes() == key:
            return
        path.rename(path.with_name(f"{path.name}.replaced-{now:%Y-%m-%dT%H-%M-%S}"))
    private_files.write(path, key)


@contextmanager
def _draft(beside: Path, suffix: str) -> Iterator[Path]:
    """Make an empty private file beside another, and remove it at the end if it is still there."""
    draft = beside.with_name(f"{beside.name}{suffix}")
    draft.unlink(missing_ok=True)
    private_files.write(draft, b"")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of the file system into sentences."""
    try:
        yield
    except OSError as error:
        raise SidecarError(
            msg(
                "{path} cannot be used: {reason}",
                path=error.filename or path,
                reason=error.strerror or error,
            )
        ) from error
    except UnicodeDecodeError:
        raise SidecarError(
            msg("The settings file or the key is not UTF-8; nothing was written")
        ) from None
