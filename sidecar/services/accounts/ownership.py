"""Decides who owns a download, who may see it, and for whom a person gives it up.

The owners are those who hold it; if nobody does, whoever asked for it first. An admin sees all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from sidecar.domain.downloads.download import Download
from sidecar.domain.downloads.shares import Share, count_shares
from sidecar.domain.undo import Reversal, reverse_release
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person, ids_of, viewer
from sidecar.store.accounts.accounts import Account
from sidecar.store.stores import Stores


@dataclass(frozen=True, slots=True)
class OwnershipChange:
    """The users who give a download up, and those who keep it."""

    leaving: frozenset[str]
    staying: tuple[str, ...]


class Ownership:
    """Looks up the owners of downloads and ends their holds. Safe for many threads."""

    def __init__(self, stores: Stores, *, accounts: Callable[[], Iterable[Account]]) -> None:
        """Prepare; `accounts` returns every account that ever signed in."""
        self._accounts = accounts
        self._db = stores.db
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._tombstones = stores.tombstones

    def owners(self, download: Download) -> list[str]:
        """Return the ids of the users who own a download."""
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
        """Yield those of these downloads that exist and that this person may see."""
        for one in download_ids:
            found = self._downloads.queries.seen(one, viewer(person))
            if found:
                yield found

    def owners_named(self, person: Person, names: Iterable[str]) -> frozenset[str]:
        """Return the ids of the named accounts (by name or id), as far as this person may see them.

        Only an admin may filter by other owners: anybody else would learn who wants what.
        """
        return ids_of(names, (one for one in self._accounts() if person.may_see(one.user_id)))

    def shares(self, person: Person, download_ids: Collection[int]) -> Share:
        """Count the owners of these downloads, with other people's names only for an admin."""
        return count_shares(
            self._holds.owners(download_ids).values(),
            person.user_id,
            {one.user_id: one.name for one in self._accounts()} if person.is_admin else None,
        )

    def change_for(
        self, person: Person, download: Download, *, for_everyone: bool
    ) -> OwnershipChange:
        """Return who gives a download up when this person asks for it.

        Usually only this person. For an admin, all holders: if `for_everyone` is set, or if the
        admin neither holds it nor has given it up before (so that a second click does not end
        the holds of everybody).
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
        """Drop the holds of the leaving users and write tombstones: no rule fetches it again.

        Returns:
            What restores their holds.
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
