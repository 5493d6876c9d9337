"""What a hundred thousand downloads cost, beside bare SQLite and an empty page.

    python -m tests.bench.rows                        builds the household anew: two minutes
    python -m tests.bench.rows --keep FOLDER          builds it there, or takes what is there
    python -m tests.bench.rows --only lists pages     some of the parts
    python -m tests.bench.rows --count 10000          a smaller one

Each part works on a copy of the database. No figure fails anything: correctness and query plans
are tested in `tests/store`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests.bench.rows import cancelling, every_page, lists, planning, serving
from tests.bench.rows.large import Household, build

NOTES = "household.json"
PARTS: dict[str, Callable[[Household, int], None]] = {
    "lists": lists.measure,
    "pages": serving.measure,
    "every-page": every_page.measure,
    "queue": cancelling.measure_claims,
    "cancelling": cancelling.measure,
    "planning": planning.measure,
}


def main() -> int:
    """Build the household and measure its parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rows")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="a folder that stays (default: a new one)")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="sidecar-rows-"))
    try:
        household = _household(folder, asked.count)
        size = household.database.stat().st_size / 1e6
        print(f"{asked.count} downloads, a database of {size:.0f} MB", flush=True)
        for part in asked.only:
            PARTS[part](household, asked.rounds)
    finally:
        if asked.keep is None:
            shutil.rmtree(folder)
    return 0


def _household(folder: Path, count: int) -> Household:
    notes = folder / NOTES
    if notes.exists():
        told = json.loads(notes.read_text())
        return Household(folder, told["cookies"], told["keys"])
    folder.mkdir(parents=True, exist_ok=True)
    household = build(folder, count)
    notes.write_text(json.dumps(asdict(household) | {"folder": str(folder)}))
    return household


if __name__ == "__main__":
    sys.exit(main())
