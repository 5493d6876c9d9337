"""What a rule is given and what it gives back.

Context ──▶ rule ──▶ Wanted ──▶ services.planning
(who, where, what plays, the library, the rule's holds)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Generic, TypeVar

from sidecar.domain.items import Item
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.rules.library import Library
from sidecar.domain.wishes import Hold, Reason, Wish


class Wake(Enum):
    """What may change a rule's mind. A fresh start, device or setting wakes every rule."""

    PLAYBACK = auto()
    PLAY_ENDED = auto()
    LIBRARY = auto()
    HOUR = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """What can be set of every rule; a rule adds its own.

    Attributes:
        grace: How long a file keeps its place after the rule has ceased to want it.
    """

    enabled: bool = True
    grace: timedelta = timedelta(days=1)


S = TypeVar("S", bound=RuleSettings)


def whole(default: int, *, least: int, most: int) -> int:
    """Return a setting that is a whole number within bounds; for the body of a `RuleSettings`."""
    bounded: int = field(default=default, metadata={"ge": least, "le": most})
    return bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A playlist that a person wants on a device.

    Attributes:
        title: As it was when it was chosen; good enough once it is gone from the server.
    """

    playlist_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Generic[S]):
    """One account and one device at one moment.

    Attributes:
        settings: The rule's, as they are for this device.
        playing: What the account plays in its clients.
        held: What this rule holds for the account on the device now, ended or not.
        chosen: The playlists that the account chose for the device, in order.
    """

    user_id: str
    device_id: str
    settings: S
    now: datetime
    library: Library
    playing: tuple[NowPlaying, ...] = ()
    held: tuple[Hold, ...] = ()
    chosen: tuple[Chosen, ...] = ()

    @property
    def held_sources(self) -> frozenset[str]:
        """The ids of the items because of which the rule holds something."""
        return frozenset(one.reason.source_id for one in self.held)

    def wish(self, item: Item, why: Reason, *, priority: int = 0) -> Wish:
        """Return the wish of this account for an item on this device."""
        return Wish(self.user_id, self.device_id, item, why, priority)


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that a rule wants, the most wanted first: what it does not name it lets go.

    Attributes:
        unsure_of: Sources that could not be looked at as a whole: what is held because of them
            stays held.
        remarks: Sentences for people on what the rule cannot do now, or would do soon.
    """

    wishes: tuple[Wish, ...] = ()
    unsure_of: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[S]):
    """A rule as the registry lists it."""

    name: str
    settings: type[S]
    wakes_on: frozenset[Wake]
    wishes: Callable[[Context[S]], Wanted]
