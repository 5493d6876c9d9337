"""Adds items that a person asks for, with the contents of albums, series and playlists.

    ids ─▶ looked up with this person's account ─▶ containers expanded ─▶ pinned ─▶ the queue

An item that Jellyfin hides from the person is answered like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.domain.downloads.download import NOT_TAKEN, Download
from sidecar.domain.items.item import CONTAINERS, Item, ItemType
from sidecar.domain.items.kinds import TYPE_OF, MediaKind
from sidecar.domain.undo import Place, Reversal
from sidecar.domain.wishes import PIN, Hold
from sidecar.errors import NotAllowed, NotFound
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.whole import measure
from sidecar.messages import Size, msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.taken import explain_not_taken
from sidecar.services.downloads.commands import AddedItem, AddResult, QueuedDownload
from sidecar.services.rules.wishes import WishService, refusal
from sidecar.store.stores import Stores

MOST_SHOWN = 1000
MOST_ASKED = 10
# The code of the question before a whole library is fetched.
WHOLE_LIBRARY = "whole-library"


class AddDownloads:
    """Adds items for a person. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        accounts: AccountService,
        planning: WishService,
        registry: DeviceRegistry,
        access: DeviceAccess,
    ) -> None:
        self._accounts = accounts
        self._planning = planning
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._tombstones = stores.tombstones
        self._registry = registry
        self._devices = stores.devices
        self._access = access

    def add(
        self,
        person: Person,
        item_ids: Sequence[str],
        *,
        device: str | None = None,
        priority: int | None = None,
        whole: bool = False,
    ) -> Sequence[AddedItem]:
        """Pin items and queue their downloads; see `DownloadActions.add`."""
        wanted = list(dict.fromkeys(item_ids))
        device_id = self.device(person, device)
        if device_id is None:
            text = msg("There is no such device for this account")
            text = (
                text if device else msg("No device takes files for this account: plug one in first")
            )
            return [AddedItem(one, "", AddResult.REFUSED, text, code="no-device") for one in wanted]
        client = self._accounts.client(person.user_id)
        found = _look_up(client, wanted)
        return [
            _unknown(one)
            if one not in found
            else self._ask_first(client, device_id, found[one])
            if found[one].type is ItemType.LIBRARY and not whole
            else self._one(person, client, device_id, found[one], priority)
            for one in wanted
        ]

    def device(self, person: Person, wanted: str | None) -> str | None:
        """Return the id of a device, given by id or name, that this person may use; else None.

        For `wanted` None the first one that serves this person. A device that is not attached
        will do if it was ever attached: the downloads wait for it.
        """
        known = {one.name: one.id for one in self._devices.all()}
        known |= {one.settings.name: one.id for one in self._registry.all()}
        for settings in self._registry.settings():
            device_id = known.get(settings.name)
            # Without a name the device must serve this person; an admin may name any.
            serves = self._access.to(person, settings) if wanted else settings.serves(person.name)
            if device_id and serves and wanted in {None, device_id, settings.name}:
                return device_id
        return None

    def _ask_first(self, client: Jellyfin, device_id: str, library: Item) -> AddedItem:
        """Return the question whether a whole library is meant, with what it holds."""
        kinds = [one for one in MediaKind if not self._planning.not_taken(device_id, TYPE_OF[one])]
        try:
            found = measure(client, library, kinds)
        except (NotFound, NotAllowed):
            return _unknown(library.id)
        if not found.files:
            return _refused(library, "empty", msg("has nothing in it that can be fetched"))
        size = (
            msg("about {size}", size=Size(found.bytes)) if found.is_estimate else Size(found.bytes)
        )
        text = msg(
            "{title} is a whole library with {files} files, {size}: nothing of it is queued until "
            "somebody says that all of it is meant",
            title=library.title,
            files=found.files,
            size=size,
        )
        return AddedItem(library.id, library.title, AddResult.REFUSED, text, code=WHOLE_LIBRARY)

    def _one(
        self, person: Person, client: Jellyfin, device_id: str, item: Item, priority: int | None
    ) -> AddedItem:
        if (never := _never(item)) is not None:
            return never
        playable: Sequence[Item] | None = None
        text = ""
        if item.type in CONTAINERS or item.parts > 1:
            try:
                listing = client.expand(item)
            except NotFound:
                return _unknown(item.id)
            playable = list({one.id: one for one in listing.items}.values())
            if not listing.complete:
                text = msg("Jellyfin did not list all of it: ask again for the rest")
            if not playable:
                return _refused(item, "empty", msg("has nothing in it that can be fetched"))
        files = [item] if playable is None else playable
        not_taken = self._not_taken(device_id, files)
        taken = [one for one in files if one.type not in not_taken]
        if not taken:
            return _not_taken(item, next(iter(not_taken.values())))

        def describe(ids: Sequence[str]) -> dict[str, Item]:
            return {item.id: item} if playable is None else client.items(ids)

        wanted = None if playable is None else taken
        pinned_before = {one.id for one in self._pins(person, device_id, item)}
        removed_before = self._tombstones.items(person.user_id, device_id)
        queued = self._planning.pin(person.user_id, device_id, item, describe, playable=wanted)
        rows = [self._downloads.queries.by_item(device_id, one.id) for one in taken]
        there = [one for one in rows if one is not None]
        if priority is not None:
            for one in there:
                self._downloads.queue.prioritise(one, priority)
        pins = [one for one in self._pins(person, device_id, item) if one.id not in pinned_before]
        ids = {one.id for one in taken}
        undo = Reversal(
            pins=tuple(pins),
            removed=tuple(
                Place(person.user_id, device_id, one) for one in sorted(removed_before & ids)
            ),
        )
        return self._told(item, there, queued, text, undo if pins else None)

    def _pins(self, person: Person, device_id: str, item: Item) -> list[Hold]:
        """Return the lasting pins of a person that came from an item."""
        held = self._holds.of_source(person.user_id, PIN, item.id)
        return [one for one in held if one.device_id == device_id and one.release_at is None]

    def _not_taken(self, device_id: str, items: Sequence[Item]) -> dict[ItemType, str]:
        """Return which types the device does not take, each with the sentence that says so."""
        types = dict.fromkeys(one.type for one in items)
        told = {one: self._planning.not_taken(device_id, one) for one in types}
        return {one: text for one, text in told.items() if text is not None}

    def _told(
        self,
        item: Item,
        there: Sequence[Download],
        queued: int,
        more: str,
        undo: Reversal | None,
    ) -> AddedItem:
        if not there:
            return _refused(
                item, "not-described", msg("could not be described by Jellyfin: try again")
            )
        result = AddResult.QUEUED if queued else AddResult.EXISTS
        files = (
            msg("{queued} of {total} files are queued", queued=queued, total=len(there))
            if len(there) > 1
            else msg("is queued")
        )
        text = files if queued else msg("is here or in the queue already")
        if more:
            text = msg("{text}; {more}", text=text, more=more)
        text = msg("{title}: {text}", title=item.title, text=text)
        return AddedItem(
            item.id, item.title, result, text, self._refs(there), queued=queued, undo=undo
        )

    def _refs(self, there: Sequence[Download]) -> Sequence[QueuedDownload]:
        shown = there[:MOST_SHOWN]
        places = self._downloads.queries.positions([one.id for one in shown])
        return [QueuedDownload(one.id, one.status, places.get(one.id)) for one in shown]


def _never(item: Item) -> AddedItem | None:
    """Return the refusal of what can never be fetched."""
    if item.type is ItemType.OTHER:
        return _refused(item, "not-playable", msg("is nothing that can be fetched"))
    if item.disc_folder is not None and (why := refusal(item)) is not None:
        return AddedItem(item.id, item.title, AddResult.REFUSED, why.message, code=why.code)
    return None


def _look_up(client: Jellyfin, item_ids: Sequence[str]) -> dict[str, Item]:
    """Return items and containers; a genre or a library may be found only by its own address."""
    found = client.visible_items(item_ids)
    if len(item_ids) == 1:
        return found
    for one in [one for one in item_ids if one not in found][:MOST_ASKED]:
        try:
            found[one] = client.item(one)
        except (NotFound, NotAllowed):
            continue
    return found


def _unknown(item_id: str) -> AddedItem:
    text = msg("Jellyfin does not know this item, or hides it from this account")
    return AddedItem(item_id, "", AddResult.NOT_FOUND, text, code="unknown-item")


def _not_taken(item: Item, why: str) -> AddedItem:
    text = explain_not_taken(item.title, why)
    return AddedItem(item.id, item.title, AddResult.REFUSED, text, code=NOT_TAKEN)


def _refused(item: Item, code: str, text: str) -> AddedItem:
    return AddedItem(
        item.id,
        item.title,
        AddResult.REFUSED,
        msg("{title} {what}", title=item.title, what=text),
        code=code,
    )
