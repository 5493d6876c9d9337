"""Keeps the compiled methods of data classes for the next start, beside this module's bytecode.

    text of a method ──▶ kept? ──▶ run
                          └─ no ──▶ compiled, run, and kept once all is loaded

Python keeps the bytecode of modules. The methods of their data classes, some 3,000, it writes as
text and compiled anew at each start, which took a third of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import marshal
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import CodeType

# Texts of earlier releases stay; when there are too many, only what this start needed is kept.
MOST_KEPT = 20_000
_DIGEST_BYTES = 32


@contextmanager
def reusing() -> Iterator[None]:
    """Load modules inside: what was compiled for their data classes before is not compiled again.

    A file that cannot be read or written, or is not whole, changes nothing.
    """
    if "exec" in vars(dataclasses):
        yield
        return
    kept = _read_kept()
    fresh: dict[str, CodeType] = {}

    def run(text: str, names: dict[str, object], into: Mapping[str, object]) -> None:
        code = kept.get(text) or fresh.get(text)
        if code is None:
            code = fresh[text] = compile(text, "<string>", "exec", dont_inherit=True)
        exec(code, names, into)  # noqa: S102 - as `dataclasses` would run the same text

    # Found before the builtin; if a later Python asks for another, all is compiled as ever.
    setattr(dataclasses, "exec", run)  # noqa: B010 - the module declares no such name
    try:
        yield
    finally:
        delattr(dataclasses, "exec")
        if fresh:
            _write(fresh if len(kept) + len(fresh) > MOST_KEPT else {**kept, **fresh})
            kept.update(fresh)


def forget() -> None:
    """Free what is kept in memory, once everything is loaded."""
    _read_kept.cache_clear()


@cache
def _read_kept() -> dict[str, CodeType]:
    """Return what earlier starts have compiled, by its text."""
    try:
        body = _find_path().read_bytes()
        digest, body = body[:_DIGEST_BYTES], body[_DIGEST_BYTES:]
        if digest == _digest(body):
            return dict(marshal.loads(body))  # noqa: S302 - as much ours as the bytecode beside it
    except (OSError, ValueError, EOFError, TypeError, NotImplementedError):
        pass
    return {}


def _write(codes: Mapping[str, CodeType]) -> None:
    if sys.dont_write_bytecode:
        return
    with suppress(OSError, NotImplementedError):
        path = _find_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        body = marshal.dumps(dict(codes))
        try:
            new.write_bytes(_digest(body) + body)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def _digest(body: bytes) -> bytes:
    """Return what only this Python writes of these bytes: another has other bytecode."""
    return hashlib.sha256(importlib.util.MAGIC_NUMBER + body).digest()


def _find_path() -> Path:
    """Return the file's place; raises NotImplementedError where Python keeps no bytecode."""
    return Path(importlib.util.cache_from_source(__file__)).with_suffix(".dataclasses")
