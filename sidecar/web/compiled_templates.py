"""Keeps what templates are compiled to: in memory, and in a folder for the next start.

To compile those of one page took three quarters of the first answer after each start. Another text,
another release and another Python are compiled anew; a folder that cannot be used changes nothing.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache, FileSystemBytecodeCache

from sidecar import __version__
from sidecar.process import private_files


@cache
def _in_memory() -> dict[tuple[str, str], CodeType]:
    """Return what all applications of this process have compiled, by name and text."""
    return {}


class CompiledTemplates(BytecodeCache):
    """The compiled templates of one application. Thread-safe."""

    def __init__(self, folder: Path | None) -> None:
        """Prepare.

        Args:
            folder: Only its owner may write to it, for what is in it is run; None keeps no files.
        """
        self._files: FileSystemBytecodeCache | None = None
        if folder is not None:
            with suppress(OSError):
                private_files.make_folder(folder)
            self._files = FileSystemBytecodeCache(str(folder))

    def get_source_checksum(self, source: str) -> str:
        """Return what changes with the text and with the release: filters may be applied early."""
        return super().get_source_checksum(f"{__version__}\n{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what is kept, if there is something."""
        bucket.code = _in_memory().get((bucket.key, bucket.checksum))
        if bucket.code is None and self._files is not None:
            with suppress(OSError):
                self._files.load_bytecode(bucket)
            self._remember(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._remember(bucket)
        if self._files is not None:
            with suppress(OSError):
                self._files.dump_bytecode(bucket)

    @staticmethod
    def _remember(bucket: Bucket) -> None:
        if bucket.code is not None:
            _in_memory()[bucket.key, bucket.checksum] = bucket.code
