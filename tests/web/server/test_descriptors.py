"""File numbers: as many are taken as the system allows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from sidecar import limits

if TYPE_CHECKING:
    pass

RAISE = """
import json, resource
from sidecar.web.server.descriptors import raise_descriptors
told = []
for soft, hard in {cases}:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    told.append([raise_descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)[0]])
print(json.dumps(told))
"""


def test_it_takes_what_the_system_allows_and_keeps_some_for_the_rest() -> None:
    # A process of its own: a hard limit that is lowered stays low. Its first limit may be lower.
    cases = [(200, 1000), (200, 620), (610, 610)]

    done = subprocess.run(
        [sys.executable, "-c", RAISE.format(cases=cases)],
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert json.loads(done.stdout) == [
        [1000 - limits.DESCRIPTORS_KEPT, 1000],
        [limits.FEWEST_CONNECTIONS, 620],
        [limits.FEWEST_CONNECTIONS, 610],
    ]
