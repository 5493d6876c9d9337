"""Encrypts stored tokens with a key from a file of its own.

So the database alone (a backup, a copy) gives no access. The key file is made on first use with
mode 0600; one that others can read is refused. A damaged one is never replaced: that would hide
why people have to sign in again.
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
    """Encrypts, decrypts and signs. The key is read or made on first use and then kept."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self._kept: bytes | None = None

    def encrypt(self, token: SecretStr) -> bytes:
        """Return the encrypted token.

        Raises:
            ConfigError: The key file cannot be used; the message says how to fix it.
        """
        return self._get_cipher().encrypt(token.get_secret_value().encode())

    def decrypt(self, sealed: bytes) -> SecretStr:
        """Return the token that was given to `encrypt`.

        Raises:
            SignedOut: It was encrypted with another key, or is damaged.
            ConfigError: The key file cannot be used.
        """
        try:
            return SecretStr(self._get_cipher().decrypt(sealed).decode())
        except InvalidToken:
            raise SignedOut(
                msg("The stored sign-in does not fit the sidecar's key: sign in again")
            ) from None

    def sign(self, purpose: str, *parts: str) -> str:
        """Return an HMAC of these parts for one purpose.

        Raises:
            ConfigError: The key file cannot be used.
        """
        text = json.dumps([purpose, *parts]).encode()
        return urlsafe_b64encode(hmac.digest(self._load_key(), text, "sha256")).decode().rstrip("=")

    def share(self) -> SecretStr:
        """Return the key itself, for another machine of this installation.

        Raises:
            ConfigError: The key file cannot be used.
        """
        return SecretStr(self._load_key().decode())

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
    """Write a key, and give the file its name only once it is complete and on the disk."""
    descriptor, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: if another process was first, its key stays.
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
