"""The child process that reads and writes tags, each file in a process of its own.

    order, open files ──▶ libraries are loaded ──fork──▶ one order, within its limits ─▶ answer
                  ▲                                             │
                  └──────────────── exit status ◀───────────────┘

It is started by path, with limits on time and memory, because untrusted files may harm the
libraries that parse them. What one file does to its process ends with it: the one that forks
reads no file. Without an order for a while it ends.

    {"read": pixels, …}   file           ─▶ {"tags": {…}, "cover": "base64" | null, "has_cover": …}
    {"write": true, …}    file, a JSON   ─▶ {}, or {"why": "a clause"} if it cannot be tagged
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

STATUS = struct.Struct("!i")
LONGEST_ORDER = 200
MOST_FILES = 4
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Carry out orders until none comes for a while.

    Args:
        arguments: The descriptor of a socket, the seconds without an order after which it ends,
            and `sys.path` as JSON.
    """
    line, idle_s, paths = int(arguments[0]), float(arguments[1]), json.loads(arguments[2])
    sys.path[:] = paths
    _load_libraries()
    with socket.socket(fileno=line) as asked:
        asked.settimeout(idle_s)
        while True:
            try:
                order, files, _, _ = socket.recv_fds(asked, LONGEST_ORDER, MOST_FILES)
            except TimeoutError:
                return
            if not order:
                return
            server = os.getpid()
            child = os.fork()
            if not child:
                asked.close()
                _carry_out(json.loads(order), files, server)
            for one in files:
                os.close(one)
            _, status = os.waitpid(child, 0)
            asked.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _load_libraries() -> None:
    """Load what each order needs, so that it is done once."""
    from sidecar.confined import pictures  # noqa: F401, PLC0415 - found just now
    from sidecar.transfer.tagging import reading, writing  # noqa: F401, PLC0415 - the same


def _carry_out(order: dict[str, Any], files: Sequence[int], server: int) -> NoReturn:
    """Carry out one order; the files are its output, its complaints, and what it works on."""
    status = 1
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != server:
                os._exit(status)
        most_bytes = order["most_bytes"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        output, complaints, *about = files
        with os.fdopen(output, "w") as told, os.fdopen(complaints, "w") as errors:
            try:
                answer = _read(order, *about) if "read" in order else _write(*about)
                json.dump(answer, told)
                status = 0
            except OSError as error:
                errors.write(os.strerror(error.errno or 0))
                status = 2
    finally:
        # Nothing of the process that forked is run at its end.
        os._exit(status)


def _read(order: dict[str, Any], there: int) -> dict[str, Any]:
    from sidecar.confined.pictures import to_baseline_jpeg  # noqa: PLC0415 - loaded by then
    from sidecar.transfer.tagging.reading import read  # noqa: PLC0415 - the same

    with open(there, "rb", closefd=False) as file:
        found = read(file)
    cover = found.cover
    made = None if cover is None else to_baseline_jpeg(cover.content, most=order["read"])
    return {
        "tags": found.tags,
        "cover": None if made is None else base64.b64encode(made).decode("ascii"),
        "has_cover": cover is not None,
    }


def _write(there: int, to_be_told: int) -> dict[str, Any]:
    from sidecar.domain.formats.tag_fields import TagSystem  # noqa: PLC0415 - loaded by then
    from sidecar.transfer.tagging.library import mutagen  # noqa: PLC0415 - the same
    from sidecar.transfer.tagging.wishes import Writing  # noqa: PLC0415 - the same
    from sidecar.transfer.tagging.writing import NotTaggable, write  # noqa: PLC0415 - the same

    with open(to_be_told, "rb", closefd=False) as told:
        told.seek(0)
        what = json.load(told)
    writing = Writing(
        tags=what["tags"],
        cover=base64.b64decode(what["cover"]) if what["cover"] else None,
        id3=TagSystem(what["id3"]),
        separator=what["separator"],
        knows_words=what["knows_words"],
        anew=what["anew"],
    )
    try:
        # Buffered: mutagen ignores how many bytes an unbuffered write has really written.
        with open(there, "r+b", closefd=False) as file:
            write(file, writing)
    except NotTaggable as error:
        return {"why": str(error)}
    except mutagen.MutagenError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        return {"why": "it cannot be taken apart"}
    return {}


if __name__ == "__main__":
    main(sys.argv[1:])
