"""Reads tags and covers of untrusted files in a child process with limits.

    ConfinedReader ──"tags", the open file──▶ child: limits on memory and time, writes no files
         ▲                                     │ if it dies, or its answer is late or too large,
         └────── what was found, bounded ──────┘ the file counts as unreadable

One child reads many files, one at a time. After a failure the next file gets a new child.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from sidecar.confined.child import FOUND, HEAD, NOTHING
from sidecar.confined.limits import Limits, dump_sys_path
from sidecar.confined.lines import start_with_line
from sidecar.domain.adoption.tags import FoundTags

log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("child.py")
# Enough for a picture of 25 million pixels, decoded twice.
LIMITS = Limits(nice=5, most_bytes=0, most_memory=512 * 1024 * 1024, most_seconds=300)
ANSWER_WITHIN_S = 10.0
LARGEST_ANSWER = 8 * 1024 * 1024
# Limits what a child can leak or accumulate.
FILES_EACH = 2000


class _Away(Exception):
    """The child did not answer in time and within the size limit."""

    def __init__(self, why: str, *, is_late: bool = False) -> None:
        super().__init__(why)
        self.is_late = is_late


class ConfinedReader:
    """Reads untrusted files in a child process, which is started when needed. For one thread.

    Must be closed, or used in a `with` block.
    """

    def __init__(
        self, *, limits: Limits = LIMITS, answer_within_s: float = ANSWER_WITHIN_S
    ) -> None:
        self._limits = limits
        self._answer_within_s = answer_within_s
        self._child: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._served = 0

    def tags(self, file: BinaryIO) -> FoundTags:
        """Return the tags of a file; empty ones if it cannot be parsed.

        Raises:
            OSError: The file cannot be read.
        """
        found = self._ask("tags", file)
        return FoundTags() if found is None else _tags(found)

    def cover(self, body: bytes, *, most: int) -> bytes | None:
        """Return a picture as a baseline JPEG, see `to_baseline_jpeg`."""
        with tempfile.TemporaryFile() as file:
            file.write(body)
            file.seek(0)
            return self._ask(f"cover {most}", file)

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        line, self._line = self._line, None
        self._served = 0
        if line is not None:
            line.close()
        if child is not None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _ask(self, question: str, file: BinaryIO) -> bytes | None:
        code, found = self._answer_of_any(question, file)
        if code not in {FOUND, NOTHING}:
            raise OSError(code, os.strerror(code))
        return found if code == FOUND else None

    def _answer_of_any(self, question: str, file: BinaryIO) -> tuple[int, bytes]:
        """Ask the child; if it dies and had read other files before, ask a new one once more."""
        was_fresh = self._line is None
        try:
            return self._answer(question, file)
        except _Away as away:
            self.close()
            if not was_fresh and not away.is_late:
                file.seek(0)
                return self._answer_of_any(question, file)
            log.info("a file was too much for its reader: %s", away)
            return NOTHING, b""
        except BaseException:
            self.close()
            raise

    def _answer(self, question: str, file: BinaryIO) -> tuple[int, bytes]:
        if self._served >= FILES_EACH:
            self.close()
        self._served += 1
        try:
            line = self._line or self._start()
            line.settimeout(self._answer_within_s)
            socket.send_fds(line, [question.encode()], [file.fileno()])
            until = time.monotonic() + self._answer_within_s
            code, length = HEAD.unpack(_received(line, HEAD.size, until))
            if length > LARGEST_ANSWER:
                raise _Away("it says far too much")
            return code, _received(line, length, until)
        except TimeoutError as error:
            raise _Away("it took too long", is_late=True) from error
        except OSError as error:
            raise _Away(str(error)) from error

    def _start(self) -> socket.socket:
        program = [sys.executable, "-I", "-B", str(CHILD)]
        self._child, self._line = start_with_line(self._limits, program, [dump_sys_path()])
        return self._line


def _received(line: socket.socket, count: int, until: float) -> bytes:
    found = bytearray()
    while len(found) < count:
        line.settimeout(max(0.001, until - time.monotonic()))
        block = line.recv(min(count - len(found), 1024 * 1024))
        if not block:
            raise _Away("it ended")
        found += block
    return bytes(found)


def _tags(found: bytes) -> FoundTags:
    """Parse and check the child's answer: a malicious file may have taken over the child."""
    try:
        told = json.loads(found)
        texts = {name: told[name] for name in ("title", "artist", "album_artist", "album")}
        number, seconds = told["number"], told["seconds"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return FoundTags()
    if not all(one is None or isinstance(one, str) for one in texts.values()):
        return FoundTags()
    return FoundTags(
        **texts,
        number=number if isinstance(number, int) else None,
        seconds=seconds if isinstance(seconds, float) else None,
    )
