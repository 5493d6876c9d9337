"""The child process that replays a history: it may be a file that somebody uploaded.

It is started by path. Its arguments are `sys.path` as JSON and the descriptor of the job. The
history comes on standard input; each line that it answers is JSON: `{"progress": 0.5}` now and
then, and at the end a report, or `{"refused": …}`.

    job    a line with what is to be done, and one for each item that is known
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

PROGRESS_STEP = 0.01
# Of the work, so much is the replay itself; the rest are the settings that are tried.
OF_REPLAY = 0.6
MOST_BAD_TOLD = 5


def main(arguments: list[str]) -> None:
    """Replay, and answer."""
    sys.path[:] = json.loads(arguments[0])
    with (
        os.fdopen(int(arguments[1]), encoding="utf-8") as job,
        io.TextIOWrapper(
            sys.stdin.buffer, encoding="utf-8", errors="replace", newline=""
        ) as history,
    ):
        try:
            answer = _run(json.loads(job.readline()), job, history)
        except MemoryError:
            answer = {"refused": "memory"}
        _answer(answer)


def _run(told: dict[str, Any], items: Iterable[str], lines: Iterable[str]) -> dict[str, Any]:
    from sidecar.confined.parts import replay_in_parts  # noqa: PLC0415
    from sidecar.domain.replay.history import PastItem, make_history  # noqa: PLC0415
    from sidecar.domain.replay.job import ReplayJob  # noqa: PLC0415
    from sidecar.domain.replay.reading import NoHistory, complete, read_plays  # noqa: PLC0415
    from sidecar.domain.replay.recommend import recommend  # noqa: PLC0415
    from sidecar.domain.replay.replay import FILL, RULES, Scenario  # noqa: PLC0415
    from sidecar.domain.replay.report import make_report  # noqa: PLC0415

    job = ReplayJob.from_json(told["job"])
    most_plays, is_upload = told["most_plays"], told["is_upload"]
    try:
        read = read_plays(lines)
    except NoHistory:
        return {"refused": "no history"}
    if not read.plays:
        return {"refused": "no plays"}
    if len(read.plays) > most_plays:
        return {"refused": "too long"}
    for line in items:
        item = PastItem(**json.loads(line))
        if item.id in read.items:
            read.items[item.id] = complete(read.items[item.id], item)
        elif not is_upload:
            read.items[item.id] = item
    history = make_history(read.plays, read.items.values())
    bad_lines, bad_rows = [one.line for one in read.bad[:MOST_BAD_TOLD]], len(read.bad)
    del read
    scenario = Scenario(
        budgets=[one.of(history.size) for one in job.budgets],
        settings=dict(job.settings),
        limits=job.limits,
    )
    found = replay_in_parts(history, scenario, _make_progress(0.0, OF_REPLAY))
    tell = _make_progress(OF_REPLAY, 1.0 - OF_REPLAY)
    advice = recommend(history, scenario, found, tell, replay_in_parts)
    report = make_report(history, found, advice, tells_weeks_of=lambda name: name in {RULES, FILL})
    return {"report": asdict(report), "bad_lines": bad_lines, "bad_rows": bad_rows}


def _make_progress(begin: float, share: float) -> Callable[[float], None]:
    told = begin

    def tell(done: float) -> None:
        nonlocal told
        now = begin + share * done
        if now >= told + PROGRESS_STEP:
            told = now
            _answer({"progress": round(now, 3)})

    return tell


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
