from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from threading import Event

import pytest

from sidecar.clock import SystemClock
from sidecar.errors import Stopped
from sidecar.transfer.converting.subprocess import (
    NICE,
    ChildFailed,
    ChildOutput,
    get_inherited_path,
    run,
)
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S
from tests.processes import list_children, read_command

SIDECAR = """
from threading import Event
from sidecar.clock import SystemClock
from sidecar.transfer.converting.subprocess import run
run(["/bin/sleep", "60"], files=[], clock=SystemClock(), stop=Event(), limit_s=60)
"""


def program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None
    return found


def said(*command: str, limit_s: float = 20.0, most_bytes: int = 10_000) -> ChildOutput:
    return run(
        [program(command[0]), *command[1:]],
        files=[],
        clock=SystemClock(),
        stop=Event(),
        limit_s=limit_s,
        most_bytes=most_bytes,
    )


def test_it_runs_with_low_priority_without_an_environment_in_a_session_of_its_own() -> None:
    facts = said("cat", "/proc/self/stat").output.decode().rpartition(")")[2].split()
    environ = said("env").output.decode().split()

    session, process_group, niceness = facts[3], facts[2], facts[16]
    assert session == process_group
    assert int(niceness) == min(19, os.nice(0) + NICE)
    assert {one.partition("=")[0] for one in environ} == {"PATH", "LC_ALL"}


def test_no_file_becomes_longer_than_allowed() -> None:
    told = said("head", "-c", "50000", "/dev/zero", most_bytes=1000)

    assert len(told.output) == 1000
    assert told.code != 0


def test_it_is_ended_at_its_time_limit() -> None:
    with pytest.raises(ChildFailed, match="it took too long"):
        said("sleep", "60", limit_s=0.3)


def test_it_is_ended_when_it_is_to_stop() -> None:
    stop = Event()
    stop.set()

    with pytest.raises(Stopped):
        run([program("sleep"), "60"], files=[], clock=SystemClock(), stop=stop, limit_s=60)


def test_a_file_that_is_handed_over_is_reached_without_a_name() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"sound")
        file.flush()
        path = get_inherited_path(file).removeprefix("file:")
        told = run(
            [program("cat"), path], files=[file], clock=SystemClock(), stop=Event(), limit_s=20
        )

    assert told.output == b"sound"


def test_its_complaints_are_told_in_one_printable_line() -> None:
    told = said("cat", "/there\x07is/no such file")

    assert told.code == 1
    assert told.last_words.isprintable()
    assert "No such file" in told.last_words


def test_what_cannot_be_started_is_said() -> None:
    told = run(["/nowhere"], files=[], clock=SystemClock(), stop=Event(), limit_s=20)

    assert told.code != 0


def test_it_dies_with_us_however_we_die() -> None:
    """A process of its own plays the sidecar, and is killed."""
    sidecar = subprocess.Popen([sys.executable, "-c", SIDECAR], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: len(list_children(sidecar.pid)) == 1, what="the child")
        (child,) = list_children(sidecar.pid)
        wait_until(lambda: is_asleep(child), what="the program in it")
    finally:
        sidecar.kill()
        sidecar.communicate(timeout=PATIENCE_S)

    wait_until(lambda: not is_asleep(child), what="its end")


def is_asleep(process_id: int) -> bool:
    """Tell whether the launcher has become the program, and that has not ended."""
    return any(b"sleep" in word for word in read_command(process_id)[:1])
