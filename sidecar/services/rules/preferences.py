"""Pins, exclusions and chosen playlists: what people want and do not want on their devices.

    pin, exclude, choose, want again ──▶ the store ──▶ the account's rules run

It fetches and removes no files itself: it changes what is wanted, and the plan follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.kinds import ALL_MEDIA
from sidecar.domain.rules.context import Chosen
from sidecar.domain.rules.registry import RULE_OF
from sidecar.domain.undo import ItemOnDevice, Reversal
from sidecar.domain.wishes import PIN, PIN_PRIORITY
from sidecar.errors import JellyfinError, NotPossible, NotVisible
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.taken import explain_not_taken
from sidecar.services.library.lookup import ItemSource, expand_item, get_item
from sidecar.services.rules.explain import Explainer, Explanation
from sidecar.services.rules.wishes import WishService
from sidecar.store.stores import Stores

FOLLOWED = frozenset({ItemType.PLAYLIST, ItemType.ARTIST, ItemType.ALBUM, ItemType.SERIES})


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pin of a person on a device.

    Attributes:
        item_id: The item that was pinned: a playable one or a container.
        text: The reason, e.g. "downloaded by you (First Light)".
        files: How many files it holds.
    """

    item_id: str
    text: str
    files: int


@dataclass(frozen=True, slots=True)
class Excluded:
    """An item that is excluded from a rule for a person.

    Attributes:
        device_id: The device; None for all devices.
        title: None if it is not known any more.
    """

    device_id: str | None
    rule: str
    item_id: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Removed:
    """An item that a person removed from a device.

    Attributes:
        title: None if it is not known any more.
    """

    item_id: str
    title: str | None


class PreferenceService:
    """Pins, exclusions and playlists of each person. Thread-safe.

    Every call raises `NotVisible` for a device that is unknown or does not serve the person.
    """

    def __init__(
        self,
        *,
        stores: Stores,
        access: DeviceAccess,
        planning: WishService,
        explaining: Explainer,
        library: Callable[[str], ItemSource],
        wake: Callable[[str], object],
    ) -> None:
        """Prepare.

        Args:
            stores: Holds, tombstones, exclusions, playlists and downloads.
            access: Who may use a device.
            planning: Adds pins and releases holds.
            explaining: Explains why an item is where it is.
            library: Returns the library as an account sees it; raises `SignedOut`.
            wake: Has all rules of an account run, and its favourites listed.
        """
        self._access = access
        self._planning = planning
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._tombstones = stores.tombstones
        self._exclusions = stores.exclusions
        self._chosen = stores.chosen
        self._explaining = explaining
        self._library = library
        self._wake = wake

    # Pins

    def pins(self, person: Person, device_id: str) -> Sequence[Pinned]:
        """List the pins of the person on a device, the oldest first."""
        self._access.settings(person, device_id)
        pins = self._holds.pins_of(person.user_id, device_id)
        return [Pinned(one, text, files) for one, (text, files) in pins.items()]

    def pin(self, person: Person, device_id: str, item_id: str) -> int:
        """Pin an item, or everything that a container holds now; return how many were queued.

        Raises:
            NotVisible: The person's account cannot see the item.
            NotPossible: It holds nothing that can be fetched, or that the device takes.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        self._access.settings(person, device_id)
        library = self._library(person.user_id)
        item = get_item(library, item_id)
        playable = expand_item(library, item)
        taken = self._only_taken(device_id, item, [item] if playable is None else playable)
        queued = self._planning.pin(
            person.user_id,
            device_id,
            item,
            library.items,
            playable=None if playable is None else taken,
        )
        self._wake(person.user_id)
        return queued

    def _only_taken(self, device_id: str, asked: Item, items: Sequence[Item]) -> Sequence[Item]:
        """Return what the device takes of these items.

        Raises:
            NotPossible: It takes none of them.
        """
        not_taken = self._planning.list_not_taken(device_id, items)
        taken = [one for one in items if one.type not in not_taken]
        if not taken:
            raise NotPossible(explain_not_taken(asked.title, next(iter(not_taken.values()))))
        return taken

    def unpin(self, person: Person, device_id: str, item_id: str) -> Reversal:
        """Remove a pin; return what is needed to undo that.

        Raises:
            NotVisible: There is no such pin.
        """
        self._access.settings(person, device_id)
        pinned = [
            one
            for one in self._holds.of_source(person.user_id, PIN, item_id)
            if one.device_id == device_id
        ]
        if not pinned:
            raise NotVisible
        self._planning.end(pinned, even_ending=True)
        self._wake(person.user_id)
        return Reversal(holds=tuple(pinned))

    def pinned_on(self, person: Person, item_id: str) -> frozenset[str]:
        """Return the ids of the devices on which the person has pinned an item."""
        pins = self._holds.of_source(person.user_id, PIN, item_id)
        return frozenset(one.device_id for one in pins if one.release_at is None)

    # Exclusions

    def exclusions(self, person: Person) -> Sequence[Excluded]:
        """List what the person excluded from rules on devices that serve them."""
        return [
            Excluded(device_id, rule, item_id, title)
            for device_id, rule, item_id, title in self._exclusions.all_of(person.user_id)
            if device_id is None or self._access.may_use(person, device_id)
        ]

    def exclude(self, person: Person, device_id: str, rule: str, item_id: str) -> Reversal:
        """Exclude an item from a rule; the rule's holds of it end at once.

        Raises:
            NotVisible: There is no such rule.
        """
        self._access.settings(person, device_id)
        if rule not in RULE_OF:
            raise NotVisible
        self._exclusions.put(person.user_id, rule, item_id, device_id=device_id)
        held = self._holds.of_rule(person.user_id, device_id, rule)
        going = [one for one in held if item_id in {one.item_id, one.reason.source_id}]
        self._planning.end(going, even_ending=True)
        self._wake(person.user_id)
        place = ItemOnDevice(person.user_id, device_id, item_id)
        return Reversal(holds=tuple(going), exclusions=((place, rule),))

    def include(self, person: Person, device_id: str, rule: str, item_id: str) -> None:
        """Remove an exclusion.

        Raises:
            NotVisible: There is no such exclusion.
        """
        self._access.settings(person, device_id)
        if not self._exclusions.remove(person.user_id, rule, item_id, device_id=device_id):
            raise NotVisible
        self._wake(person.user_id)

    # Playlists

    def playlists(self, person: Person, device_id: str) -> Sequence[Chosen]:
        """List what the person keeps in sync on a device, in order: playlists and others."""
        self._access.settings(person, device_id)
        return self._chosen.of(person.user_id, device_id)

    def choose(self, person: Person, device_id: str, playlist_id: str) -> Chosen:
        """Choose a playlist for a device, at the end of the list.

        Raises:
            NotVisible: The person's account cannot see it.
            NotPossible: The item is no playlist.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        self._access.settings(person, device_id)
        item = get_item(self._library(person.user_id), playlist_id)
        if item.type is not ItemType.PLAYLIST:
            raise NotPossible(
                msg("{title} is no playlist: pin it to keep it on a device", title=item.title)
            )
        return self._follow(person, device_id, item)

    def follow(self, person: Person, device_id: str, item_id: str) -> Reversal:
        """Keep a playlist, artist, album or series in sync on a device; return how to undo that.

        Of a series the next three unwatched episodes.

        Raises:
            NotVisible: The person's account cannot see it.
            NotPossible: It is nothing that can be kept in sync.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        self._access.settings(person, device_id)
        item = get_item(self._library(person.user_id), item_id)
        if item.type not in FOLLOWED:
            raise NotPossible(msg("{title} is nothing that is kept in sync", title=item.title))
        chosen = self._follow(person, device_id, item)
        return Reversal(followed=((person.user_id, device_id, chosen),))

    def is_followed(self, person: Person, device_id: str, item_id: str) -> bool:
        """Return whether the person keeps something in sync on a device."""
        self._access.settings(person, device_id)
        return any(one.playlist_id == item_id for one in self._chosen.of(person.user_id, device_id))

    def _follow(self, person: Person, device_id: str, item: Item) -> Chosen:
        chosen = Chosen(playlist_id=item.id, title=item.title, kind=item.type)
        self._chosen.choose(person.user_id, device_id, chosen)
        self._wake(person.user_id)
        return chosen

    def drop(self, person: Person, device_id: str, playlist_id: str) -> Reversal:
        """Remove a playlist from those chosen for a device; return what is needed to undo that.

        Raises:
            NotVisible: It was not chosen.
        """
        self._access.settings(person, device_id)
        chosen = self._chosen.of(person.user_id, device_id)
        if not self._chosen.drop(person.user_id, device_id, playlist_id):
            raise NotVisible
        self._wake(person.user_id)
        dropped = [one for one in chosen if one.playlist_id == playlist_id]
        return Reversal(playlists=tuple((person.user_id, device_id, one) for one in dropped))

    # Removed items and explanations

    def removed(self, person: Person, device_id: str) -> Sequence[Removed]:
        """List what the person removed from a device, and what no rule fetches again."""
        self._access.settings(person, device_id)
        found = self._tombstones.titles(person.user_id, device_id)
        return [Removed(one, title) for one, title in found.items()]

    def want_again(self, person: Person, device_id: str, item_id: str) -> None:
        """Let rules fetch an item again that the person removed.

        Raises:
            NotVisible: The person did not remove it.
        """
        self._access.settings(person, device_id)
        if not self._tombstones.forget(person.user_id, device_id, item_id):
            raise NotVisible
        holds = self._holds.of_item(device_id, item_id)
        own = [one for one in holds if one.user_id == person.user_id]
        lasting = {one.reason.rule for one in own if one.release_at is None}
        # Only a new hold brings back a removed item, so holds that are ending are dropped.
        ending = [one for one in own if one.release_at is not None]
        self._planning.end(ending, even_ending=True)
        there = self._downloads.queries.by_item(device_id, item_id)
        if lasting and there is not None and there.status is Status.REMOVED:
            priority = PIN_PRIORITY if PIN in lasting else 0
            self._downloads.transitions.want_again(there, user_id=person.user_id, priority=priority)
        self._wake(person.user_id)

    def why(self, person: Person, device_id: str, item_id: str) -> Explanation:
        """Explain why an item is on a device, or why it is not."""
        settings = self._access.settings(person, device_id)
        item_type = None
        if settings.takes != ALL_MEDIA:
            item_type = self._type_of(person, device_id, item_id)
        return self._explaining.why(person, device_id, item_id, item_type)

    def _type_of(self, person: Person, device_id: str, item_id: str) -> str | None:
        """Return the type of an item: of its download, or by Jellyfin; None if it is not known."""
        row = self._downloads.queries.by_item(device_id, item_id)
        if row is not None:
            return row.item_type
        try:
            return self._library(person.user_id).item(item_id).type
        except JellyfinError:
            return None
