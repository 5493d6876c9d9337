"""An account that is followed, as its followers know it: whose it is, and whom they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sidecar.errors import JellyfinError


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedAccount:
    """What every follower of one account is handed.

    Attributes:
        user_id: Whose hearts and rules.
        name: For the log and for finding the devices.
        devices: Gives the ids of the devices that serve an account, by its name.
        tell: Told what stands in the way of asking Jellyfin.
        is_server_there: Whether Jellyfin can be asked now; nothing due is done before.
    """

    user_id: str
    name: str
    devices: Callable[[str], Iterable[str]]
    tell: Callable[[JellyfinError], object]
    is_server_there: Callable[[], bool]
