"""What takes an action back: values that say what was before it, put together for many at once.

What is told to the web is a token; what stands behind it are these values, so that undoing is
ordinary commands with ordinary rights, done later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from sidecar.domain.rules.context import Chosen
from sidecar.domain.wishes import PIN, Hold, Reason
from sidecar.messages import msg


@dataclass(frozen=True, slots=True)
class Place:
    """An item on a device, for a user."""

    user_id: str
    device_id: str
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What has to be done so that an action never was.

    Attributes:
        holds: Kept again.
        tombstones: Lifted: rules may fetch these again.
        exclusions: Lifted, each with its rule.
        playlists: Chosen again, each for a user and a device.
        resume, pause: Downloads that are to go on, or to pause, again.
    """

    holds: tuple[Hold, ...] = ()
    tombstones: tuple[Place, ...] = ()
    exclusions: tuple[tuple[Place, str], ...] = ()
    playlists: tuple[tuple[str, str, Chosen], ...] = ()
    resume: tuple[int, ...] = ()
    pause: tuple[int, ...] = ()

    @property
    def user_ids(self) -> frozenset[str]:
        """Whose wishes it changes."""
        return frozenset(user_id for user_id, _ in self._list_concerned())

    @property
    def device_ids(self) -> frozenset[str]:
        """The devices on which it changes wishes."""
        return frozenset(device_id for _, device_id in self._list_concerned())

    def _list_concerned(self) -> Iterator[tuple[str, str]]:
        for hold in self.holds:
            yield hold.user_id, hold.device_id
        for place in (*self.tombstones, *(one for one, _ in self.exclusions)):
            yield place.user_id, place.device_id
        for user_id, device_id, _ in self.playlists:
            yield user_id, device_id


def merge_reversals(reversals: Iterable[Reversal | None]) -> Reversal | None:
    """Return what takes all of these back; None if nothing can be taken back."""
    found = [one for one in reversals if one is not None]
    if not found:
        return None
    names = [one.name for one in fields(Reversal)]
    return Reversal(**{name: sum((getattr(one, name) for one in found), ()) for name in names})


def reverse_release(
    device_id: str, item_id: str, leaving: Iterable[str], dropped: Iterable[Hold]
) -> Reversal:
    """Return what gives an item back to those who gave it up.

    Whoever asked for it without a hold that lasts asks for it again.
    """
    lasting = [one for one in dropped if one.release_at is None]
    users = sorted(leaving)
    pinned = [
        Hold(0, user_id, device_id, item_id, Reason(PIN, item_id, msg("you asked for it")), None)
        for user_id in users
        if user_id not in {one.user_id for one in lasting}
    ]
    return Reversal(
        holds=(*lasting, *pinned),
        tombstones=tuple(Place(user_id, device_id, item_id) for user_id in users),
    )
