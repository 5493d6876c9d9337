"""Runs a command and writes what it took, from a process that is small itself.

A program counts as having used as much memory as the process it was started from: that of the
benchmark has loaded the whole product. Run as `python measured.py RESULT COMMAND...`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    """Run it; write its seconds, CPU seconds and MiB at most to the file; return its code."""
    result, *command = sys.argv[1:]
    began = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    wall = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = (wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
    Path(result).write_text(json.dumps(took))
    return code


if __name__ == "__main__":
    sys.exit(main())
