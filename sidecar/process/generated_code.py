"""Keeps the compiled methods of data classes for the next start, beside this module's bytecode.

    text of a method ──▶ kept? ──▶ run
                          └─ no ──▶ compiled, run, and kept once all is loaded

Python keeps the bytecode of modules. The methods of their data classes, some 3,000, it writes as
text and compiled anew at each start, which took a third of it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import marshal
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import CodeType
from zlib import crc32

# Texts of earlier releases stay; when there are too many, only what this start needed is kept.
MOST_KEPT = 20_000
_CHECKSUM_BYTES = 4


@contextmanager
def reusing() -> Iterator[None]:
    """Load modules inside: what was compiled for their data classes before is not compiled again.

    A file that cannot be read or written, or is not whole, changes nothing.
    """
    if "exec" in vars(dataclasses):
        yield
        return
    kept = _read_kept()
    fresh: dict[str, bytes] = {}

    def run(text: str, names: dict[str, object], into: Mapping[str, object]) -> None:
        known = kept.get(text) or fresh.get(text)
        code: CodeType
        if known is None:
            code = compile(text, "<string>", "exec", dont_inherit=True)
            fresh[text] = marshal.dumps(code)
        else:
            code = marshal.loads(known)  # noqa: S302 - as much ours as the bytecode beside it
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
def _read_kept() -> dict[str, bytes]:
    """Return what earlier starts have compiled, by its text; each start needs only a part."""
    try:
        content = memoryview(_find_path().read_bytes())
        checksum, body = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
        if checksum == _sum_up(body):
            return dict(marshal.loads(body))  # noqa: S302 - see above
    except (OSError, ValueError, EOFError, TypeError, NotImplementedError):
        pass
    return {}


def _write(codes: Mapping[str, bytes]) -> None:
    if sys.dont_write_bytecode:
        return
    with suppress(OSError, NotImplementedError):
        path = _find_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        body = marshal.dumps(dict(codes))
        try:
            new.write_bytes(_sum_up(body) + body)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def _sum_up(body: bytes | memoryview) -> bytes:
    """Return what only this Python writes of these bytes: another has other bytecode."""
    return crc32(body, crc32(importlib.util.MAGIC_NUMBER)).to_bytes(_CHECKSUM_BYTES)


def _find_path() -> Path:
    """Return the file's place; raises NotImplementedError where Python keeps no bytecode."""
    return Path(importlib.util.cache_from_source(__file__)).with_suffix(".dataclasses")
