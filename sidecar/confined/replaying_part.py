"""The child process that does a part of a replay, see `parts`.

It is started by path; its arguments are `sys.path` as JSON and the name of the part. History and
scenario come on standard input; it answers with what it finds, one by one, and None at the end. It
is a few answers ahead of who reads them: some days take one process longer, others the other one.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import sys
from queue import Queue
from threading import Thread

# Answers; one of a year with 15,000 files takes about a megabyte.
AHEAD = 8


def main(arguments: list[str]) -> None:
    """Do the part, and answer."""
    sys.path[:] = json.loads(arguments[0])
    # As in `parts`.
    gc.disable()

    from sidecar.confined.parts import PARTS  # noqa: PLC0415

    history, scenario = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    answers: Queue[bytes | None] = Queue(AHEAD)
    writer = Thread(target=_write, args=(answers,))
    writer.start()
    try:
        for result in PARTS[arguments[1]](history, scenario):
            answers.put(pickle.dumps(result))
        answers.put(pickle.dumps(None))
    finally:
        # Also after a failure: this process must end, so that the other one does the rest.
        answers.put(None)
        writer.join()


def _write(answers: Queue[bytes | None]) -> None:
    try:
        while (answer := answers.get()) is not None:
            sys.stdout.buffer.write(answer)
            sys.stdout.flush()
    except OSError:
        # Nobody listens any more.
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
