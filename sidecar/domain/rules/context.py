"""What a rule consists of, its input and its output.

Context ──▶ rule ──▶ Wanted ──▶ services.rules.wishes
(who, where, what plays, the library, the rule's holds)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Generic, TypeVar

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.selection import Selection
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.rules.library import Library
from sidecar.domain.wishes import EvictionClass, Hold, Reason, Wish
from sidecar.messages import translatable


class Wake(Enum):
    """What makes a rule run again. A start, a new device or a changed setting runs all rules."""

    PLAYBACK = auto()
    PLAY_ENDED = auto()
    LIBRARY = auto()
    HOUR = auto()
    FILLING = auto()


# For the body of a `RuleSettings`. The metadata is what `pydantic.Field` calls it.


def switch(*, default: bool, label: str, details: str = "") -> bool:
    """Return a setting that is on or off.

    Args:
        default: What counts if nobody sets it.
        label: Its name for people, in English.
        details: A sentence for people, where the label does not say it all.
    """
    setting: bool = field(default=default, metadata=_field_schema(label, details))
    return setting


def whole_number_setting(
    default: int, *, least: int, most: int, label: str, details: str = ""
) -> int:
    """Return a setting that is a whole number within bounds."""
    bounds = {"ge": least, "le": most}
    setting: int = field(default=default, metadata={**_field_schema(label, details), **bounds})
    return setting


def slider_setting(default: int, *, named: Mapping[int, str], label: str, details: str = "") -> int:
    """Return a setting that is a whole number between the first and the last named value.

    Args:
        default: What counts if nobody sets it.
        named: What some of its values are called, in English, in order.
        label: Its name for people, in English.
        details: A sentence for people, where the label does not say it all.
    """
    bounds = {"ge": min(named), "le": max(named)}
    names = {"json_schema_extra": {"named": list(named.items())}}
    metadata = {**_field_schema(label, details), **bounds, **names}
    setting: int = field(default=default, metadata=metadata)
    return setting


def duration_setting(default: timedelta, *, label: str, details: str = "") -> timedelta:
    """Return a setting that is a time: "30 seconds", "1 day"."""
    setting: timedelta = field(default=default, metadata=_field_schema(label, details))
    return setting


def enabled_setting(*, default: bool) -> bool:
    """Return the setting `enabled`, which every rule has."""
    return switch(default=default, label=translatable("On"))


def grace_setting(default: timedelta) -> timedelta:
    """Return the setting `grace`: how long a file is held after the rule has let it go."""
    label = translatable("Keep after it is no longer needed, for")
    return duration_setting(default, label=label)


def _field_schema(label: str, details: str) -> dict[str, object]:
    return {"title": label, "description": details or None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """The settings that every rule has; a rule adds its own."""

    enabled: bool = enabled_setting(default=True)
    grace: timedelta = grace_setting(timedelta(days=1))


S = TypeVar("S", bound=RuleSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A playlist, or another container, that a person wants on a device and kept in sync.

    Attributes:
        playlist_id: Its id, whatever its kind.
        kind: A playlist, an artist, an album or a series.
        title: From when it was chosen; used after it is gone from the server.
    """

    playlist_id: str
    title: str
    kind: ItemType = ItemType.PLAYLIST


@dataclass(frozen=True, slots=True)
class Filling:
    """What was chosen to fill a device for an account, and why, as a message."""

    item: Item
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSelection:
    """A saved filter that a person keeps in sync on a device.

    Attributes:
        matched: How many files it matched when that was last believed; None if it never was.
        keeps_all: Its owner was asked and wants nothing removed, until it matches as much again.
    """

    id: str
    name: str
    asked: Selection
    matched: int | None = None
    keeps_all: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """How many files a saved filter matches now; doubtful if that is far too few."""

    kept: KeptSelection
    files: int
    is_doubtful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Generic[S]):
    """The input of a rule: one account and one device at one moment.

    Attributes:
        settings: The rule's, for this device.
        playing: What the account plays in its clients.
        held: What this rule holds for the account on the device now, ended or not.
        chosen: The playlists that the account chose for the device, in order.
        filling: What fills the device for the account; None as long as it was not chosen today.
        selections: The saved filters that the account keeps in sync on the device, in order.
    """

    user_id: str
    device_id: str
    settings: S
    now: datetime
    library: Library
    playing: tuple[NowPlaying, ...] = ()
    held: tuple[Hold, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    filling: tuple[Filling, ...] | None = None
    selections: tuple[KeptSelection, ...] = ()

    @property
    def held_sources(self) -> frozenset[str]:
        """The ids of the sources of the rule's holds."""
        return frozenset(one.reason.source_id for one in self.held)

    def wish(self, item: Item, why: Reason, *, priority: int = 0) -> Wish:
        """Return the wish of this account for an item on this device."""
        return Wish(self.user_id, self.device_id, item, why, priority)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The output of a rule: all that it wants, best first. It releases all other holds of its own.

    Attributes:
        unsure_of: Sources that could not be read completely: what is held because of them
            stays held.
        remarks: Messages about what the rule cannot do now, or would do soon.
        matched: What saved filters match now.
    """

    wishes: tuple[Wish, ...] = ()
    unsure_of: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()
    matched: tuple[Matched, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[S]):
    """The description of a rule.

    Attributes:
        name: In the settings file, the database and the API.
        label: Its name for people, in English.
        description: What it does, in a sentence for people, in English.
        icon: Shown with its reasons; one of those in `static/build.mjs`.
        strength: The eviction class of its files.
        order: Its place among the rules: a lower one runs first and is shown first.
        settings: The class of its settings.
    """

    name: str
    label: str
    description: str
    icon: str
    strength: EvictionClass
    order: int
    settings: type[S]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedRule(Rule[S]):
    """A rule that is computed anew for each account and device when something has changed.

    Attributes:
        wakes_on: What makes it run again.
        wishes: Computes all that it wants now.
    """

    wakes_on: frozenset[Wake]
    wishes: Callable[[Context[S]], Wanted]
