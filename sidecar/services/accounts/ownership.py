"""Decides whose download it is: who may see and manage it, and for whom somebody acts.

Who holds it owns it; if nobody does, who asked for it first. An admin may see and steer all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from sidecar.domain.downloads.shares import Share, count_shares
from sidecar.domain.downloads.states import Download
from sidecar.domain.undo import Reversal, reverse_release
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person, ids_of, viewer
from sidecar.store.accounts.accounts import Account
from sidecar.store.stores import Stores


@dataclass(frozen=True, slots=True)
class OwnershipChange:
    """Who gives a download up, and who keeps it."""

    leaving: frozenset[str]
    staying: tuple[str, ...]


class Ownership:
    """Looks owners up and ends what they hold. Safe for many threads."""

    def __init__(self, stores: Stores, *, accounts: Callable[[], Iterable[Account]]) -> None:
        """Prepare; `accounts` gives everybody who ever signed in."""
        self._accounts = accounts
        self._db = stores.db
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._tombstones = stores.tombstones

    def owners(self, download: Download) -> list[str]:
        """Return the users whose download it is."""
        return self._holds.holders(download.device_id, download.item_id) or [download.user_id]

    def visible(self, person: Person, download_id: int) -> Download:
        """Return a download.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        for found in self.visible_among(person, [download_id]):
            return found
        raise NotVisible

    def visible_among(self, person: Person, download_ids: Iterable[int]) -> Iterator[Download]:
        """Return those of these downloads that are there and that this person may see."""
        for one in download_ids:
            found = self._downloads.queries.seen(one, viewer(person))
            if found:
                yield found

    def owners_named(self, person: Person, names: Iterable[str]) -> frozenset[str]:
        """Return the users that are named, by name or id, of those this person may know to own.

        Anybody but an admin may ask for what is their own; who else wants it is not theirs to
        find out.
        """
        return ids_of(names, (one for one in self._accounts() if person.may_see(one.user_id)))

    def shares(self, person: Person, download_ids: Collection[int]) -> Share:
        """Count whose these downloads are, as far as this person may know it."""
        return count_shares(
            self._holds.owners(download_ids).values(),
            person.user_id,
            {one.user_id: one.name for one in self._accounts()} if person.is_admin else None,
        )

    def change_for(
        self, person: Person, download: Download, *, for_everyone: bool
    ) -> OwnershipChange:
        """Return who gives it up when this person says so.

        An admin who holds it speaks for themself, like anybody; one who does not, for all who do.
        One who has just given it up does not speak for all by a second click.
        """
        holders = self._holds.holders(download.device_id, download.item_id)
        everyone = person.is_admin and (
            for_everyone or not (person.user_id in holders or self._gave_up(person, download))
        )
        leaving = frozenset(holders or [download.user_id]) if everyone else {person.user_id}
        return OwnershipChange(
            frozenset(leaving), tuple(one for one in holders if one not in leaving)
        )

    def give_up(self, download: Download, parting: OwnershipChange) -> Reversal:
        """Drop what the leaving ones hold, for good: no rule fetches it for them again.

        Returns:
            What gives it back to them.
        """
        with self._db.write():
            dropped = self._holds.drop(download.device_id, download.item_id, parting.leaving)
            for user_id in parting.leaving:
                self._tombstones.put(user_id, download.device_id, download.item_id)
            if parting.staying and download.user_id in parting.leaving:
                self._downloads.queue.hand_over(download, parting.staying[0])
        return reverse_release(download.device_id, download.item_id, parting.leaving, dropped)

    def _gave_up(self, person: Person, download: Download) -> bool:
        return download.item_id in self._tombstones.items(person.user_id, download.device_id)
