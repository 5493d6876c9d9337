"""Runs the sidecar on the demo server, where no Jellyfin is configured; loaded only then."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from threading import Event

from sidecar.cli.commands.demo import (
    DEMO_PORT,
    DemoOptions,
    print_accounts,
    print_progress,
    run_demo,
)
from sidecar.cli.demo_place import demo_place, demo_settings
from sidecar.cli.stopping import StoppedEarly, wait_for
from sidecar.config import Settings
from sidecar.demo.content.ffmpeg import FfmpegMissing, MediaCancelled
from sidecar.errors import SidecarError
from sidecar.runtime import Prepare
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.web.starting import MAKING_MEDIA, NO_FFMPEG, Startup, StartupStep


def prepare(
    settings: Settings,
    *,
    robot: bool,
    stop: Event,
    stack: ExitStack,
    set_up: SetUpService,
) -> tuple[Settings, Prepare]:
    """Return the settings on the demo, and what starts the demo server.

    Args:
        settings: Those of the file and the environment.
        robot: Whether a robot plays music.
        stop: Ends the making of the media.
        stack: Stops the server when it is closed.
        set_up: The first set-up; once it is done, the media need not be made.
    """
    place = demo_place(settings)
    demo = DemoOptions(
        library=place / "library",
        state=place / "jellyfin",
        port=DEMO_PORT,
        robot=robot,
        may_move=True,
    )
    if not settings.devices:
        try:
            (place / "stick").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SidecarError(
                f"The demo cannot be kept in {place}: {error.strerror}; choose another folder "
                "with server.data_dir"
            ) from error
    settings = demo_settings(settings)
    return settings, partial(
        _start_demo, settings=settings, demo=demo, stop=stop, stack=stack, set_up=set_up
    )


class _AnyOf(Event):
    """Is set as soon as one of several events is."""

    def __init__(self, *events: Event) -> None:
        super().__init__()
        self._events = events

    def is_set(self) -> bool:
        """Whether one of them is set."""
        return any(one.is_set() for one in self._events)


def _start_demo(
    page: str,
    startup: Startup,
    *,
    settings: Settings,
    demo: DemoOptions,
    stop: Event,
    stack: ExitStack,
    set_up: SetUpService,
) -> Settings:
    """Start the demo server, while the starting page shows how its media are made.

    It is stopped when `stack` is closed. Returns the settings with its address.
    """

    def tell(done: int, total: int, path: str) -> None:
        startup.now = StartupStep(MAKING_MEDIA, done, total)
        if done == 0:
            print("The demo makes its own media first, once. How far it is, here and on the page:")
            print(page, flush=True)
        print_progress(done, total, path)

    print("No Jellyfin server is configured: this is the demo.")
    print(f"Your own Jellyfin: {page}/setup  (from another machine with the code {set_up.code})")
    sys.stdout.flush()
    try:
        server = stack.enter_context(run_demo(demo, _AnyOf(stop, set_up.done), tell))
    except MediaCancelled as stopped:
        raise StoppedEarly(str(stopped)) from None
    except SidecarError as trouble:
        if not isinstance(trouble.__cause__, FfmpegMissing):
            raise
        # Who wants their own Jellyfin needs no demo: the set-up stays open.
        startup.now = StartupStep(NO_FFMPEG, is_stuck=True)
        print(trouble, page, sep="\n", flush=True)
        wait_for(stop, set_up.done)
        raise StoppedEarly(str(trouble)) from None
    startup.now = StartupStep()
    set_up.demo_id = server.core.server_id
    print(f"Demo Jellyfin:    {server.url}")
    print_accounts(sys.stdout)
    return settings.with_demo("jellyfin", url=server.url)
