"""The child process that reads untrusted files, one after another, and answers what it found.

It is started by path. Its arguments are the descriptor of a socket and `sys.path` as JSON.

    request    "tags" or "cover N", with the open file as ancillary data
    response   a code (0 found, -1 nothing, else an errno) and a length, then so many bytes
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from dataclasses import asdict
from typing import BinaryIO

HEAD = struct.Struct("!iI")
FOUND, NOTHING = 0, -1
LONGEST_QUESTION = 100


def main(arguments: list[str]) -> None:
    """Answer requests until the socket is closed."""
    line, paths = int(arguments[0]), json.loads(arguments[1])
    sys.path[:] = paths
    with socket.socket(fileno=line) as asked:
        while True:
            question, files, _, _ = socket.recv_fds(asked, LONGEST_QUESTION, 1)
            if not question or not files:
                return
            with os.fdopen(files[0], "rb") as file:
                code, found = _answer(question.decode().split(), file)
            asked.sendall(HEAD.pack(code, len(found)) + found)


def _answer(question: list[str], file: BinaryIO) -> tuple[int, bytes]:
    try:
        found = _tags(file) if question[0] == "tags" else _cover(file, int(question[1]))
    except OSError as error:
        return error.errno or NOTHING, b""
    return (NOTHING, b"") if found is None else (FOUND, found)


def _tags(file: BinaryIO) -> bytes:
    from sidecar.confined.tags import tags_in  # noqa: PLC0415 - who asks for covers needs none

    return json.dumps(asdict(tags_in(file))).encode()


def _cover(file: BinaryIO, most: int) -> bytes | None:
    from sidecar.confined.pictures import to_baseline_jpeg  # noqa: PLC0415 - tags need none

    return to_baseline_jpeg(file.read(), most=most)


if __name__ == "__main__":
    main(sys.argv[1:])
