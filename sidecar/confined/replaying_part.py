"""The child process that replays a part of the budgets, see `parts`.

It is started by path; its argument is `sys.path` as JSON. History and scenario come on standard
input; it answers with a dot for each per cent that is done, and the figures.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import sys


def main(arguments: list[str]) -> None:
    """Replay, and answer."""
    sys.path[:] = json.loads(arguments[0])
    # As in `parts`.
    gc.disable()

    from sidecar.confined.parts import STEP, STEPS  # noqa: PLC0415
    from sidecar.domain.replay.replay import replay  # noqa: PLC0415

    told = 0

    def tell(share: float) -> None:
        nonlocal told
        now = int(share * STEPS)
        # It fails, and that ends this process, if nobody listens any more.
        os.write(sys.stdout.fileno(), STEP * (now - told))
        told = now

    history, scenario = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    figures = replay(history, scenario, tell)
    pickle.dump(figures, sys.stdout.buffer)
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
