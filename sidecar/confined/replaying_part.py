"""The child process that does a part of a replay, see `parts`.

It is started by path; its arguments are `sys.path` as JSON and the name of the part. History and
scenario come on standard input; it answers with what it finds, one by one, and None at the end.
"""

from __future__ import annotations

import gc
import json
import pickle
import sys


def main(arguments: list[str]) -> None:
    """Do the part, and answer."""
    sys.path[:] = json.loads(arguments[0])
    # As in `parts`.
    gc.disable()

    from sidecar.confined.parts import PARTS  # noqa: PLC0415

    history, scenario = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    # It fails, and that ends this process, if nobody listens any more.
    for result in PARTS[arguments[1]](history, scenario):
        pickle.dump(result, sys.stdout.buffer)
    pickle.dump(None, sys.stdout.buffer)
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
