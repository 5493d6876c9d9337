"""Looks up and expands items with a person's account; hidden items count as nonexistent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sidecar.domain.items.item import CONTAINERS, PLAYABLE, Item, ItemType
from sidecar.errors import NotAllowed, NotFound, NotPossible, NotVisible, UnexpectedAnswer
from sidecar.jellyfin.listing import Listing
from sidecar.messages import msg


class ItemSource(Protocol):
    """The library as one account sees it: `jellyfin.client.Jellyfin`."""

    def item(self, item_id: str) -> Item:
        """Return one item; raises `NotFound` for one that the account cannot see."""

    def items(self, ids: Iterable[str]) -> Mapping[str, Item]:
        """Return full items by their ids; what the account cannot see is left out."""

    def expand(self, item: Item) -> Listing:
        """List the playable items of a container."""


def get_item(library: ItemSource, item_id: str) -> Item:
    """Return an item.

    Raises:
        NotVisible: The account may not see it, or it does not exist.
        errors.JellyfinError: Jellyfin cannot be asked.
    """
    try:
        return library.item(item_id)
    except (NotFound, NotAllowed):
        raise NotVisible from None


def expand_item(library: ItemSource, item: Item) -> Sequence[Item] | None:
    """Return the playable items of a container, in order; None for a playable item in one file.

    Raises:
        NotPossible: It contains nothing that can be fetched, or is a whole library.
        NotVisible: The account may not see it.
        errors.JellyfinError: Jellyfin cannot be asked, or did not list all of it.
    """
    if item.type in PLAYABLE:
        return library.expand(item).items if item.parts > 1 else None
    if item.type is ItemType.LIBRARY:
        text = msg(
            "{title} is a whole library: download it, then it is asked first", title=item.title
        )
        raise NotPossible(text)
    if item.type not in CONTAINERS:
        raise NotPossible(msg("{title} is nothing that can be downloaded", title=item.title))
    try:
        listing = library.expand(item)
    except NotFound:
        raise NotVisible from None
    if not listing.complete:
        text = msg(
            "Jellyfin did not list all of {title}: nothing was changed, try again", title=item.title
        )
        raise UnexpectedAnswer(text)
    if not listing.items:
        raise NotPossible(
            msg("There is nothing in {title} that can be downloaded", title=item.title)
        )
    return listing.items
