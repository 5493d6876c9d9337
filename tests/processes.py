"""What the kernel says of processes; each may end, and each thread, while it is being read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def list_children(process_id: int) -> list[int]:
    """Return what all threads of a process have started and what is not waited for yet."""
    found: list[int] = []
    for thread in _threads(process_id):
        with suppress(OSError):
            found += map(int, (thread / "children").read_text().split())
    return found


def is_running(process_id: int) -> bool:
    """Tell whether a process is there and has not ended, waited for or not."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def read_command(process_id: int) -> list[bytes]:
    """Return the words of a process's command line; none once it has ended."""
    try:
        return Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def _threads(process_id: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{process_id}/task").iterdir())
    except OSError:
        return []
