"""Adds items that a person asks for, with the contents of albums, series and playlists.

    ids ─▶ looked up with this person's account ─▶ containers expanded ─▶ pinned ─▶ the queue

An item that Jellyfin hides from the person is answered like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sidecar.domain.downloads.download import NOT_TAKEN
from sidecar.domain.items.item import CONTAINERS, Item, ItemType
from sidecar.domain.items.kinds import TYPE_OF, MediaKind
from sidecar.domain.undo import ItemOnDevice, Reversal
from sidecar.domain.wishes import Hold, Wish
from sidecar.errors import NotAllowed, NotFound
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.whole import measure
from sidecar.messages import Size, msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.taken import explain_not_taken
from sidecar.services.downloads.commands import AddedItem, AddResult
from sidecar.services.rules.wishes import WishService, make_pin, refusal
from sidecar.store.downloads.queries import Turn
from sidecar.store.rules.holds import WishFacts
from sidecar.store.stores import Stores

MOST_SHOWN = 1000
MOST_ASKED = 10
# The code of the question before a whole library is fetched.
WHOLE_LIBRARY = "whole-library"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """An item with its files that can be fetched.

    Attributes:
        is_whole: It is a container, or a film in several parts.
        remark: What there is to say about the list of files.
    """

    item: Item
    files: Sequence[Item]
    is_whole: bool
    remark: str


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
        to = self._find_device(person, device)
        if to is None:
            text = msg("There is no such device for this account")
            text = text if device else msg("No device is there for this account: plug one in first")
            return [AddedItem(one, "", AddResult.REFUSED, text, code="no-device") for one in wanted]
        device_id, name = to
        client = self._accounts.client(person.user_id)
        found = _look_up(client, wanted)
        asked = [
            _unknown(one)
            if one not in found
            else self._ask_first(client, device_id, found[one])
            if found[one].type is ItemType.LIBRARY and not whole
            else self._expand(client, device_id, found[one])
            for one in wanted
        ]
        chosen = [one for one in asked if isinstance(one, _Chosen)]
        told = iter(self._queue(person, client, device_id, chosen, priority) if chosen else ())
        answers = [next(told) if isinstance(one, _Chosen) else one for one in asked]
        return [replace(one, device=name) for one in answers]

    def _find_device(self, person: Person, wanted: str | None) -> tuple[str, str] | None:
        """Return the id and name of a device, given by either, that this person may use.

        For `wanted` None the first one that serves this person. A device that is not attached
        will do if it was ever attached: the downloads wait for it.
        """
        known = {one.settings.name: one.id for one in self._registry.all()}
        configured = list(self._registry.settings())
        if any(one.name not in known for one in configured):
            known = {one.name: one.id for one in self._devices.all()} | known
        for settings in configured:
            device_id = known.get(settings.name)
            # Without a name the device must serve this person; an admin may name any.
            serves = self._access.to(person, settings) if wanted else settings.serves(person.name)
            if device_id and serves and wanted in {None, device_id, settings.name}:
                return device_id, settings.name
        return None

    def _ask_first(self, client: Jellyfin, device_id: str, library: Item) -> AddedItem:
        """Return the question whether a whole library is meant, with what it holds."""
        kinds = [one for one in MediaKind if not self._planning.not_taken(device_id, TYPE_OF[one])]
        try:
            found = measure(client, library, kinds)
        except (NotFound, NotAllowed):
            return _unknown(library.id)
        if not found.files:
            return _refused(library, "empty", msg("has nothing in it that can be downloaded"))
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

    def _expand(self, client: Jellyfin, device_id: str, item: Item) -> _Chosen | AddedItem:
        """Return the files of an item that the device takes, or why there are none."""
        if (never := _never(item)) is not None:
            return never
        files: Sequence[Item] = [item]
        remark = ""
        is_whole = item.type in CONTAINERS or item.parts > 1
        if is_whole:
            try:
                listing = client.expand(item)
            except NotFound:
                return _unknown(item.id)
            files = list({one.id: one for one in listing.items}.values())
            if not listing.complete:
                remark = msg("Jellyfin did not list all of it: ask again for the rest")
            if not files:
                return _refused(item, "empty", msg("has nothing in it that can be downloaded"))
        not_taken = self._planning.list_not_taken(device_id, files)
        taken = [one for one in files if one.type not in not_taken]
        if not taken:
            return _not_taken(item, next(iter(not_taken.values())))
        return _Chosen(item=item, files=taken, is_whole=is_whole, remark=remark)

    def _queue(
        self,
        person: Person,
        client: Jellyfin,
        device_id: str,
        chosen: Sequence[_Chosen],
        priority: int | None,
    ) -> list[AddedItem]:
        """Pin all files that were chosen, and queue them."""
        known = {one.item.id: one.item for one in chosen if not one.is_whole}

        def describe(ids: Sequence[str]) -> dict[str, Item]:
            missing = [one for one in ids if one not in known]
            return known | (client.items(missing) if missing else {})

        pins = [
            make_pin(person.user_id, device_id, file, of=one.item if one.is_whole else None)
            for one in chosen
            for file in one.files
        ]
        undo = _AdditionsUndo()
        queued = self._planning.pin_all(pins, describe, undo.learn)
        ids = list(dict.fromkeys(one.item.id for one in pins))
        if priority is not None:
            rows = self._downloads.queries.by_items((device_id, one) for one in ids)
            self._downloads.queue.prioritise_all((one, priority) for one in rows.values())
        turns = self._downloads.queries.turns(device_id, ids)
        return [
            replace(
                _told(one, turns, queued),
                queued=sum(file.id in queued for file in one.files),
                undo=undo.of(one.item.id),
            )
            for one in chosen
        ]


class _AdditionsUndo:
    """Collects what takes back that items were asked for; what was pinned before stays."""

    def __init__(self) -> None:
        self._pins: dict[str, list[Hold]] = {}
        self._removed: dict[str, list[ItemOnDevice]] = {}

    def learn(self, pins: Sequence[Wish], before: Sequence[WishFacts]) -> None:
        """Take in what was stored about pins before they were pinned."""
        for pin, known in zip(pins, before, strict=True):
            source = pin.reason.source_id
            if known.hold is None or known.hold[0] is not None:
                # Which row it is, is known once it is written.
                hold = Hold(0, pin.user_id, pin.device_id, pin.item.id, pin.reason, None)
                self._pins.setdefault(source, []).append(hold)
            if known.is_removed:
                place = ItemOnDevice(pin.user_id, pin.device_id, pin.item.id)
                self._removed.setdefault(source, []).append(place)

    def of(self, source_id: str) -> Reversal | None:
        """Return what takes back an item; None if nothing new is held for it."""
        pins = self._pins.get(source_id)
        removed = self._removed.get(source_id, ())
        return Reversal(pins=tuple(pins), removed=tuple(removed)) if pins else None


def _told(chosen: _Chosen, turns: Mapping[str, Turn], queued: Collection[str]) -> AddedItem:
    item = chosen.item
    there = [turns[one.id] for one in chosen.files if one.id in turns]
    if not there:
        return _refused(item, "not-described", msg("could not be described by Jellyfin: try again"))
    count = sum(one.id in queued for one in chosen.files)
    files = (
        msg("{queued} of {total} files are queued", queued=count, total=len(there))
        if len(there) > 1
        else msg("is queued")
    )
    text = files if count else msg("is here or in the queue already")
    if chosen.remark:
        text = msg("{text}; {more}", text=text, more=chosen.remark)
    text = msg("{title}: {text}", title=item.title, text=text)
    result = AddResult.QUEUED if count else AddResult.EXISTS
    return AddedItem(item.id, item.title, result, text, there[:MOST_SHOWN])


def _never(item: Item) -> AddedItem | None:
    """Return the refusal of what can never be fetched."""
    if item.type is ItemType.OTHER:
        return _refused(item, "not-playable", msg("is nothing that can be downloaded"))
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
