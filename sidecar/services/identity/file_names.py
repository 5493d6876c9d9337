"""Previews which files of a device would have other names today, and plans them after a yes.

    a manager asks ─▶ items, albums, seasons looked up ─▶ preview ─▶ yes ─▶ planned in the rows
                                                             │          └▶ `renaming` renames each
                                                             └ kept until something changes there

Nothing is ever renamed for this without a yes, and nothing is fetched. Files that were adopted stay
where they are, and so does what the server does not know or an account that is signed out had.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.folders import owner_id
from sidecar.domain.files.groups import ALONE, Group
from sidecar.domain.files.naming import NameLimits, is_part, make_path_key
from sidecar.domain.files.renames import NamedFile, make_plan_id, plan_renames
from sidecar.domain.items.item import Item
from sidecar.errors import NotPossible, OutsideHours, SignedOut
from sidecar.events import DeviceChanged, DownloadChanged, Event, NewsMissed
from sidecar.jellyfin.client import IDS_PER_REQUEST, Jellyfin
from sidecar.jellyfin.library.groups import GroupLookup
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess, Management
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

# What one request may take; the next one goes on from there.
LONGEST_S = 20.0
KEPT_S = 900.0
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class RenamedFile:
    """A file that would have another name."""

    path: str
    new_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesView:
    """What would be renamed on a device, as one person sees it.

    Attributes:
        management: Who may have it renamed.
        plan_id: For `rename`; another one for every other plan.
        renamed: How many files would be renamed.
        fetched: How many would be fetched for that: none, ever.
        waiting: How many are being renamed after a yes.
        unread: How many were not looked up yet: ask again.
        examples: Without what is kept for others alone, where that is not this person's to see.
    """

    device_id: str
    device_name: str
    management: Management
    plan_id: str
    renamed: int
    fetched: int = 0
    waiting: int = 0
    unread: int = 0
    examples: Sequence[RenamedFile] = ()


@dataclass(frozen=True, slots=True)
class _Preview:
    """What is told of a device: the same for everybody but for the examples.

    Attributes:
        shape: The limits that it was made for.
        renamed: The files that would be renamed, by their downloads.
    """

    shape: NameLimits
    plan_id: str
    renamed: Mapping[int, RenamedFile]
    waiting: int
    unread: int


@dataclass(slots=True)
class _Look:
    """What was looked up for a device so far.

    Attributes:
        preview: The last one.
        is_current: Whether nothing has changed since that was begun.
    """

    until: float
    asked: set[str] = field(default_factory=set)
    items: dict[str, Item] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    preview: _Preview | None = None
    is_current: bool = False


class FileNames:
    """Previews and plans new names. Safe for many threads."""

    def __init__(
        self,
        *,
        downloads: Downloads,
        access: DeviceAccess,
        list_visible: Callable[[str, Collection[int]], Container[int]],
        client: Callable[[str], Jellyfin],
        shape_of: Callable[[str], NameLimits],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            downloads: The rows.
            access: Who manages a device.
            list_visible: Returns those of some downloads that an account may see.
            client: Returns the Jellyfin client of an account, or raises `SignedOut`.
            shape_of: Returns the limits of file names on a device.
            clock: For the age of what was looked up.
        """
        self._downloads = downloads
        self._access = access
        self._list_visible = list_visible
        self._client = client
        self._shape_of = shape_of
        self._clock = clock
        self._lock = Lock()
        self._looks: dict[str, _Look] = {}

    def preview(self, person: Person, device_id: str) -> NamesView:
        """Return what would be renamed.

        Raises:
            errors.NotVisible: It is no device of this person.
            errors.JellyfinError: It cannot be asked now.
        """
        settings = self._access.settings(person, device_id)
        with self._lock:
            found = self._previewed(device_id)
        shown = iter(found.renamed)
        if not self._access.sees_all(person, settings):
            # Asked each time: whose files these are may have changed since they were planned.
            theirs = self._list_visible(person.user_id, found.renamed.keys())
            shown = filter(theirs.__contains__, shown)
        return NamesView(
            device_id=device_id,
            device_name=settings.name,
            management=self._access.management(person, settings),
            plan_id=found.plan_id,
            renamed=len(found.renamed),
            waiting=found.waiting,
            unread=found.unread,
            examples=[found.renamed[one] for one in islice(shown, MOST_SHOWN)],
        )

    def rename(self, person: Person, device_id: str, plan_id: str) -> int:
        """Plan what was previewed; return how many files are to be renamed.

        Raises:
            errors.NotVisible: It is no device of this person.
            errors.NotAManager: They do not manage it.
            errors.NotPossible: Another plan was previewed.
        """
        settings = self._access.managed(person, device_id)
        with self._lock:
            look = self._look(device_id)
            # It is planned anew: of what another process did, no event may have come.
            look.is_current = False
            rows = self._downloads.identity.on_device(device_id)
            renamed = self._renamed(look, rows, self._shape_of(device_id))
            if make_plan_id(renamed) != plan_id:
                raise NotPossible(msg("The files have changed meanwhile: look at the names again"))
            files = self._downloads.identity.plan_renames(
                {one.id: renamed[one.id] for one in rows if one.id in renamed and _has_file(one)}
            )
            for one in rows:
                if one.id in renamed and not _has_file(one):
                    path = renamed[one.id]
                    self._downloads.queue.rename(one, FilePlace(path, make_path_key(path)))
        log.info("%s has %d files renamed on %s", person.name, files, settings.name)
        return files

    def hear(self, event: Event) -> None:
        """Listen to the bus: where something has changed, the next preview is made anew."""
        match event:
            case DownloadChanged(download=download):
                changed = {download.device_id}
            case DeviceChanged(device_id=device_id):
                changed = {device_id}
            case NewsMissed():
                changed = {*self._looks}
            case _:
                return
        now = self._clock.monotonic()
        for device_id, look in tuple(self._looks.items()):
            if device_id in changed:
                look.is_current = False
            if look.until < now:
                # Else thousands of items would stay for ever after somebody has looked once.
                self._looks.pop(device_id, None)

    def _previewed(self, device_id: str) -> _Preview:
        look, shape = self._look(device_id), self._shape_of(device_id)
        if look.is_current and look.preview is not None and look.preview.shape == shape:
            return look.preview
        # What changes from now on is in the next one. The last one is not shown should this fail.
        look.is_current, look.preview = True, None
        rows = self._downloads.identity.on_device(device_id)
        unread = self._look_up(look, rows)
        renamed = self._renamed(look, rows, shape)
        look.preview = _Preview(
            shape=shape,
            plan_id=make_plan_id(renamed),
            renamed={
                one.id: RenamedFile(one.file_path, renamed[one.id])
                for one in rows
                if one.id in renamed and _has_file(one)
            },
            waiting=sum(one.wanted_path is not None for one in rows),
            unread=unread,
        )
        if unread:
            look.is_current = False
        return look.preview

    def _look(self, device_id: str) -> _Look:
        now = self._clock.monotonic()
        look = self._looks.get(device_id)
        if look is None or look.until < now:
            look = self._looks[device_id] = _Look(now + KEPT_S)
        return look

    def _look_up(self, look: _Look, rows: Sequence[Download]) -> int:
        """Look up as much as there is time for; return how many files are left."""
        end = self._clock.monotonic() + LONGEST_S
        by_user: dict[str, list[str]] = {}
        for one in rows:
            if one.item_id not in look.asked and _may_move(one):
                by_user.setdefault(one.user_id, []).append(one.item_id)
        left = sum(map(len, by_user.values()))
        for user_id, ids in by_user.items():
            for batch in batched(self._in_albums(rows, ids), IDS_PER_REQUEST):
                if self._clock.monotonic() > end:
                    return left
                self._ask(look, user_id, batch)
                left -= len(batch)
        return left

    def _ask(self, look: _Look, user_id: str, ids: Sequence[str]) -> None:
        try:
            client = self._client(user_id)
            items = client.items(ids)
            groups = GroupLookup(client).of(list(items.values()), look.items.values())
        except (SignedOut, OutsideHours):
            items, groups = {}, {}
        look.asked |= set(ids)
        look.items |= items
        look.groups |= groups

    def _in_albums(self, rows: Iterable[Download], ids: Iterable[str]) -> Sequence[str]:
        """Return the ids with those of one album together: it is listed once then, if at all."""
        albums = {one.item_id: one.album_id or "" for one in rows}
        return sorted(ids, key=lambda one: albums[one])

    def _renamed(
        self, look: _Look, rows: Iterable[Download], shape: NameLimits
    ) -> Mapping[int, str]:
        files = [_named(one, look) for one in rows]
        planned = {one.id: one.wanted_path for one in rows}
        renamed = plan_renames(files, shape)
        return {id_: path for id_, path in renamed.items() if planned[id_] != path}


def _named(one: Download, look: _Look) -> NamedFile:
    item = look.items.get(one.item_id) if _may_move(one) else None
    known = look.items.get(one.item_id)
    series_id = None if known is None else known.series_id
    return NamedFile(
        id=one.id,
        path=one.file_path,
        item=item,
        group=look.groups.get(one.item_id, ALONE),
        owner=owner_id(one.item_type, one.item_id, one.album_id, series_id),
    )


def _may_move(one: Download) -> bool:
    """Whether a file may have another name.

    Not while it is written, missing, or a person's own; nor a part of a film, which stays with the
    others.
    """
    if is_part(one.file_path, one.item_type):
        return False
    if one.status is Status.COMPLETED:
        is_adopted = one.started_at is None
        return not is_adopted and one.missing_since is None
    return one.status is not Status.DOWNLOADING


def _has_file(one: Download) -> bool:
    return one.status is Status.COMPLETED
