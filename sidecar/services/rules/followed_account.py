"""What the followers of an account share: whose account it is, its devices, error reporting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sidecar.errors import JellyfinError


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedAccount:
    """An account as its followers see it.

    Attributes:
        user_id: The account's id.
        name: Its name, for the log and to find its devices.
        devices: Returns the ids of the devices that serve an account, by its name.
        tell: Takes the errors of asking Jellyfin.
        is_server_there: Whether Jellyfin can be asked now; until then nothing due is done.
    """

    user_id: str
    name: str
    devices: Callable[[str], Iterable[str]]
    tell: Callable[[JellyfinError], object]
    is_server_there: Callable[[], bool]
