"""Masks the CSRF token anew for each answer: the length of a compressed page tells nothing of it.

A page repeats what somebody searched for. Compressed, it is shorter where that has the beginning
of a secret that stands in it as well, and whoever sees lengths finds the secret letter by letter
(BREACH). A secret that is written differently each time cannot be found so.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error


def mask(token: str) -> str:
    """Return a hexadecimal token in one of its many forms: a one-time pad, and it under that."""
    octets = bytes.fromhex(token)
    pad = secrets.token_bytes(len(octets))
    return urlsafe_b64encode(pad + _combine(pad, octets)).decode().rstrip("=")


def unmask(masked: str) -> str:
    """Return the token of a masked form; of any other text something that is no token."""
    try:
        octets = urlsafe_b64decode(masked.encode() + b"=" * (-len(masked) % 4))
    except Error:
        return ""
    middle = len(octets) // 2
    return _combine(octets[:middle], octets[middle:]).hex()


def _combine(pad: bytes, octets: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(pad, octets, strict=False))
