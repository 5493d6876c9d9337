from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

PROGRAM = """
import signal
import time
from threading import Event, Thread, get_ident
from sidecar.cli.stopping import stop_signals, wait_for

def waits_for_ever():
    Event().wait()

def is_signalled():
    time.sleep(0.2)  # main waits by then
    signal.pthread_kill(get_ident(), signal.SIGTERM)
    Event().wait()

with stop_signals(end_within_s={within}) as stop:
    {thread}
    print("ready", flush=True)
    wait_for(stop)
signal.raise_signal(signal.SIGTERM)
print("stopped", flush=True)
"""
HANGS = "Thread(target=waits_for_ever).start()"
TAKES_THE_SIGNAL = "Thread(target=is_signalled, daemon=True).start()"


def ended(*, within: float, thread: str = "pass", send: bool = True) -> tuple[int, str, str]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(within=within, thread=thread)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        if send:
            process.send_signal(signal.SIGTERM)
        try:
            said, complained = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
        return process.returncode, said.decode(), complained.decode()


def test_what_is_asked_to_end_complains_of_nothing_also_if_it_is_asked_twice() -> None:
    # The program raises the signal once more when nothing handles it any more.
    assert ended(within=30) == (0, "stopped\n", "")


def test_what_hangs_is_named_and_ends_with_the_process() -> None:
    code, said, complained = ended(within=0.5, thread=HANGS)

    assert (code, said) == (1, "stopped\n")
    assert "waits_for_ever" in complained


def test_a_signal_that_another_thread_received_is_heard() -> None:
    assert ended(within=30, thread=TAKES_THE_SIGNAL, send=False) == (0, "stopped\n", "")
