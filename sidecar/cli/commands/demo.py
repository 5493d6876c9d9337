"""`demo`: runs the demo Jellyfin server; `run` starts the same if no server is configured."""

from __future__ import annotations

import argparse
import errno
import logging
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TextIO

from sidecar.cli.parsing import whole_number
from sidecar.cli.stopping import stop_signals, wait_for
from sidecar.config import Settings
from sidecar.demo.content.ffmpeg import MediaCancelled, MediaError
from sidecar.demo.content.media import Progress, make_library
from sidecar.demo.protocol.version import Version
from sidecar.demo.robot.robot import Robot
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.users import ACCOUNTS
from sidecar.errors import SidecarError

log = logging.getLogger(__name__)

DEMO_PORT, MOST_PORT = 8096, 65535
# Width of the progress bar, and the number of progress lines where stderr is no terminal.
BAR, PARTS = 30, 10
VOICES = {"12.0": Version.V12_0, "10.11": Version.V10_11}
ROBOT_ACCOUNT = "ann"
PASSWORDS = {one.name: one.password for one in ACCOUNTS}


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How to start the demo server.

    Attributes:
        library: The folder of its media.
        state: The folder of its state.
        robot: Whether a robot plays music.
        speaks: The Jellyfin version that it imitates.
        may_move: If the port is taken, use any free one.
    """

    library: Path
    state: Path
    port: int
    robot: bool
    speaks: Version = Version.V12_0
    may_move: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = "Serve a small Jellyfin with real media of its own, for looking around."
    parser.add_argument(
        "--port",
        type=whole_number(0, MOST_PORT),
        default=DEMO_PORT,
        metavar="N",
        help="0: any free one",
    )
    parser.add_argument(
        "--library", type=Path, metavar="DIR", help="where its media are, or are to be made"
    )
    parser.add_argument(
        "--speaks", choices=sorted(VOICES), default="12.0", help="the version it speaks as"
    )
    parser.add_argument("--robot", action="store_true", help="a robot listens in the kitchen")
    parser.set_defaults(command=serve)


def serve(settings: Settings, asked: argparse.Namespace) -> int:
    """Serve until asked to stop."""
    library: Path = (asked.library or settings.server.data_dir / "demo" / "library").absolute()
    demo = DemoOptions(
        library=library,
        state=library.with_name(f"{library.name}-state"),
        port=asked.port,
        robot=asked.robot,
        speaks=VOICES[asked.speaks],
    )
    with suppress(MediaCancelled), stop_signals() as stop, run_demo(demo, stop) as server:
        print(f"Demo Jellyfin {asked.speaks}: {server.url}")
        print_accounts(sys.stdout)
        sys.stdout.flush()
        wait_for(stop)
    return 0


def print_progress(done: int, total: int, _path: str) -> None:
    """Print how many media files are made: as a bar on a terminal, else as a few lines."""
    told = f"Making the demo's media: {done} of {total}"
    if sys.stderr.isatty():
        full = BAR * done // total
        end = "\n" if done == total else ""
        print(f"\r\033[K{told} [{'#' * full:-<{BAR}}]", end=end, file=sys.stderr, flush=True)
    elif done in {0, total} or PARTS * done // total > PARTS * (done - 1) // total:
        print(told, file=sys.stderr, flush=True)


@contextmanager
def run_demo(
    demo: DemoOptions, stop: Event, progress: Progress = print_progress
) -> Iterator[DemoServer]:
    """Make the media if they do not exist, start the demo server, and stop it in the end.

    Args:
        demo: How to start it.
        stop: Cancels making the media when set.
        progress: Called after each file.

    Raises:
        MediaCancelled: `stop` was set before the media were made.
        SidecarError: The media cannot be made (says what to install), or the port is taken.
    """
    try:
        make_library(demo.library, progress=progress, stop=stop)
    except MediaCancelled:
        print(
            "\nThe demo's media are not finished: the next start goes on with them.",
            file=sys.stderr,
        )
        raise
    except MediaError as trouble:
        raise SidecarError(str(trouble)) from trouble
    except OSError as trouble:
        raise SidecarError(
            f"The demo's media cannot be in {demo.library}: {trouble.strerror}"
        ) from trouble
    server = _start(demo)
    with ExitStack() as stack:
        stack.callback(server.stop)
        stack.enter_context(_robot(server.url if demo.robot else None))
        yield server


def _start(demo: DemoOptions) -> DemoServer:
    try:
        return _listen(demo, demo.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise SidecarError(
                f"The demo cannot have port {demo.port}: {error.strerror}. "
                "Choose another one with --port"
            ) from error
        taken = f"Port {demo.port} is taken, perhaps by a Jellyfin of your own"
        if not demo.may_move:
            raise SidecarError(f"{taken}: choose another one with --port") from error
    print(f"{taken}: the demo takes another one.")
    return _listen(demo, 0)


def _listen(demo: DemoOptions, port: int) -> DemoServer:
    server = DemoServer(demo.library, speaks=demo.speaks, port=port, state_dir=demo.state)
    server.start()
    return server


def print_accounts(to: TextIO) -> None:
    """Print the demo's accounts and their passwords."""
    accounts = ", ".join(f"{name} (password {password})" for name, password in PASSWORDS.items())
    print(f"Demo accounts:    {accounts}", file=to)


@contextmanager
def _robot(url: str | None) -> Iterator[None]:
    if url is None:
        yield
        return
    stop = Event()
    chance = random.Random()  # noqa: S311 - what a robot plays is no secret
    robot = Robot(url, user=ROBOT_ACCOUNT, password=PASSWORDS[ROBOT_ACCOUNT], chance=chance)
    thread = Thread(target=robot.run, args=(stop,), name="robot")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
