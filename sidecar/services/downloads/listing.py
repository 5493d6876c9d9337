"""Lists downloads as each person may see them, with counts, progress and covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.downloads.shares import FORMER_ACCOUNT
from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.waits import Wait
from sidecar.domain.wishes import Hold
from sidecar.errors import NotVisible, SignedOut
from sidecar.events import Progress
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.hidden_files import HiddenFilesService, HiddenSentence
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.views import (
    DownloadPage,
    DownloadQuery,
    DownloadView,
    OnTheWay,
    ReasonView,
    SyncedTo,
    TitlePage,
    TitleView,
)
from sidecar.services.library.covers import Cover, CoverCache
from sidecar.services.space.waits import Waits
from sidecar.services.transfers.fetching.progress import ProgressTracker
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queries import DeviceState
from sidecar.store.stores import Stores

ON_THEIR_WAY = frozenset({Status.DOWNLOADING, Status.PENDING})
STORED = tuple(one.name for one in fields(Download))


class DownloadListing:
    """Reads downloads for a person. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        accounts: AccountService,
        ownership: Ownership,
        transfers: ProgressTracker,
        covers: CoverCache,
        is_carried: bool,
        hidden: HiddenFilesService,
        waits: Waits,
    ) -> None:
        """Prepare.

        Args:
            stores: The downloads, their holds, and where Syncthing has brought them.
            accounts: For names, and for the Jellyfin client of a person.
            ownership: Decides who may see a download.
            transfers: The progress of running transfers.
            covers: The cache of covers.
            is_carried: Whether Syncthing is used.
            hidden: Tells from whom the items of files are hidden.
            waits: Finds what keeps downloads from coming.
        """
        self._accounts = accounts
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._devices = stores.devices
        self._arrivals = stores.arrivals if is_carried else None
        self._ownership = ownership
        self._transfers = transfers
        self._covers = covers
        self._hidden = hidden
        self._waits = waits

    def downloads(self, person: Person, query: DownloadQuery) -> DownloadPage:
        """Return one page of the downloads that this person may see and that match."""
        which = self._which(person, query)
        rows, total = self._downloads.queries.page(
            which, query.page, query.page_size, sort=query.sort
        )
        return DownloadPage(self.views(person, rows), total, query.page, query.page_size)

    def titles(self, person: Person, query: DownloadQuery) -> TitlePage:
        """Return the same, with the downloads of a title on several devices put together."""
        found = self._downloads.titles.page(
            self._which(person, query), query.page, query.page_size, sort=query.sort
        )
        rows = self._title_views(person, found.rows)
        return TitlePage(rows, found.following, found.files, found.total)

    def title(self, person: Person, query: DownloadQuery, download_id: int) -> TitleView:
        """Return the downloads of a download's title, as `titles` has them.

        Raises:
            errors.NotVisible: It is not in this list, or not for this person.
        """
        found = self._downloads.titles.copies(self._which(person, query), download_id)
        if not found:
            raise NotVisible
        return self._title_views(person, [found])[0]

    def _title_views(
        self, person: Person, titles: Sequence[Sequence[Download]]
    ) -> Sequence[TitleView]:
        views = {one.id: one for one in self.views(person, [one for row in titles for one in row])}
        return [
            sorted((views[one.id] for one in row), key=lambda one: (one.device_name, one.id))
            for row in titles
        ]

    def download(self, person: Person, download_id: int) -> DownloadView:
        """Return one download.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        return self.views(person, [self._ownership.visible(person, download_id)])[0]

    def some(self, person: Person, download_ids: Iterable[int]) -> list[DownloadView]:
        """Return those of these downloads that exist and that this person may see."""
        return self.views(person, list(self._ownership.visible_among(person, download_ids)))

    def rank(self, person: Person, query: DownloadQuery, download_id: int) -> int | None:
        """Return the place of a download's title in this list, from 1; None if it is not in it."""
        return self._downloads.titles.rank(self._which(person, query), download_id, sort=query.sort)

    def counts(self, person: Person, query: DownloadQuery | None = None) -> Mapping[str, int]:
        """Count the downloads in each state, and those that are `missing`.

        The numbers equal the totals of `downloads`.

        Args:
            person: Who asks.
            query: A filter, whose statuses and page are ignored; None counts all.
        """
        return self._downloads.queries.counts(self._which(person, query or DownloadQuery()))

    def failed(self, person: Person) -> int:
        """Return how many of the downloads that this person may see have failed."""
        return self._downloads.queries.number(Status.FAILED, self._ownership.listed(person))

    def by_device(self, person: Person) -> Mapping[str, DeviceState]:
        """Return how the downloads of each device stand, as far as this person may see them."""
        which = self._ownership.listed(person)
        return self._downloads.queries.by_device(which.viewer, which.left_out)

    def owners(self, person: Person) -> Sequence[str]:
        """Return the account names that an admin may filter by; for others none."""
        return sorted(one.name for one in self._accounts.all()) if person.is_admin else ()

    def on_the_way(self, person: Person, *, places: int, most: int) -> OnTheWay:
        """Return what runs and waits, its first `places`; and `most` of what comes next."""
        which = replace(self._ownership.listed(person), statuses=ON_THEIR_WAY)
        first, _ = self._downloads.queries.page(which, 1, places, sort=Sort.QUEUE)
        not_now = self._waits.not_now([one.id for one in self._devices.all()])
        coming = self._downloads.queries.coming(which, self._waits.clock.now(), not_now, most)
        rows = {one.id: one for one in (*first, *coming)}
        views = {one.id: one for one in self.views(person, [*rows.values()])}
        return OnTheWay([views[one.id] for one in first], [views[one.id] for one in coming])

    def bytes_waiting(self, person: Person) -> int:
        """Return the bytes still to fetch of the downloads that this person may see."""
        return self._downloads.queries.bytes_waiting(self._ownership.listed(person))

    def viewers(self, download_id: int) -> Sequence[str]:
        """Return the ids of the users who own this download; admins may see it too."""
        found = self._downloads.queries.get(download_id)
        return self._ownership.owners(found) if found else []

    def progress(self) -> Sequence[Progress]:
        """Return the progress of the running transfers."""
        return self._transfers.last()

    def cover(self, person: Person, download_id: int, width: int) -> Cover:
        """Return the picture of a download.

        Raises:
            errors.NotVisible: It has none, or may not be seen.
        """
        found = self._ownership.visible(person, download_id)
        try:
            client = self._accounts.client(person.user_id)
        except SignedOut:
            raise NotVisible from None
        cover = self._covers.get(client, found, width)
        if cover is None:
            raise NotVisible
        return cover

    def _which(self, person: Person, query: DownloadQuery) -> DownloadFilter:
        named = person.is_admin and query.owners
        return replace(
            self._ownership.listed(person),
            statuses=query.statuses,
            missing=query.missing,
            owners=self._ownership.owners_named(person, query.owners) if named else None,
            device_id=query.device_id,
            text=query.text,
            item_types=query.item_types,
            as_of=query.as_of,
        )

    def views(self, person: Person, rows: Sequence[Download]) -> list[DownloadView]:
        """Return the views of downloads for a person; the caller checks that they may see them."""
        names = {one.user_id: one.name for one in self._accounts.all()}
        devices = {one.id: one.name for one in self._devices.all()}
        holds = self._holds.reasons_for([row.id for row in rows])
        running = {one.download_id: one for one in self._transfers.last()}
        carried = self._carried(rows)
        hidden = self._hidden.of_downloads(person, [row.id for row in rows if row.is_present])
        waits = self._waits.of(person, rows)
        return [
            _view(
                row,
                device_name=devices.get(row.device_id, msg("a device that is gone")),
                progress=running.get(row.id) if row.status is Status.DOWNLOADING else None,
                reasons=_reasons(person, holds[row.id], names),
                owners=_owners(person, row, holds[row.id], names),
                carried=carried.get(row.id, ()),
                hidden_from=hidden.get(row.id, ()),
                wait=next(iter(waits.get(row.id, ())), None),
            )
            for row in rows
        ]

    def _carried(self, rows: Iterable[Download]) -> Mapping[int, tuple[SyncedTo, ...]]:
        if self._arrivals is None:
            return {}
        found = self._arrivals.of_files(row.id for row in rows if row.is_present)
        return {
            download_id: tuple(
                SyncedTo(one.peer, one.known_at) for one in peers if one.known_at is not None
            )
            for download_id, peers in found.items()
        }


def _reasons(
    person: Person, holds: Sequence[Hold], names: Mapping[str, str]
) -> tuple[ReasonView, ...]:
    return tuple(
        ReasonView(hold.reason.rule, names.get(hold.user_id, FORMER_ACCOUNT), _told(hold))
        for hold in holds
        if person.may_see(hold.user_id)
    )


def _told(hold: Hold) -> str:
    if hold.release_at is None:
        return hold.reason.text
    # What is no favourite any more is kept for a day.
    return msg("no longer: {reason}", reason=hold.reason.text)


def _owners(
    person: Person, row: Download, holds: Sequence[Hold], names: Mapping[str, str]
) -> tuple[str, ...]:
    ids = dict.fromkeys(hold.user_id for hold in holds) or {row.user_id: None}
    return tuple(names.get(user_id, FORMER_ACCOUNT) for user_id in ids if person.may_see(user_id))


def _view(
    row: Download,
    *,
    device_name: str,
    progress: Progress | None,
    reasons: tuple[ReasonView, ...],
    owners: tuple[str, ...],
    carried: tuple[SyncedTo, ...],
    hidden_from: tuple[HiddenSentence, ...],
    wait: Wait | None,
) -> DownloadView:
    stored: dict[str, Any] = {name: getattr(row, name) for name in STORED}
    stored["expected_size"] = row.size
    view = DownloadView(
        **stored,
        device_name=device_name,
        reasons=reasons,
        owners=owners,
        carried=carried,
        hidden_from=hidden_from,
        wait=wait,
    )
    if progress is None:
        return view
    return replace(
        view,
        bytes_downloaded=progress.bytes_held,
        expected_size=progress.size or row.size,
        speed=progress.speed,
        seconds_left=progress.seconds_left,
        phase=progress.phase,
    )
