"""One child process for many files, and what becomes of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

import pytest

from sidecar.clock import SystemClock
from sidecar.errors import Stopped
from sidecar.transfer.converting.subprocess import ChildFailed, ChildOutput
from sidecar.transfer.tagging.process import TagProcesses
from tests.fakes.media.sounds import ffmpeg
from tests.processes import list_children, read_command

READ = {"read": 300, "most_bytes": 1_000_000}
NOTHING = b'{"tags": {"title": ["Tone"]}, "cover": null, "has_cover": false}'


@pytest.fixture
def tone(tmp_path: Path) -> Iterator[BinaryIO]:
    """A short file with a title."""
    path = tmp_path / "tone.flac"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5", "-metadata", "title=Tone", str(path))
    with path.open("r+b", buffering=0) as file:
        yield file


@pytest.fixture
def before() -> set[int]:
    """The child processes of others."""
    return children()


def children() -> set[int]:
    """Return the processes of ours that read and write tags."""
    return {
        one
        for one in list_children(os.getpid())
        if any(word.endswith(b"tagging/child.py") for word in read_command(one))
    }


def ask(
    processes: TagProcesses,
    file: BinaryIO,
    order: dict[str, object] | None = None,
    *more: BinaryIO,
    stop: Event | None = None,
    limit_s: float = 60.0,
) -> ChildOutput:
    return processes.ask(
        order or READ,
        [file, *more],
        clock=SystemClock(),
        stop=stop or Event(),
        limit_s=limit_s,
    )


def test_one_child_serves_many_files_and_ends_with_who_asks(
    tone: BinaryIO, before: set[int]
) -> None:
    processes = TagProcesses()

    first, one = ask(processes, tone), children() - before
    second, other = ask(processes, tone), children() - before

    assert first == second == ChildOutput(0, NOTHING, "")
    assert len(one) == 1
    assert other == one

    del processes
    assert children() == before


def test_each_thread_has_a_child_of_its_own_that_ends_with_it(
    tone: BinaryIO, before: set[int]
) -> None:
    processes, there = TagProcesses(), list[set[int]]()
    ask(processes, tone)
    ours = children() - before

    def work() -> None:
        ask(processes, tone)
        there.append(children() - before)

    thread = Thread(target=work)
    thread.start()
    thread.join()

    assert len(there[0]) == 2
    assert there[0] > ours
    assert children() - before == ours


def test_what_one_order_does_to_its_process_ends_with_it(tone: BinaryIO, before: set[int]) -> None:
    processes = TagProcesses()
    ask(processes, tone)
    one = children() - before

    assert ask(processes, tone, {"read": "nonsense"}).code == 1

    assert ask(processes, tone).output == NOTHING
    assert children() - before == one


def test_each_order_has_its_own_limit_of_what_it_writes(tone: BinaryIO, tmp_path: Path) -> None:
    processes, told = TagProcesses(), tmp_path / "told.json"
    # More than the padding of the file takes: it has to grow.
    told.write_text(
        '{"tags": {"title": ["%s"]}, "cover": null, "id3": "id3v2.4", "separator": null,'
        ' "knows_words": true, "anew": true}' % ("T" * 100_000)
    )
    size = os.fstat(tone.fileno()).st_size
    with told.open("rb") as what:
        refused = ask(processes, tone, {"write": True, "most_bytes": size}, what)
        allowed = ask(processes, tone, {"write": True, "most_bytes": size + 200_000}, what)

    assert (refused.code, refused.complaints) == (2, "File too large")
    assert (allowed.code, allowed.output) == (0, b"{}")


def test_who_is_stopped_or_too_late_has_another_child_next_time(
    tone: BinaryIO, before: set[int]
) -> None:
    processes, stop = TagProcesses(), Event()
    stop.set()
    ask(processes, tone)
    first = children() - before

    with pytest.raises(Stopped):
        ask(processes, tone, stop=stop)
    assert children() == before
    with pytest.raises(ChildFailed, match="too long"):
        ask(processes, tone, limit_s=0.0)
    assert children() == before

    assert ask(processes, tone).output == NOTHING
    assert children() - before != first


def test_a_child_that_has_ended_is_replaced(tone: BinaryIO, before: set[int]) -> None:
    processes = TagProcesses(idle_s=0.001)
    ask(processes, tone)
    [one] = children() - before
    # Until it has ended, without taking its status from who started it.
    os.waitid(os.P_PID, one, os.WEXITED | os.WNOWAIT)

    assert ask(processes, tone).output == NOTHING
    assert one not in children()
