"""Finds Jellyfin servers on the local network, as Jellyfin's own clients do: a question by UDP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.address import Address

PORT = 7359
QUESTION = b"Who is JellyfinServer?"
EVERYWHERE: tuple[tuple[str, int], ...] = (("255.255.255.255", PORT), ("127.0.0.1", PORT))
LISTEN_S = 1.0
LARGEST_BYTES = 4096
MOST_SERVERS = 20
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server that has answered: its address and its name."""

    address: str
    name: str


def discover(clock: Clock, to: Iterable[tuple[str, int]] = EVERYWHERE) -> Sequence[FoundServer]:
    """Ask who is there, and listen for a second; nothing if no question can be sent."""
    found: dict[str, FoundServer] = {}
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for place in to:
            with suppress(OSError):
                asking.sendto(QUESTION, place)
        until = clock.monotonic() + LISTEN_S
        while (left := until - clock.monotonic()) > 0 and len(found) < MOST_SERVERS:
            asking.settimeout(left)
            try:
                answer = _read(asking.recv(LARGEST_BYTES))
            except TimeoutError:
                break
            except OSError:
                continue
            if answer is not None:
                found.setdefault(answer.address, answer)
    return tuple(found.values())


def _read(answer: bytes) -> FoundServer | None:
    try:
        told = json.loads(answer)
        address, name = str(told["Address"]), str(told.get("Name") or "Jellyfin")
        return FoundServer(Address.of(address).base, name[:LONGEST_NAME])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UnexpectedAnswer):
        return None
