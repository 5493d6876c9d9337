"""Sessions: one for each client and device, with what it plays.

    id = MD5 of client + device id, so a session has the same id after a restart

They live in memory. A session whose last socket closes is gone at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.authorization import Claim
from sidecar.demo.protocol.formats import NO_ID, TICKS_PER_SECOND, Json, guid_of, now
from sidecar.demo.state.devices import ClientDevice
from sidecar.demo.state.user_data import UserData

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_STILL: Json = {
    "CanSeek": False,
    "IsPaused": False,
    "IsMuted": False,
    "RepeatMode": "RepeatNone",
    "PlaybackOrder": "Default",
}
_CAPABILITIES: Json = {
    "PlayableMediaTypes": [],
    "SupportedCommands": [],
    "SupportsMediaControl": False,
    "SupportsPersistentIdentifier": True,
}


def _still() -> Json:
    return dict(_STILL)


def _capabilities() -> Json:
    return dict(_CAPABILITIES)


@dataclass(slots=True)
class DemoSession:
    """One client on one device.

    Attributes:
        item: What it plays; None for nothing.
        remembered: The user data of `item` as it was when the item was loaded.
        queue: As last reported and kept, which may be another one's than what plays.
        sockets: How many live connections it has.
    """

    id: str
    user_id: str
    client: str
    device: str
    device_id: str
    version: str
    remote: str | None = None
    last_activity: datetime = field(default_factory=now)
    last_check_in: datetime = LONG_AGO
    last_paused: datetime | None = None
    item: DemoItem | None = None
    remembered: UserData | None = None
    play_state: dict[str, Any] = field(default_factory=_still)
    queue: list[Json] = field(default_factory=list)
    playlist_item_id: str | None = None
    capabilities: dict[str, Any] = field(default_factory=_capabilities)
    sockets: int = 0

    @property
    def is_paused(self) -> bool:
        """Whether the player reported a pause."""
        return bool(self.play_state["IsPaused"])

    @property
    def position_ticks(self) -> int:
        """The last known position of the playback."""
        return int(self.play_state.get("PositionTicks") or 0)

    @property
    def is_controllable(self) -> bool:
        """Whether other clients can control it."""
        return bool(self.capabilities["SupportsMediaControl"]) and self.sockets > 0

    def clear_playback(self) -> None:
        """End the playback; the queue, the position in it and the last pause stay."""
        self.item = self.remembered = None
        self.play_state = _still()

    def advance(self, seconds: float) -> bool:
        """Advance the playback; return whether its position changed."""
        if self.item is None or self.is_paused:
            return False
        end = round(self.item.seconds * TICKS_PER_SECOND)
        went = self.position_ticks + round(seconds * TICKS_PER_SECOND)
        self.play_state["PositionTicks"] = min(went, end) if end else went
        self.last_activity = now()
        return True

    def is_abandoned(self, idle_s: float) -> bool:
        """Whether its player has not reported for too long."""
        silent_since = now() - timedelta(seconds=idle_s)
        return self.item is not None and not self.is_paused and self.last_check_in < silent_since


class DemoSessions:
    """All sessions."""

    def __init__(self) -> None:
        self._by_id: dict[str, DemoSession] = {}

    def __iter__(self) -> Iterator[DemoSession]:
        return iter(list(self._by_id.values()))

    def get(self, session_id: str) -> DemoSession | None:
        """Return a session by its id."""
        return self._by_id.get(session_id)

    def join(
        self, device: ClientDevice, claim: Claim, remote: str | None
    ) -> tuple[DemoSession, bool]:
        """Return the session of a request, and whether it is new.

        What the request's header says of the device counts, and what the token's row says
        where it is silent: one token may have several sessions.
        """
        client = claim.client or device.client
        device_id = claim.device_id or device.device_id
        session_id = guid_of(client + device_id)
        session = self._by_id.get(session_id)
        is_fresh = session is None
        if session is None:
            session = DemoSession(
                id=session_id,
                user_id=device.user_id,
                client=client,
                device=claim.device or device.device,
                device_id=device_id,
                version=claim.version or device.version,
            )
            self._by_id[session_id] = session
        session.user_id = device.user_id
        session.remote = remote
        session.last_activity = now()
        return session, is_fresh

    def end(self, session_id: str) -> None:
        """Remove a session."""
        self._by_id.pop(session_id, None)

    def of_device(self, device_id: str) -> list[DemoSession]:
        """Return every session of a device, whoever uses it."""
        return [one for one in self if one.device_id == device_id]

    def visible_to(self, user_id: str, *, is_administrator: bool) -> list[DemoSession]:
        """Return what a user may see, latest activity first: their own, an admin all."""
        seen = (one for one in self if is_administrator or one.user_id in {user_id, NO_ID})
        return sorted(seen, key=lambda one: one.last_activity, reverse=True)
