"""The file of a backup: a ZIP archive that says what is in it.

manifest.json   version, schema, time, size and hash of the database
sidecar.db      the database
secrets.bin     if wanted: the key of the tokens and the settings file, encrypted
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from sidecar import __version__
from sidecar.errors import SidecarError
from sidecar.messages import msg

FORMAT = 1
MANIFEST, DATABASE, SECRETS = "manifest.json", "sidecar.db", "secrets.bin"
LONGEST_MANIFEST = 64 * 1024
LONGEST_SECRETS = 2 * 1024 * 1024
BLOCK = 1024 * 1024
# What zipfile raises for an archive that is damaged, encrypted or packed in another way.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)


class Manifest(BaseModel):
    """What a backup says of itself.

    Attributes:
        made_by: The sidecar's version.
        schema_step: The last step of the migrations that the database has.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    format: int
    made_by: str = Field(max_length=100)
    made_at: AwareDatetime
    schema_step: int
    database_size: int = Field(ge=0)
    database_sha256: str
    has_secrets: bool

    @classmethod
    def of(cls, database: Path, *, schema_step: int, has_secrets: bool, now: datetime) -> Manifest:
        """Describe a database."""
        with database.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(
            format=FORMAT,
            made_by=__version__,
            made_at=now,
            schema_step=schema_step,
            database_size=database.stat().st_size,
            database_sha256=digest,
            has_secrets=has_secrets,
        )

    def encode(self) -> bytes:
        """Return it as it stands in the archive."""
        return self.model_dump_json(indent=2).encode()


def write_archive(file: BinaryIO, manifest: bytes, database: Path, sealed: bytes | None) -> None:
    """Write the archive into an open file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, manifest)
        archive.write(database, DATABASE)
        if sealed is not None:
            archive.writestr(SECRETS, sealed)


class Archive:
    """A backup that is open for reading."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Read the manifest.

        Raises:
            SidecarError: It is no backup of ours, or a newer sidecar's.
        """
        self._path = path
        self._archive = archive
        self.manifest_bytes = self._read(MANIFEST, LONGEST_MANIFEST)
        try:
            self.manifest = Manifest.model_validate_json(self.manifest_bytes)
        except ValidationError:
            raise _not_ours(path) from None
        if self.manifest.format > FORMAT:
            raise SidecarError(
                msg(
                    "{path} was made by a newer Jellyfin Sidecar ({version}): restore it with that "
                    "one; nothing was changed",
                    path=path,
                    version=self.manifest.made_by,
                )
            )

    @property
    def sealed(self) -> bytes:
        """The encrypted secrets."""
        return self._read(SECRETS, LONGEST_SECRETS)

    def extract_database(self, to: Path) -> None:
        """Write the database to a file that exists; never more than the manifest says.

        Raises:
            SidecarError: It is not what the manifest says.
        """
        left, digest = self.manifest.database_size, hashlib.sha256()
        try:
            with self._open(DATABASE) as source, to.open("wb") as target:
                while block := source.read(min(BLOCK, left + 1)):
                    left -= len(block)
                    if left < 0:
                        break
                    digest.update(block)
                    target.write(block)
        except UNREADABLE:
            raise _damaged(self._path) from None
        if left or digest.hexdigest() != self.manifest.database_sha256:
            raise _damaged(self._path)

    def _open(self, name: str) -> IO[bytes]:
        """Open a file of the archive; where one begins is only what the archive says."""
        try:
            return self._archive.open(name)
        except (*UNREADABLE, OSError):
            raise _not_ours(self._path) from None

    def _read(self, name: str, longest: int) -> bytes:
        try:
            with self._open(name) as file:
                content = file.read(longest + 1)
        except UNREADABLE:
            raise _not_ours(self._path) from None
        if len(content) > longest:
            raise _not_ours(self._path)
        return content


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a backup.

    Raises:
        SidecarError: It is no backup of ours, or a newer sidecar's.
        OSError: It cannot be read.
    """
    # The file itself is opened first: what fails afterwards is due to its content.
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except (*UNREADABLE, OSError):
            raise _not_ours(path) from None
        with archive:
            yield Archive(path, archive)


def _not_ours(path: Path) -> SidecarError:
    return SidecarError(
        msg("{path} is not a backup of Jellyfin Sidecar; nothing was changed", path=path)
    )


def _damaged(path: Path) -> SidecarError:
    return SidecarError(
        msg(
            "{path} is damaged: its database is not what was written; nothing was changed",
            path=path,
        )
    )
