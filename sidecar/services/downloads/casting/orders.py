"""Pins what people cast to a device, in the order in which they cast it.

    order ──▶ allowed? ──▶ look up items, expand containers ──▶ places in the queue ──▶ pins

Only a signed-in account that the device serves may cast to it, whatever the server allows.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.config import DeviceSettings
from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import CONTAINERS, Item, ItemType
from sidecar.domain.playback.cast_queue import CastItem, from_start, plan_places
from sidecar.domain.playback.client_messages import ActKind
from sidecar.domain.wishes import LEAST_CAST_PRIORITY, PIN, Reason, Wish
from sidecar.errors import NotAllowed, NotFound, ServerAway
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.live.commands import PlayOrder
from sidecar.messages import msg
from sidecar.process.threads import LONGEST_REST_S, Wakeup, attempt
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.playback.client_messages.acts import Acts, Step
from sidecar.services.rules.wishes import WishService
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

MOST_ITEMS = 5_000
RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class _Found:
    """An item that was cast, and why it is wanted."""

    item: Item
    why: Reason


class CastOrders:
    """Accepts orders from any thread and carries them out one by one in its own thread."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        registry: DeviceRegistry,
        planning: WishService,
        downloads: Downloads,
        clock: Clock,
        acts: Acts,
        playing: Callable[[str], frozenset[str]] = lambda _user_id: frozenset(),
    ) -> None:
        """Prepare.

        Args:
            accounts: Who may cast.
            registry: The devices.
            planning: Takes the pins.
            downloads: The queue.
            clock: For all waits.
            acts: Is told of what is cast.
            playing: Returns the items that an account plays, or did a moment ago.
        """
        self._acts = acts
        self._playing = playing
        self._accounts = accounts
        self._registry = registry
        self._planning = planning
        self._downloads = downloads
        self._clock = clock
        self.wakeup = Wakeup()
        self._waiting: deque[tuple[str, PlayOrder]] = deque()

    def take(self, device_id: str, order: PlayOrder) -> None:
        """Queue an order for a device."""
        self._waiting.append((device_id, order))
        self.wakeup.set()

    def run(self, stop: Event) -> None:
        """Carry out orders until `stop` is set; while Jellyfin is away, they wait."""
        while not stop.is_set():
            rings = self.wakeup.rings
            if not self._waiting:
                self.wakeup.wait(LONGEST_REST_S, since=rings)
                continue
            if attempt(self._obey_first, "fetching what was cast", lambda: True):
                self._waiting.popleft()
            else:
                self._clock.wait(stop, RETRY_S)

    def _obey_first(self) -> bool:
        """Carry out the oldest order; return False if it is to be tried again."""
        try:
            self.obey(*self._waiting[0])
        except ServerAway as trouble:
            log.info("what was cast waits: %s", trouble)
            return False
        return True

    def obey(self, device_id: str, order: PlayOrder) -> int:
        """Pin the items of an order; return how many downloads were queued.

        Raises:
            errors.JellyfinError: The items cannot be looked up now.
        """
        device = self._registry.attached_anywhere().get(device_id)
        account = None if order.by is None else self._accounts.get(order.by)
        if device is None:
            log.info("what was cast to a device that is not there any more was not taken")
            return 0
        if account is None or not _may_cast(account, device):
            who = account.name if account else "somebody unknown"
            text = "%s cast to %s, which does not serve them: nothing was done"
            log.warning(text, who, device.name)
            return 0
        wanted = from_start(order.item_ids, order.start)[:MOST_ITEMS]
        is_running = not self._playing(account.user_id).isdisjoint(wanted)
        with self._acts.during(
            account.user_id, ActKind.CAST, wanted, is_running_queue=is_running
        ) as told:
            queued = self._pin(account, device_id, order, wanted, told)
            text = "%s cast %d items to %s: %d are to be fetched"
            log.info(text, account.name, len(order.item_ids), device.name, queued)
            return queued

    def _pin(
        self,
        account: Account,
        device_id: str,
        order: PlayOrder,
        wanted: Sequence[str],
        told: Step,
    ) -> int:
        client = self._accounts.client(account.user_id)
        found = {
            one.item.id: one for one in _look_up(client, wanted) if self._takes(device_id, one.item)
        }
        at = plan_places(self._cast_before(device_id), list(found), order.when)
        pins = [
            Wish(account.user_id, device_id, one.item, one.why, at[item_id])
            for item_id, one in found.items()
        ]
        queued = len(self._planning.pin_all(pins, partial(_describe, client, found)))
        told.places = tuple((device_id, item_id) for item_id in found)
        told.title = _common_title([one.item for one in found.values()])
        self._make_room(device_id, {one: at[one] for one in at if one not in found})
        return queued

    def _takes(self, device_id: str, item: Item) -> bool:
        why = self._planning.not_taken(device_id, item.type)
        if why is not None:
            log.info("%s was cast but does not come: %s", item.title, why)
        return why is None

    def _cast_before(self, device_id: str) -> list[CastItem]:
        return [
            CastItem(one.item_id, one.priority, is_running=one.status is Status.DOWNLOADING)
            for one in self._downloads.queries.on_the_way(device_id, LEAST_CAST_PRIORITY)
        ]

    def _make_room(self, device_id: str, moved: Mapping[str, int]) -> None:
        for item_id, place in moved.items():
            waiting = self._downloads.queries.by_item(device_id, item_id)
            if waiting is not None:
                self._downloads.queue.prioritise(waiting, place)


def _describe(client: Jellyfin, found: Mapping[str, _Found], ids: Sequence[str]) -> dict[str, Item]:
    """Return full items; those of an expanded container have no size yet and are asked for."""
    full = {one: found[one].item for one in ids if found[one].item.size is not None}
    light = [one for one in ids if one not in full]
    return full | (client.items(light) if light else {})


def _may_cast(account: Account, device: DeviceSettings) -> bool:
    return account.is_signed_in and device.serves(account.name)


def _look_up(client: Jellyfin, item_ids: Sequence[str]) -> Iterator[_Found]:
    """Yield the playable items, in order; what the server does not know or hides is left out."""
    known = client.visible_items(item_ids)
    items = [known[one] for one in item_ids if one in known]
    whole = _whole(client, items)
    for item in items:
        if item.type is ItemType.LIBRARY:
            log.info("%s is a whole library: it is not fetched by casting it", item.title)
        elif item.type in CONTAINERS:
            why = _because_of(item)
            yield from (_Found(one, why) for one in client.expand(item).items)
        else:
            why = _because_of(whole) if whole else _itself(item)
            yield from (_Found(one, why) for one in client.with_parts([item]))


def _whole(client: Jellyfin, items: Sequence[Item]) -> Item | None:
    """Return the album or series that consists of exactly these items; None if there is none."""
    belongs = {one.album_id or one.series_id for one in items}
    if len(items) <= 1 or len(belongs) != 1 or None in belongs:
        return None
    try:
        container = client.item(belongs.pop() or "")
        fellows = {one.id for one in client.expand(container).items}
    except (NotFound, NotAllowed):
        return None
    return container if fellows == {one.id for one in items} else None


def _common_title(items: Sequence[Item]) -> str | None:
    """Return what people call these items together; None if they have no name in common."""
    if len(items) == 1:
        return items[0].title
    albums = {one.album or one.series for one in items}
    return albums.pop() if len(albums) == 1 else None


def _because_of(container: Item) -> Reason:
    return Reason(PIN, container.id, msg("you cast {title} here", title=container.title))


def _itself(item: Item) -> Reason:
    return Reason(PIN, item.id, msg("you cast it here"))
