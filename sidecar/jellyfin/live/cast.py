"""Registers a device folder as a player in the *Cast to Device* menu of an account.

    the account's token, the folder's own DeviceId and Device
        ──▶ its own socket ──▶ capabilities ──▶ in the menu ──▶ PlayOrder
        socket closed ──▶ the server forgets the session ──▶ not in the menu

It reports no playback, since nothing plays: what is sent to it are wishes for files. One token
can have any number of such sessions, and each receives only what is sent to it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial

from sidecar.clock import Clock
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.http.connection import Body
from sidecar.jellyfin.http.responses import check_answer
from sidecar.jellyfin.live.events import News
from sidecar.jellyfin.live.listener import Listener
from sidecar.jellyfin.live.websocket import LiveConnection, open_connection

FIRST_WORD_WITHIN_S = 5.0
CAPABILITIES: Body = {
    "PlayableMediaTypes": ["Audio", "Video"],
    "SupportedCommands": [],
    "SupportsMediaControl": True,
    "SupportsPersistentIdentifier": True,
}


def cast_client(account: Jellyfin, device_id: str, name: str) -> Jellyfin:
    """Return a client with the account's token and a device identity of its own.

    Its device id begins with the account's own, so that its session counts as ours.
    """
    own = account.connection.identity
    client = copy(account)
    client.connection = account.connection.with_identity(
        replace(own, device_id=f"{own.device_id}.{device_id}", device=name)
    )
    return client


def cast_target(
    client: Jellyfin,
    deliver: Callable[[News], None],
    *,
    clock: Clock,
    chance: Callable[[], float],
    open_line: Callable[[], LiveConnection] | None = None,
) -> Listener:
    """Return a listener; while it runs, the device is a cast target.

    Its `second_look` need not be run: what plays elsewhere does not matter here.

    Args:
        client: From `cast_client`.
        deliver: Takes `PlayOrder` and `Command`, among other events; must be quick.
        clock: For all waits.
        chance: Gives numbers in [0, 1).
        open_line: How to open a connection, if not to the client's own server.
    """

    def offer(line: LiveConnection) -> None:
        # The capabilities belong to the session, which has this socket once the server says its
        # first word on it: before, the end of a socket that was lost would end the session.
        line.receive(FIRST_WORD_WITHIN_S)
        path = ("Sessions", "Capabilities", "Full")
        check_answer(client.connection.send("POST", *path, body=CAPABILITIES))

    open_line = open_line or partial(open_connection, client.connection, may_be_large=False)
    return Listener(client, deliver, clock=clock, chance=chance, open_line=open_line, greet=offer)
