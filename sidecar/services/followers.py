"""Makes what follows one account: its hearts, and the rules of its devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.clock import Clock
from sidecar.config import FavouritesSettings
from sidecar.domain.rules.context import Wake
from sidecar.jellyfin.client import Jellyfin
from sidecar.services.devices import DeviceShelf
from sidecar.services.favourites import Favourites
from sidecar.services.following import Follower, Tell
from sidecar.services.hearts import AccountHearts
from sidecar.services.planning import Planning
from sidecar.services.playlists.learning import PlaylistLearner
from sidecar.services.rule_book import RuleBook
from sidecar.services.rule_library import AccountLibrary, Plays
from sidecar.services.rules import RuleRunner
from sidecar.services.server import ServerWatch
from sidecar.store.accounts.accounts import Account
from sidecar.store.rules.favourites import Hearts
from sidecar.store.rules.holds import Holds
from sidecar.store.rules.playlist_orders import PlaylistOrders
from sidecar.store.rules.playlists import ChosenPlaylists


@dataclass(frozen=True, kw_only=True)
class Followers:
    """What all accounts' followers share. Calling it makes those of one account.

    It knows the rules of each account it made them for: for those who ask of them, or wake them.
    """

    planning: Planning
    shelf: DeviceShelf
    server: ServerWatch
    hearts: Hearts
    holds: Holds
    plays: Plays
    chosen: ChosenPlaylists
    orders: PlaylistOrders
    book: RuleBook
    favourites: FavouritesSettings
    clock: Clock
    _rules_of: dict[str, RuleRunner] = field(default_factory=dict)

    def __call__(self, account: Account, client: Jellyfin, tell: Tell) -> dict[str, Follower]:
        """Return the followers by the names of their threads."""
        rules = self._rules_of[account.user_id] = self._rules(account, client, tell)
        made: dict[str, Follower] = {"rules": rules}
        if self.favourites.enabled:
            made["hearts"] = self._hearts(account, client, tell)
        return made

    def play_ended(self, user_id: str) -> None:
        """Something was heard: the rules of this account may change their mind."""
        if rules := self._rules_of.get(user_id):
            rules.wake(Wake.PLAY_ENDED)

    def remarks(self, user_id: str, device_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return what the rules of an account have to say of a device, by the rules' names."""
        rules = self._rules_of.get(user_id)
        return rules.remarks(device_id) if rules else {}

    def _hearts(self, account: Account, client: Jellyfin, tell: Tell) -> Favourites:
        return Favourites(
            client,
            user_id=account.user_id,
            name=account.name,
            hearts=AccountHearts(account.user_id, self.hearts, self.clock),
            planning=self.planning,
            devices=self.shelf.serving,
            settings=self.favourites,
            tell=tell,
            is_server_there=self._is_server_there,
            clock=self.clock,
        )

    def _rules(self, account: Account, client: Jellyfin, tell: Tell) -> RuleRunner:
        learner = PlaylistLearner(client.item, self.orders, account.user_id, self.clock)
        library = AccountLibrary(
            client, self.plays, account.user_id, self.clock, on_playlist=learner.listed
        )
        return RuleRunner(
            library,
            user_id=account.user_id,
            name=account.name,
            planning=self.planning,
            holds=self.holds,
            book=self.book,
            chosen=self.chosen,
            devices=self.shelf.serving,
            tell=tell,
            is_server_there=self._is_server_there,
            clock=self.clock,
        )

    def _is_server_there(self) -> bool:
        return self.server.is_there
