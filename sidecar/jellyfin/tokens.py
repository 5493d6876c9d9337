"""Encrypts tokens at rest with a key that lies in a file of its own.

Whoever has the database alone (a backup, a copy) has no tokens. The key file is made on first use
with mode 0600; one that others can read is refused, and it is never replaced: a lost key means
signing in again, a silently renewed one would hide that.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
from base64 import urlsafe_b64encode
from pathlib import Path
from tempfile import mkstemp

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from sidecar.errors import ConfigError, SignedOut
from sidecar.messages import msg

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TokenBox:
    """Seals and opens tokens, and signs. The key is read or made on first use and then kept."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self._kept: bytes | None = None

    def encrypt(self, token: SecretStr) -> bytes:
        """Return the token as it may be stored.

        Raises:
            ConfigError: The key file cannot be used; the message says how to mend it.
        """
        return self._get_cipher().encrypt(token.get_secret_value().encode())

    def decrypt(self, sealed: bytes) -> SecretStr:
        """Return the token that `seal` was given.

        Raises:
            SignedOut: It was sealed with another key, or is damaged.
            ConfigError: The key file cannot be used.
        """
        try:
            return SecretStr(self._get_cipher().decrypt(sealed).decode())
        except InvalidToken:
            raise SignedOut(
                msg(
                    "The stored sign-in does not fit the key in {file}: sign in again",
                    file=self._key_file,
                )
            ) from None

    def sign(self, purpose: str, *parts: str) -> str:
        """Return a signature that only this key makes, of these parts for this purpose.

        Raises:
            ConfigError: The key file cannot be used.
        """
        text = json.dumps([purpose, *parts]).encode()
        return urlsafe_b64encode(hmac.digest(self._load_key(), text, "sha256")).decode().rstrip("=")

    def _get_cipher(self) -> Fernet:
        return Fernet(self._load_key())

    def _load_key(self) -> bytes:
        if self._kept is None:
            self._kept = self._read_or_make()
        return self._kept

    def _read_or_make(self) -> bytes:
        try:
            if not self._key_file.exists():
                _create_key(self._key_file)
            return _read_key(self._key_file)
        except OSError as error:
            raise ConfigError(
                self._key_file, "key file", None, f"cannot be used ({error.strerror})"
            ) from error


def _create_key(path: Path) -> None:
    """Write a key and give it its name only when it is whole and on the disk."""
    descriptor, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: if somebody else was first, that key stays.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_key(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & OTHERS:
            raise ConfigError(
                path, "mode", f"{mode:04o}", "other users can read the key: run chmod 600 on it"
            )
        key = file.read(1024)
    try:
        Fernet(key)
    except ValueError:
        raise ConfigError(
            path, "key file", None, "is damaged: put back a copy, or remove it and sign in again"
        ) from None
    return key
