"""Follows the favourites of one account and makes wishes of them, live and by regular listings.

    news ──▶ AccountFavourites ──set or removed──▶ wishes held, or released after a grace
    an item added or changed ──▶ looked up, and wished for if a favourite contains it
    every hour, at start and after each reconnect: all favourites are listed and compared; what
    albums, artists and series contain only if the library has changed, or events were missed

A listing alone removes nothing: a favourite counts as removed when Jellyfin says so of that item.
Favourites come in several lists. One that Jellyfin takes too long for (artists, on a large library)
is asked again by itself, later and with more patience each time; the others count meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Event
from types import MappingProxyType

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.items.item import CONTAINERS, Item, ItemType
from sidecar.domain.playback.client_messages import ActKind
from sidecar.domain.rules import favourites as rule
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import JellyfinError, NotFound, SignedOut, TooSlow
from sidecar.jellyfin.client import IDS_PER_REQUEST, Jellyfin
from sidecar.jellyfin.http import wait_limit
from sidecar.jellyfin.library.artists import ArtistLists
from sidecar.jellyfin.listing import Listing
from sidecar.jellyfin.live.events import (
    Connected,
    LibraryChanged,
    News,
    SessionsNews,
    UserDataChanged,
)
from sidecar.messages import msg
from sidecar.process.threads import Wakeup
from sidecar.services.accounts.following import follow, rest_until
from sidecar.services.health.tasks import TaskKind, Tasks
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.favourites.states import AccountFavourites
from sidecar.services.rules.followed_account import FollowedAccount
from sidecar.services.rules.wishes import WishService

log = logging.getLogger(__name__)

HEAL_EVERY_S = 5.0
RETRY_S = 60.0
# A library scan sends many events.
SETTLE_S = 5.0
# The types that have a list of their own on the server.
WITH_OWN_LIST = (ItemType.ARTIST, ItemType.COLLECTION)
LONGEST_WAIT_S = 600.0
LONGEST_PAUSE_S = 3600.0
# For more items than this, listing all favourites takes fewer requests.
MOST_NAMED = 2000
NOTHING: Mapping[str, Item] = MappingProxyType({})
# News are handled after so many wishes: a heart that is pressed does not wait for a long list.
HEEDED_EVERY = 100
# So many of the items that were listed last are kept until they are queued.
MOST_LISTED = 5000
# What they contain may change although the library stays as it is.
ALWAYS_LISTED = frozenset({ItemType.PLAYLIST, ItemType.COLLECTION})


@dataclass(slots=True)
class _SlowList:
    """A list of favourites that took too long.

    Attributes:
        types: What it lists.
        more_s: How much longer than usual it is waited for.
        pause_s: The time until it is asked again.
        at: When that is.
    """

    types: frozenset[ItemType]
    more_s: float
    pause_s: float
    at: float


class FavouritesFollower:
    """Follows the favourites of one account. One thread runs it; others may call `deliver`."""

    def __init__(
        self,
        account: FollowedAccount,
        client: Jellyfin,
        *,
        hearts: AccountFavourites,
        planning: WishService,
        settings: rule.FavouritesSettings,
        clock: Clock,
        acts: Acts,
        tasks: Tasks,
    ) -> None:
        """Prepare; sends no request.

        Args:
            account: Whose favourites.
            client: The account's client.
            hearts: The stored favourites.
            planning: Takes the wishes.
            settings: The rule's settings.
            clock: For all waits.
            acts: Is told of the hearts that the account presses.
            tasks: Are told of each look through all favourites.
        """
        self._tasks = tasks
        self._acts = acts
        self._client = client
        self._account = account
        self._user_id = account.user_id
        self._name = account.name
        self._hearts = hearts
        self._planning = planning
        self._settings = settings
        self._clock = clock
        self._artists = ArtistLists(client)
        self._types = rule.list_watched_types(settings)
        self._slow: dict[frozenset[ItemType], _SlowList] = {}
        self._more_s = 0.0
        self._taken_away: set[str] = set()
        self._library: object = None
        self._is_whole = False
        self._is_as_before = False
        self._must_list = False
        self._news: SimpleQueue[tuple[News, float]] = SimpleQueue()
        self.wakeup = Wakeup()
        self._look_through_at = clock.monotonic()
        self._heal_at = clock.monotonic()
        self._named: set[str] = set()
        self._look_up_at = 0.0
        self._said: str | None = None

    def deliver(self, news: News) -> None:
        """Take news from the listener; when they came counts, not when they are handled."""
        self._news.put((news, self._clock.monotonic()))
        self.wakeup.set()

    def look_through_soon(self) -> None:
        """List all favourites in the next step: a device was attached, or settings changed."""
        self._must_list = True
        self._look_through_at = self._clock.monotonic()
        self.wakeup.set()

    run_soon = look_through_soon

    def run(self, stop: Event) -> None:
        """Follow the favourites until `stop` is set or the account is signed out."""
        what = f"following the favourites of {self._name}"
        follow(self._go_on, stop, self.wakeup, self._rest_s, what=what, on_failure=self._put_off)

    def _go_on(self) -> bool:
        """Run one step; return False if the account is signed out."""
        try:
            self.step()
        except JellyfinError as trouble:
            self._account.tell(trouble)
            if isinstance(trouble, SignedOut):
                return False
            said = str(trouble)
            # Once for each state: it is tried again and again.
            level = logging.DEBUG if said == self._said else logging.INFO
            log.log(level, "the favourites of %s cannot be followed now: %s", self._name, said)
            self._said = said
            return self._put_off()
        self._said = None
        return True

    def _put_off(self) -> bool:
        self._look_through_at = self._clock.monotonic() + RETRY_S
        return True

    def step(self) -> None:
        """Handle one piece of news, or if there is none, do what is due."""
        try:
            self._take(*self._news.get_nowait())
        except Empty:
            self._do_what_is_due()

    def _rest_s(self) -> float:
        """Return for how many seconds nothing is due."""
        if not self._news.empty():
            return 0.0
        due = [self._look_through_at, *(one.at for one in self._slow.values())]
        if self._named:
            due.append(self._look_up_at)
        if self._settings.heal_forgotten_hearts:
            due.append(self._heal_at)
        now = self._clock.monotonic()
        return rest_until(min(due), now, is_server_there=self._account.is_server_there())

    def _do_what_is_due(self) -> None:
        if not self._account.is_server_there():
            return
        now = self._clock.monotonic()
        if self._named and now >= self._look_up_at:
            self._look_up_at = now + RETRY_S  # unless it succeeds
            self._look_up_named()
        elif now >= self._look_through_at:
            every_s = self._settings.check_every.total_seconds()
            self._look_through_at = now + every_s
            with self._tasks.run(
                TaskKind.HEARTS, self._user_id, again_s=every_s, retry_s=RETRY_S
            ) as run:
                self.look_through()
                if self._slow:
                    run.fail(msg("Jellyfin takes too long for some lists: they are asked again"))
        elif due := [one for one in self._slow.values() if now >= one.at]:
            for one in due:
                one.at = now + one.pause_s  # unless it succeeds
            self._look_through([one.types for one in due])
        elif now >= self._heal_at and self._settings.heal_forgotten_hearts:
            self._heal_at = now + HEAL_EVERY_S
            self._hearts.heal(self._client, self._take_waiting_news)

    def _take(self, news: News, came_at: float) -> None:
        match news:
            case Connected():
                self._note_sessions()
                self.look_through_soon()
            case SessionsNews(playing=playing):
                mine = (one.item.id for one in playing if one.user_id == self._user_id)
                self._hearts.plays(mine, came_at)
            case UserDataChanged(user_id=user_id, entries=entries) if user_id == self._user_id:
                for entry in entries:
                    self._obey(entry.item_id, self._hearts.hear(entry, came_at))
            case LibraryChanged(added=added, updated=updated):
                self._note_named({*added, *updated})
            case _:
                pass

    def _note_named(self, ids: set[str]) -> None:
        if not self._named:
            self._look_up_at = self._clock.monotonic() + SETTLE_S
        self._named |= ids
        if len(self._named) > MOST_NAMED:
            self._named.clear()
            self.look_through_soon()

    def _look_up_named(self) -> None:
        """Look up added and changed items, and wish for those that a favourite contains.

        Raises:
            errors.JellyfinError: It is tried again in a minute.
        """
        hearts = self._hearts.favourites()
        found = self._client.items(sorted(self._named))
        self._named.clear()
        concerned = [one.id for one in found.values() if not hearts.keys().isdisjoint(_whole(one))]
        held: dict[str, list[Item]] = {}
        # Of an artist with a heart there may be albums in a library that the account may not see.
        for item in self._client.visible_items(concerned).values() if concerned else ():
            if item.id in hearts:
                self._keep(item)
            for part_of in _whole(item) - {item.id}:
                if item.is_playable and part_of in hearts:
                    held.setdefault(part_of, []).append(item)
        unknown: list[str] = []
        for source_id, parts in held.items():
            why = self._planning.known_reason(self._user_id, rule.NAME, source_id)
            if why is None or hearts[source_id] not in self._types:
                unknown.append(source_id)
            else:
                self._plan(self._wishes_for(why, parts), found)
        for container in self._client.visible_items(unknown).values():
            if container.type in self._types:
                self._plan(self._wishes(container, held[container.id]), found)

    def _keep(self, favourite: Item) -> None:
        """Wish for a favourite that was looked up, and for what it contains."""
        if favourite.type not in self._types:
            return
        if favourite.type in CONTAINERS:
            why = self._planning.known_reason(self._user_id, rule.NAME, favourite.id)
            self._keep_container(favourite, full=why is None)
        else:
            parts = self._client.with_parts([favourite])
            self._plan(self._wishes(favourite, parts), {favourite.id: favourite})

    def _note_sessions(self) -> None:
        playing = self._client.sessions()
        self._hearts.plays(one.item.id for one in playing if one.user_id == self._user_id)

    def _take_waiting_news(self) -> None:
        """Handle queued news, so that a new favourite does not wait for a long listing to end."""
        while True:
            try:
                self._take(*self._news.get_nowait())
            except Empty:
                return

    def _obey(self, item_id: str, word: bool | None) -> None:  # noqa: FBT001 - it is the word
        if word is None:
            return
        if not word:
            self._let_go(item_id)
        elif item := self._client.visible_items([item_id]).get(item_id):
            self._hearts.look_up(item)
            log.info("%s pressed a heart on %r", self._name, item.title)
            self._taken_away.discard(item.id)
            with self._acts.during(self._user_id, ActKind.HEART, [item.id], item.title):
                self._keep(item)

    def look_through(self) -> None:
        """List all favourites and compare them; takes a few requests for each hundred.

        A list that is slow is left for its own time; until all could be read, nothing is let go.

        Raises:
            errors.JellyfinError: They cannot be listed; wishes held so far stay.
        """
        self._slow = {one: it for one, it in self._slow.items() if one <= self._types}
        must_list, self._must_list = self._must_list, False
        now, before = self._client.library_state(), self._library
        self._is_as_before = now == before and not must_list
        # Not known until all has been listed.
        self._library, self._is_whole = None, True
        every = [one for one in self._lists() if one not in self._slow]
        listed = self._look_through(every)
        believed = self._hearts.favourites()
        count = sum(one.id in believed for one in listed)
        log.info("%s has %d favourites", self._name, count)
        if not self._slow:
            self._let_go_if_taken_away({one.id for one in listed})
            if self._is_whole:
                self._library = now

    def _lists(self) -> Iterator[frozenset[ItemType]]:
        """Yield the types of each list that is to be read."""
        others = self._types.difference(WITH_OWN_LIST)
        if others:
            yield others
        yield from (frozenset({one}) for one in WITH_OWN_LIST if one in self._types)

    def _look_through(self, lists: Iterable[frozenset[ItemType]]) -> list[Item]:
        """Read some of the lists and plan what they hold; return what could be read."""
        listed: list[Item] = []
        for types in lists:
            found = self._read_list(types)
            self._plan_listed(found)
            listed += found
        return listed

    def _read_list(self, types: frozenset[ItemType]) -> Sequence[Item]:
        """Return the favourites of these types; none if Jellyfin takes too long for them.

        Raises:
            errors.JellyfinError: It cannot be asked at all.
        """
        slow = self._slow.get(types)
        try:
            with wait_limit.longer(slow.more_s if slow else 0.0):
                listing = self._client.favourites(types, between=self._take_waiting_news)
        except TooSlow as trouble:
            self._account.tell(trouble)
            if not self._account.is_server_there():
                raise
            self._put_off_list(types, slow)
            return ()
        self._slow.pop(types, None)
        return listing.items

    def _put_off_list(self, types: frozenset[ItemType], slow: _SlowList | None) -> None:
        pause_s = min(slow.pause_s * 2 if slow else RETRY_S, LONGEST_PAUSE_S)
        more_s = min(slow.more_s * 2 if slow else RETRY_S, LONGEST_WAIT_S)
        at = self._clock.monotonic() + pause_s
        self._slow[types] = _SlowList(types, more_s, pause_s, at)
        names = ", ".join(sorted(types))
        log.info("Jellyfin takes too long to list %s of %s: again later", names, self._name)

    def _plan_listed(self, listed: Sequence[Item]) -> None:
        self._hearts.look_up_all(listed)
        self._taken_away.clear()
        believed = self._hearts.favourites()
        favourites = [one for one in listed if one.id in believed]
        self._plan(
            self._heeding(
                chain.from_iterable(
                    self._wishes(one, self._client.with_parts([one])) for one in favourites
                )
            )
        )
        held = self._planning.sources(self._user_id, rule.NAME)
        containers = [one for one in favourites if one.type in CONTAINERS]
        known = [one for one in containers if one.id in held and not self._may_be_passed_over(one)]
        new = [one for one in containers if one.id not in held]
        # With all that is needed to queue the tracks, where they come for the first time.
        for some, full in ((new, True), (known, False)):
            self._keep_artists([one for one in some if one.type is ItemType.ARTIST], full=full)
        for some, full in ((new, True), (known, False)):
            for container in some:
                self._take_waiting_news()
                if container.type is not ItemType.ARTIST and self._is_kept(container):
                    self._keep_container(container, full=full)

    def _may_be_passed_over(self, container: Item) -> bool:
        """Whether a container has in it what it had at the last look."""
        return self._is_as_before and container.type not in ALWAYS_LISTED

    def _is_kept(self, favourite: Item) -> bool:
        """Whether nobody has taken the heart away since the favourites were listed."""
        return favourite.id not in self._taken_away

    def _heeding(self, wishes: Iterable[Wish]) -> Iterator[Wish]:
        """Yield the wishes, and handle queued news between them."""
        for number, wish in enumerate(wishes):
            if number % HEEDED_EVERY == 0:
                self._take_waiting_news()
            if wish.reason.source_id not in self._taken_away:
                yield wish

    def _keep_artists(self, artists: Sequence[Item], *, full: bool) -> None:
        alone: list[Item] = []
        listed: dict[str, Item] = {}

        def wishes() -> Iterator[Wish]:
            for found in self._artists.of(artists, full=full):
                if found.tracks is None:
                    alone.extend(found.artists)
                    continue
                for artist in filter(self._is_kept, found.artists):
                    tracks = found.tracks[artist.id]
                    if full:
                        listed.update(_by_id(tracks.items))
                        for one in list(listed)[: len(listed) - MOST_LISTED]:
                            del listed[one]
                    yield from self._wishes(artist, tracks.items)
                    self._release_what_left(artist, tracks)

        self._plan(self._heeding(wishes()), listed)
        for artist in filter(self._is_kept, alone):
            self._take_waiting_news()
            self._keep_container(artist, full=full)

    def _let_go_if_taken_away(self, listed: set[str]) -> None:
        """Look up favourites missing from a listing, as only the item itself shows a removal."""
        missing = [one for one in self._hearts.favourites() if one not in listed]
        for item in self._client.items(missing).values() if missing else ():
            self._obey(item.id, self._hearts.look_up(item))

    def _let_go(self, item_id: str) -> None:
        log.info("%s took the heart from %s", self._name, item_id)
        self._taken_away.add(item_id)
        self._planning.release(self._user_id, rule.NAME, item_id, grace=self._settings.grace)

    def _keep_container(self, container: Item, *, full: bool = False) -> None:
        try:
            with wait_limit.longer(self._more_s):
                listing = self._client.expand(container, full=full)
        except NotFound:
            return
        except TooSlow as trouble:
            self._account.tell(trouble)
            if not self._account.is_server_there():
                raise
            self._is_whole = False
            log.info("Jellyfin takes too long to list %r of %s", container.title, self._name)
            self._more_s = min(self._more_s * 2 or RETRY_S, LONGEST_WAIT_S)
            again = self._clock.monotonic() + LONGEST_WAIT_S
            self._look_through_at = min(self._look_through_at, again)
            return
        looked_up = _by_id(listing.items) if full else NOTHING
        self._plan(self._wishes(container, listing.items), looked_up)
        self._release_what_left(container, listing)

    def _release_what_left(self, container: Item, listing: Listing) -> None:
        self._is_whole &= listing.complete
        if listing.complete and listing.items:
            kept = (one.id for one in listing.items)
            self._planning.release_items(
                self._user_id, rule.NAME, container.id, kept, grace=self._settings.grace
            )

    def _wishes(self, favourite: Item, playable: Iterable[Item]) -> Iterator[Wish]:
        return self._wishes_for(rule.make_reason(favourite), playable)

    def _wishes_for(self, why: Reason, playable: Iterable[Item]) -> Iterator[Wish]:
        devices = list(self._account.devices(self._name))
        return rule.make_wishes(why, playable, user_id=self._user_id, devices=devices)

    def _plan(self, wishes: Iterable[Wish], full: Mapping[str, Item] = NOTHING) -> None:
        """Hold wishes; what is in `full` was looked up already, and is not asked for again."""

        def describe(ids: Sequence[str]) -> dict[str, Item]:
            found = {one: full[one] for one in ids if one in full}
            missing = (one for one in ids if one not in found)
            for some in batched(missing, IDS_PER_REQUEST):
                self._take_waiting_news()
                found |= self._client.items(some)
            return found

        self._planning.hold(wishes, describe, between=self._take_waiting_news)
        for taken_away in tuple(self._taken_away):
            # The heart may have been taken away while its wishes were being written.
            self._planning.release(self._user_id, rule.NAME, taken_away, grace=self._settings.grace)


def _by_id(listed: Iterable[Item]) -> Mapping[str, Item]:
    """Return the full items of a full listing, in which the further files of films are not."""
    return {one.id: one for one in listed if one.size is not None}


def _whole(item: Item) -> frozenset[str]:
    """Return the ids of an item and of all that it is part of."""
    ids = {item.id, item.album_id, item.artist_id, item.series_id, item.season_id}
    return frozenset(one for one in ids if one is not None)
