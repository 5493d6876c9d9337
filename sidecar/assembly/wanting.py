"""What people want: rules, plays, holds, and what they cast."""

from __future__ import annotations

import random
from functools import cached_property

from sidecar.assembly.ground import Ground
from sidecar.domain.files.naming import ANY, Shape
from sidecar.domain.files.presets import PRESETS
from sidecar.services.accounts.permissions import PermissionRefresh
from sidecar.services.casting.orders import CastOrders
from sidecar.services.casting.targets import CastTargets
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.services.rules.account_threads import AccountFollowers, AccountThreads
from sidecar.services.rules.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.store.rules.settings import RuleSettingsStore


class Wanting(Ground):
    """What people want: rules, plays, holds, and what they cast."""

    @cached_property
    def planning(self) -> WishService:
        """Turns wishes into holds and into the queue."""
        store = self._store
        return WishService(
            store.db,
            store.holds,
            store.downloads,
            self._clock,
            format_of=self.formats.of,
            shape_of=self._shape_of,
        )

    def _shape_of(self, device_id: str) -> Shape:
        settings = self.device_book.of(device_id)
        return ANY if settings is None else PRESETS[settings.preset].shape

    @cached_property
    def rule_book(self) -> RuleSettingsService:
        """What is set of each rule."""
        return RuleSettingsService(self._settings.rules, RuleSettingsStore(self._store.db))

    @cached_property
    def followers(self) -> AccountFollowers:
        """Makes what follows an account."""
        store = self._store
        return AccountFollowers(
            planning=self.planning,
            registry=self.registry,
            server=self.server,
            hearts=store.hearts,
            holds=store.holds,
            plays=store.plays,
            chosen=store.chosen,
            orders=store.playlist_orders,
            book=self.rule_book,
            clock=self._clock,
        )

    @cached_property
    def watching(self) -> PlaybackTracker:
        """Everybody's playback."""
        return PlaybackTracker(
            self._store.plays,
            self._store.downloads,
            on_play=lambda play: self.followers.play_ended(play.user_id),
            clock=self._clock,
        )

    @cached_property
    def account_look(self) -> PermissionRefresh:
        """What the accounts still may."""
        return PermissionRefresh(self.accounts, self.server, self._clock)

    @cached_property
    def following(self) -> AccountThreads:
        """The threads of the accounts."""
        return AccountThreads(
            accounts=self.accounts,
            make=self.followers,
            watching=self.watching,
            server=self.server,
            around=self._store.db.thread,
            clock=self._clock,
            chance=random.random,
        )

    @cached_property
    def cast_orders(self) -> CastOrders:
        """Turns what people cast into pins."""
        return CastOrders(
            accounts=self.accounts,
            registry=self.registry,
            planning=self.planning,
            downloads=self._store.downloads,
            clock=self._clock,
        )

    @cached_property
    def casting(self) -> CastTargets:
        """The devices in the menus of Jellyfin's clients."""
        return CastTargets(
            accounts=self.accounts,
            registry=self.registry,
            orders=self.cast_orders,
            is_paused=self.registry.is_paused,
            around=self._store.db.thread,
            clock=self._clock,
            chance=random.random,
        )
