"""Encrypts the secrets of a backup with a passphrase: scrypt makes the key, AES-256-GCM seals.

    salt (16 bytes) · nonce (12 bytes) · ciphertext and tag

What the backup says of itself is sealed along, so that no other database can be put beside these
secrets. The cost of scrypt is fixed: a file must not choose how much memory it takes.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import SecretStr

from sidecar.config.settings import SHORTEST_PASSPHRASE
from sidecar.errors import SidecarError
from sidecar.messages import msg

SALT, NONCE = 16, 12
# 128 MiB and some tenths of a second: what OWASP asks for.
COST, BLOCK = 2**17, 8


def seal(secrets: bytes, passphrase: SecretStr, *, bound_to: bytes) -> bytes:
    """Return the encrypted secrets.

    Raises:
        SidecarError: The passphrase is too short.
    """
    if len(passphrase.get_secret_value()) < SHORTEST_PASSPHRASE:
        raise SidecarError(
            msg(
                "The passphrase is too short: it must have at least {count} characters",
                count=SHORTEST_PASSPHRASE,
            )
        )
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    return salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, secrets, bound_to)


def unseal(sealed: bytes, passphrase: SecretStr, *, bound_to: bytes) -> bytes:
    """Return what was given to `seal`.

    Raises:
        SidecarError: The passphrase is wrong, or the backup was changed.
    """
    salt, nonce, rest = sealed[:SALT], sealed[SALT : SALT + NONCE], sealed[SALT + NONCE :]
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, rest, bound_to)
    except (InvalidTag, ValueError):
        raise SidecarError(
            msg(
                "The passphrase does not fit this backup, or the file was changed; nothing was "
                "restored"
            )
        ) from None


def _key(passphrase: SecretStr, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=1).derive(
        passphrase.get_secret_value().encode()
    )
