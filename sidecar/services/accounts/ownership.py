"""Decides who owns a download, who may see it, and for whom a person gives it up.

The owners are those who hold it; if nobody does, whoever asked for it first. An admin sees all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.downloads.download import Download
from sidecar.domain.downloads.shares import Share, count_shares
from sidecar.domain.undo import Reversal, reverse_release
from sidecar.domain.wishes import Hold
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person, ids_of, viewer
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.stores import Stores


@dataclass(frozen=True, slots=True)
class OwnershipChange:
    """The users who give a download up, and those who keep it."""

    leaving: frozenset[str]
    staying: tuple[str, ...]


class Ownership:
    """Looks up the owners of downloads and ends their holds. Safe for many threads."""

    def __init__(
        self,
        stores: Stores,
        *,
        accounts: Callable[[], Iterable[Account]],
        unused: Callable[[], frozenset[str]],
    ) -> None:
        """Prepare.

        Args:
            stores: The downloads and their holds.
            accounts: Returns every account that ever signed in.
            unused: Returns the ids of the devices that are in use no more.
        """
        self._accounts = accounts
        self._unused = unused
        self._db = stores.db
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._tombstones = stores.tombstones

    def owners(self, download: Download) -> list[str]:
        """Return the ids of the users who own a download."""
        return self._holds.holders(download.device_id, download.item_id) or [download.user_id]

    def listed(self, person: Person) -> DownloadFilter:
        """Return the filter of all that lists and their numbers tell this person."""
        return DownloadFilter(viewer=viewer(person), left_out=self._unused())

    def visible(self, person: Person, download_id: int) -> Download:
        """Return a download.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        for found in self.visible_among(person, [download_id]):
            return found
        raise NotVisible

    def visible_among(self, person: Person, download_ids: Iterable[int]) -> Iterator[Download]:
        """Return those of these downloads that exist and that this person may see."""
        asked = list(download_ids)
        seen = self._downloads.queries.all_seen(asked, viewer(person)) if asked else {}
        return (seen[one] for one in asked if one in seen)

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
        holds = self._holds.reasons_for([download.id])
        return self.changes_for(person, [download], holds, for_everyone=for_everyone)[download.id]

    def changes_for(
        self,
        person: Person,
        downloads: Iterable[Download],
        holds: Mapping[int, Iterable[Hold]],
        *,
        for_everyone: bool,
    ) -> Mapping[int, OwnershipChange]:
        """Return the same for many downloads, by their ids, from the holds on each."""
        removed: dict[str, Collection[str]] = {}

        def gave_up(one: Download) -> bool:
            if one.device_id not in removed:
                removed[one.device_id] = self._tombstones.items(person.user_id, one.device_id)
            return one.item_id in removed[one.device_id]

        changes: dict[int, OwnershipChange] = {}
        for one in downloads:
            holders = sorted({hold.user_id for hold in holds[one.id]})
            everyone = person.is_admin and (
                for_everyone or not (person.user_id in holders or gave_up(one))
            )
            leaving = frozenset(holders or [one.user_id]) if everyone else {person.user_id}
            staying = tuple(user_id for user_id in holders if user_id not in leaving)
            changes[one.id] = OwnershipChange(frozenset(leaving), staying)
        return changes

    def give_up(self, download: Download, parting: OwnershipChange) -> Reversal:
        """Drop the holds of the leaving users and write tombstones: no rule fetches it again.

        Returns:
            What restores their holds.
        """
        return self.give_up_all([(download, parting)])[download.id]

    def give_up_all(
        self, partings: Sequence[tuple[Download, OwnershipChange]]
    ) -> Mapping[int, Reversal]:
        """Do the same for many downloads; return what restores the holds, by their ids."""
        which = [
            (user_id, one.device_id, one.item_id)
            for one, parting in partings
            for user_id in sorted(parting.leaving)
        ]
        dropped: dict[tuple[str, str], list[Hold]] = {}
        with self._db.write():
            for hold in self._holds.drop_all(which):
                dropped.setdefault((hold.device_id, hold.item_id), []).append(hold)
            self._tombstones.put_all(which)
            for one, parting in partings:
                if parting.staying and one.user_id in parting.leaving:
                    self._downloads.queue.hand_over(one, parting.staying[0])
        return {
            one.id: reverse_release(
                one.device_id,
                one.item_id,
                parting.leaving,
                dropped.get((one.device_id, one.item_id), ()),
            )
            for one, parting in partings
        }
