"""What of a file the kernel has in its memory."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest


def count_cached_bytes(path: Path) -> int:
    """Return how many bytes from the start of a file can be read without asking the disk.

    Skips the test where no disk is below: there the memory is all that a file has.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(descriptor, [bytearray(path.stat().st_size)], 0, os.RWF_NOWAIT)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this file system keeps its files in the memory")
    finally:
        os.close(descriptor)
