"""Downloads, devices and notices: rows of the store in, what each person may see out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sidecar.domain.downloads.shares import FORMER_ACCOUNT
from sidecar.domain.downloads.states import Download, Status
from sidecar.domain.wishes import Hold
from sidecar.errors import NotVisible, SignedOut
from sidecar.events import Progress
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person, viewer
from sidecar.services.devices.access import NEW, DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.views import (
    DownloadPage,
    DownloadQuery,
    DownloadView,
    ReasonView,
    SyncedTo,
)
from sidecar.services.library.covers import Cover, CoverCache
from sidecar.services.notices import Notice, OpenQuestion
from sidecar.services.problems import ProblemKind, Problems
from sidecar.services.transfers.progress import ProgressTracker
from sidecar.sizes import rough_size
from sidecar.store.devices.devices import Devices
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.holds import Holds
from sidecar.store.syncthing.arrivals import Arrivals

STORED = tuple(one.name for one in fields(Download))


class DownloadListing:
    """Downloads, devices and notices as each person may see them. Safe for many threads."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        downloads: Downloads,
        holds: Holds,
        devices: Devices,
        registry: DeviceRegistry,
        access: DeviceAccess,
        ownership: Ownership,
        problems: Problems,
        transfers: ProgressTracker,
        covers: CoverCache,
        arrivals: Arrivals | None,
        further_notices: Iterable[Callable[[Person], Iterable[Notice]]],
        questions: Callable[[Person], Sequence[OpenQuestion]],
        is_healthy: Callable[[], bool],
    ) -> None:
        self._accounts = accounts
        self._downloads = downloads
        self._holds = holds
        self._devices = devices
        self._registry = registry
        self._access = access
        self._ownership = ownership
        self._problems = problems
        self._transfers = transfers
        self._covers = covers
        self._arrivals = arrivals
        self._further_notices = tuple(further_notices)
        self._questions = questions
        self._is_healthy = is_healthy

    def downloads(self, person: Person, query: DownloadQuery) -> DownloadPage:
        """List what this person may see."""
        which = self._which(person, query)
        rows, total = self._downloads.queries.page(
            which, query.page, query.page_size, sort=query.sort
        )
        return DownloadPage(self.views(person, rows), total, query.page, query.page_size)

    def download(self, person: Person, download_id: int) -> DownloadView:
        """Return one download.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        return self.views(person, [self._ownership.visible(person, download_id)])[0]

    def some(self, person: Person, download_ids: Iterable[int]) -> list[DownloadView]:
        """Return those of these downloads that are there and that this person may see."""
        return self.views(person, list(self._ownership.visible_among(person, download_ids)))

    def rank(self, person: Person, query: DownloadQuery, download_id: int) -> int | None:
        """Return the place of a download in this list, from 1; None if it is not in it."""
        return self._downloads.queries.rank(
            self._which(person, query), download_id, sort=query.sort
        )

    def counts(self, person: Person, query: DownloadQuery | None = None) -> Mapping[str, int]:
        """Count what this person may see in each state and as `missing`.

        Equal to the totals of `downloads`.

        Args:
            person: Who asks.
            query: What is counted, whatever its statuses and page say; None counts all.
        """
        return self._downloads.queries.counts(self._which(person, query or DownloadQuery()))

    def owners(self, person: Person) -> Sequence[str]:
        """Return the names that an admin may choose owners by; nobody else has a choice."""
        return sorted(one.name for one in self._accounts.all()) if person.is_admin else ()

    def bytes_waiting(self, person: Person) -> int:
        """Return the bytes still to come of what waits and this person may see."""
        return self._downloads.queries.bytes_waiting(DownloadFilter(viewer=viewer(person)))

    def viewers(self, download_id: int) -> Sequence[str]:
        """Return the user ids (not admins as such) who may see this download."""
        found = self._downloads.queries.get(download_id)
        return self._ownership.owners(found) if found else []

    def progress(self) -> Sequence[Progress]:
        """Return where the running transfers stand."""
        return self._transfers.last()

    def devices(self, person: Person) -> Sequence[DeviceView]:
        """List the devices this person's files go to (an admin: all), attached or not."""
        attached = {one.settings.name: one for one in self._registry.all()}
        known_by_name = {one.name: one for one in reversed(self._devices.all())}
        views = []
        for settings in self._registry.settings():
            if not self._access.to(person, settings):
                continue
            management = self._access.management(person, settings)
            device = attached.get(settings.name)
            known = known_by_name.get(settings.name)
            device_id = device.id if device else known.id if known else f"{NEW}{settings.name}"
            trouble = self._problems.of(ProblemKind.DEVICE, device_id)
            current = device.settings if device else settings
            space = self._registry.space(device) if device and trouble is None else None
            files, missing = self._downloads.queries.files_and_missing(device_id)
            used = self._downloads.queries.bytes_on_device(device_id)
            used -= self._downloads.queries.bytes_missing(device_id) if missing else 0
            free = space.free if space else None
            if not self._access.sees_all(person, settings):
                used, free = rough_size(used), None if free is None else rough_size(free)
            views.append(
                DeviceView(
                    id=device_id,
                    name=settings.name,
                    path=str(settings.path) if person.is_admin else "",
                    trouble=trouble.text if trouble else None,
                    budget=current.budget,
                    used=used,
                    free=free,
                    total=space.total if space else None,
                    is_paused=current.paused,
                    is_unplugged=self._registry.is_ejected(device_id),
                    files=files,
                    missing=missing,
                    managers=management.managers,
                    may_manage=management.may_manage,
                )
            )
        return views

    def notices(self, person: Person) -> Sequence[Notice]:
        """List what this person should know now."""
        server = self._problems.all_of(ProblemKind.SERVER).values()
        notices = [Notice("server", "error", one.text) for one in server]
        for user_id, trouble in self._problems.all_of(ProblemKind.ACCOUNT).items():
            if person.may_see(user_id):
                notices.append(Notice("account", "warning", trouble.text))
        devices = self.devices(person)
        notices += [
            Notice("device", "warning", device.trouble)
            for device in devices
            if device.trouble is not None
        ]
        rooms = self._problems.all_of(ProblemKind.ROOM)
        notices += [
            Notice("room", "warning", rooms[device.id].text)
            for device in devices
            if device.id in rooms
        ]
        for more in self._further_notices:
            notices += more(person)
        return notices

    def questions(self, person: Person) -> Sequence[OpenQuestion]:
        """List what waits for somebody's answer and concerns this person."""
        return self._questions(person)

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

    def is_healthy(self) -> bool:
        """Whether every thread is alive and the database answers."""
        return self._is_healthy()

    def _which(self, person: Person, query: DownloadQuery) -> DownloadFilter:
        named = person.is_admin and query.owners
        return DownloadFilter(
            statuses=query.statuses,
            missing=query.missing,
            viewer=viewer(person),
            owners=self._ownership.owners_named(person, query.owners) if named else None,
            device_id=query.device_id,
            text=query.text,
            item_types=query.item_types,
            as_of=query.as_of,
        )

    def views(self, person: Person, rows: Sequence[Download]) -> list[DownloadView]:
        """Return downloads as this person sees them; that they may is the caller's word."""
        names = {one.user_id: one.name for one in self._accounts.all()}
        devices = {one.id: one.name for one in self._devices.all()}
        holds = self._holds.reasons_for([row.id for row in rows])
        running = {one.download_id: one for one in self._transfers.last()}
        return [
            _view(
                row,
                device_name=devices.get(row.device_id, msg("a device that is gone")),
                progress=running.get(row.id) if row.status is Status.DOWNLOADING else None,
                reasons=_reasons(person, holds[row.id], names),
                owners=_owners(person, row, holds[row.id], names),
                carried=self._carried(row),
            )
            for row in rows
        ]

    def _carried(self, row: Download) -> tuple[SyncedTo, ...]:
        if self._arrivals is None or not row.is_present:
            return ()
        found = self._arrivals.of_file(row.id)
        return tuple(SyncedTo(one.peer, one.known_at) for one in found if one.known_at is not None)


def _reasons(
    person: Person, holds: Sequence[Hold], names: Mapping[str, str]
) -> tuple[ReasonView, ...]:
    return tuple(
        ReasonView(hold.reason.rule, names.get(hold.user_id, FORMER_ACCOUNT), hold.reason.text)
        for hold in holds
        if person.may_see(hold.user_id)
    )


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
) -> DownloadView:
    stored: dict[str, Any] = {name: getattr(row, name) for name in STORED}
    stored["expected_size"] = row.size
    view = DownloadView(
        **stored, device_name=device_name, reasons=reasons, owners=owners, carried=carried
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
