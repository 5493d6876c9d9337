"""Reads text files that people write: UTF-8, with or without a byte order mark."""

from __future__ import annotations

import unicodedata
from pathlib import Path

# In bytes. A longer file was certainly not meant as a password.
LONGEST_SECRET = 16 * 1024


def read_text(path: Path) -> str:
    """Return the content of a file, without the byte order mark.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is not UTF-8; `not_text` makes the message for people.
    """
    return path.read_bytes().decode("utf-8-sig")


def read_secret(path: Path) -> str:
    """Return the password or key in a file: one line, without the line end.

    A wrong password may lock an account, so content that cannot be one is refused.

    Raises:
        OSError: The file cannot be read.
        UnicodeDecodeError: It is not UTF-8.
        ValueError: The content cannot be a secret; the message says why, without the content.
    """
    with path.open("rb") as file:
        found = file.read(LONGEST_SECRET + 1)
    if len(found) > LONGEST_SECRET:
        raise ValueError("is far too long for a password or key")
    secret = found.decode("utf-8-sig").rstrip("\r\n")
    if not secret:
        raise ValueError("is empty: write the password or key into it, or do not name it")
    if any(unicodedata.category(one) == "Cc" for one in secret):
        raise ValueError(
            "must hold one line, the password or key alone: there is a line end, a tab or "
            "another control character in it"
        )
    return secret


def not_text(error: UnicodeDecodeError) -> str:
    """Return why a file that is not UTF-8 is refused, without any of its content."""
    if error.object[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "is saved as UTF-16: save it as UTF-8"
    line = error.object.count(b"\n", 0, error.start) + 1
    return f"is not UTF-8 (line {line}): save it as UTF-8, not as Latin-1 or Windows-1252"
