"""Values that describe how to undo actions, and how to merge them for many actions.

The web gets a token for such a value; undoing carries out ordinary commands with ordinary
permissions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from sidecar.domain.player_logs.states import UserState
from sidecar.domain.rules.context import Chosen
from sidecar.domain.wishes import PIN, Hold, Reason
from sidecar.messages import msg


@dataclass(frozen=True, slots=True)
class ItemOnDevice:
    """An item on a device, for a user."""

    user_id: str
    device_id: str
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkBefore:
    """What Jellyfin knew of an item for a user before it was marked; None was not changed.

    Attributes:
        is_favourite: Whether it was a favourite.
        played: How it was played; the heart in it counts for nothing.
        within: The container that was marked with all that is in it.
        ticked: Whether it was marked as played, or as not played.
    """

    user_id: str
    item_id: str
    is_favourite: bool | None = None
    played: UserState | None = None
    within: str | None = None
    ticked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What has to be done to undo an action.

    Attributes:
        holds: To be kept again.
        pins: To be released: they came with the action.
        removed: To be a person's removals again: rules must not fetch these.
        tombstones: To be removed: rules may fetch these again.
        exclusions: To be removed, each with its rule.
        playlists: To be chosen again, each for a user and a device.
        followed: To be chosen no more, likewise.
        resume, pause: Downloads to be resumed or paused again.
        orders: To be withdrawn, as long as no machine has begun them.
        marks: In Jellyfin, to be as they were.
        settings: Of rules on devices, to be as they were: device, rule, key, value and the one that
            was set, each None for the one in the settings file.
    """

    holds: tuple[Hold, ...] = ()
    pins: tuple[Hold, ...] = ()
    removed: tuple[ItemOnDevice, ...] = ()
    tombstones: tuple[ItemOnDevice, ...] = ()
    exclusions: tuple[tuple[ItemOnDevice, str], ...] = ()
    playlists: tuple[tuple[str, str, Chosen], ...] = ()
    followed: tuple[tuple[str, str, Chosen], ...] = ()
    resume: tuple[int, ...] = ()
    pause: tuple[int, ...] = ()
    orders: tuple[int, ...] = ()
    marks: tuple[MarkBefore, ...] = ()
    settings: tuple[tuple[str, str, str, object, object], ...] = ()

    @property
    def user_ids(self) -> frozenset[str]:
        """The accounts whose wishes or marks it changes."""
        marked = {one.user_id for one in self.marks}
        return frozenset(user_id for user_id, _ in self._list_concerned()) | marked

    @property
    def device_ids(self) -> frozenset[str]:
        """The devices on which it changes wishes."""
        return frozenset(device_id for _, device_id in self._list_concerned())

    def _list_concerned(self) -> Iterator[tuple[str, str]]:
        for hold in (*self.holds, *self.pins):
            yield hold.user_id, hold.device_id
        excluded = (one for one, _ in self.exclusions)
        for place in (*self.tombstones, *self.removed, *excluded):
            yield place.user_id, place.device_id
        for user_id, device_id, _ in (*self.playlists, *self.followed):
            yield user_id, device_id


def merge_reversals(reversals: Iterable[Reversal | None]) -> Reversal | None:
    """Merge these into one; None if nothing can be undone."""
    found = [one for one in reversals if one is not None]
    if not found:
        return None
    names = [one.name for one in fields(Reversal)]
    return Reversal(**{name: sum((getattr(one, name) for one in found), ()) for name in names})


def reverse_release(
    device_id: str, item_id: str, leaving: Iterable[str], dropped: Iterable[Hold]
) -> Reversal:
    """Return how to undo the release of an item.

    Users without a lasting hold on it ask for it again.
    """
    lasting = [one for one in dropped if one.release_at is None]
    users = sorted(leaving)
    pinned = [
        Hold(0, user_id, device_id, item_id, Reason(PIN, item_id, msg("downloaded by you")), None)
        for user_id in users
        if user_id not in {one.user_id for one in lasting}
    ]
    return Reversal(
        holds=(*lasting, *pinned),
        tombstones=tuple(ItemOnDevice(user_id, device_id, item_id) for user_id in users),
    )
