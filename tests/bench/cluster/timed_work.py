"""`jellyfin-sidecar`, which also notes how long each of its claims took, in `TIMED_CLAIMS`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidecar.cli import main
from sidecar.domain.downloads.download import Download
from sidecar.store.downloads.queue import DownloadQueue

if __name__ == "__main__":
    claim = DownloadQueue.claim_together
    took: list[float] = []

    def timed(self: DownloadQueue, *asked: Any, **named: Any) -> Sequence[Download]:  # noqa: ANN401
        began = time.perf_counter()
        found: Sequence[Download] = claim(self, *asked, **named)
        if found:
            took.append(time.perf_counter() - began)
        return found

    DownloadQueue.claim_together = timed  # type: ignore[method-assign]
    code = main(sys.argv[1:])
    Path(os.environ["TIMED_CLAIMS"]).write_text("\n".join(map(str, took)))
    sys.exit(code)
