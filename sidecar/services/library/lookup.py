"""What a person asks for, looked up through their own account: what it cannot see is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sidecar.domain.items.item import CONTAINERS, PLAYABLE, Item, ItemLookup
from sidecar.errors import NotAllowed, NotFound, NotPossible, NotVisible, UnexpectedAnswer
from sidecar.jellyfin.listing import Listing
from sidecar.messages import msg


class ItemSource(ItemLookup, Protocol):
    """The library as one account sees it: `jellyfin.client.Jellyfin`."""

    def item(self, item_id: str) -> Item:
        """Return one item; raises `NotFound` for what the account cannot see."""

    def expand(self, item: Item) -> Listing:
        """List the playable items of a container."""


def get_item(library: ItemSource, item_id: str) -> Item:
    """Return an item.

    Raises:
        NotVisible: The account may not see it, or there is none.
        errors.JellyfinError: It cannot be asked.
    """
    try:
        return library.item(item_id)
    except (NotFound, NotAllowed):
        raise NotVisible from None


def expand_item(library: ItemSource, item: Item) -> Sequence[Item] | None:
    """Return what a container holds, in order; None for what has a file of its own.

    Raises:
        NotPossible: There is nothing in it that can be fetched.
        errors.JellyfinError: It cannot be asked, or did not list all of it.
    """
    if item.type in PLAYABLE:
        return None
    if item.type not in CONTAINERS:
        raise NotPossible(msg("{title} is nothing that can be fetched", title=item.title))
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
        raise NotPossible(msg("There is nothing in {title} that can be fetched", title=item.title))
    return listing.items
