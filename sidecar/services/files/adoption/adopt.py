"""Adopts files that are on a device already: they become finished downloads, where they are.

    scan ─▶ offer ─▶ a person accepts ─▶ file unchanged? doubtful matches: sample bytes compared
                                          └─▶ hashed ─▶ a completed download, held by a pin

Nothing is fetched, moved, renamed or overwritten. A file that changes meanwhile is left alone.
"""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.adoption.matching import choose_samples
from sidecar.domain.files.removals import is_unchanged
from sidecar.domain.space.space import round_to_blocks as room_taken
from sidecar.errors import SidecarError
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess, Management
from sidecar.services.devices.in_use import DevicesInUse
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.adoption.adopter import Adopter
from sidecar.services.files.adoption.scan import LibraryFileScan, Match, Offer, TagCache
from sidecar.store.downloads.adopt import AdoptedFile
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

MOST_SHOWN = 500
EXAMPLES = 20
LONGEST_S = 20.0
OFFER_LASTS_S = 900.0
MOST_OFFERS = 20

NOT_OFFERED = msg("it is not offered (any more): look at the device again")
CHANGED = msg("it was changed, moved or removed since it was looked at")
OTHER_BYTES = msg("its bytes are not those of the original")
NO_BUDGET = msg("the device's storage limit would be used up")
NOT_ALLOWED = msg("Jellyfin does not let this account have files of it")
HAS_ONE = msg("it has a file here already, or is being downloaded at this moment")


class AdoptionInUse(SidecarError):
    """The device is being scanned, or files there are being adopted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMatch:
    """A file and the item that it is, or may be, as a person sees it.

    Attributes:
        id: Of this pair; for `adopt`.
        path: Below the device's root.
        why: Why they match, for people.
    """

    id: str
    path: str
    size: int
    item_id: str
    title: str
    artist: str | None
    album: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """The files on a device that are not ours, and the items that they match.

    Attributes:
        management: Who may adopt them.
        found: How many media files there are.
        matched: Sure matches; at most the first 500.
        matched_total: How many sure matches there are in all.
        doubtful: Possible matches; sample bytes are compared before one is adopted.
        strangers: How many files match nothing.
        examples: Paths of a few of these; empty if they may be somebody else's.
        devices: Folders that are devices themselves, of another sidecar or copied here: nothing in
            there is offered. Empty if they may be somebody else's.
        unread: How many files' tags were not read yet: ask again.
    """

    device_id: str
    device_name: str
    management: Management
    found: int = 0
    matched: Sequence[FileMatch] = ()
    matched_total: int = 0
    doubtful: Sequence[FileMatch] = ()
    doubtful_total: int = 0
    strangers: int = 0
    examples: Sequence[str] = ()
    devices: Sequence[str] = ()
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdopted:
    """A file that was not adopted, and why."""

    id: str
    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedView:
    """What was adopted; if `left` is not 0, ask again for the rest."""

    adopted: int
    left: int
    refused: Sequence[NotAdopted] = ()


@dataclass(frozen=True, slots=True)
class _Kept:
    offer: Offer
    until: float


@dataclass(slots=True)
class _Outcome:
    adopted: int = 0
    left: int = 0
    refused: list[NotAdopted] = field(default_factory=list)


class AdoptionService:
    """Offers files that are on a device already, and adopts them. Safe for many threads."""

    def __init__(
        self,
        *,
        access: DeviceAccess,
        registry: DeviceRegistry,
        downloads: Downloads,
        adopter: Adopter,
        client: Callable[[str], Jellyfin],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            access: Who may use and who may manage a device.
            registry: The devices.
            downloads: The downloads that exist already.
            adopter: Makes downloads of files.
            client: Returns the Jellyfin client of an account.
            clock: Limits how long a call takes and how long an offer is kept.
        """
        self._access = access
        self._registry = registry
        self._downloads = downloads
        self._adopter = adopter
        self._client = client
        self._clock = clock
        self._lock = Lock()
        self._in_use = DevicesInUse()
        self._offers: dict[tuple[str, str], _Kept] = {}
        self._tags: dict[str, TagCache] = {}

    def offer(self, person: Person, device_id: str) -> OfferView:
        """Scan a device for files that can be adopted.

        Raises:
            errors.NotVisible: It is no device of this person.
            AdoptionInUse: Another scan or adoption runs there.
            errors.DeviceError: The device cannot be read now.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        name = self._access.settings(person, device_id).name
        device, client = self._registry.get(device_id), self._client(person.user_id)
        with self._alone(device_id, name):
            offer = self._look(person, device, client)
        sees_all = self._access.sees_all(person, device.settings)
        return OfferView(
            device_id=device_id,
            device_name=name,
            management=self._access.management(person, device.settings),
            found=offer.found,
            matched=[_shown(one) for one in offer.sure[:MOST_SHOWN]],
            matched_total=len(offer.sure),
            doubtful=[_shown(one) for one in offer.doubtful[:MOST_SHOWN]],
            doubtful_total=len(offer.doubtful),
            strangers=len(offer.strangers),
            examples=sorted(offer.strangers)[:EXAMPLES] if sees_all else (),
            devices=sorted(offer.devices)[:EXAMPLES] if sees_all else (),
            unread=offer.unread,
        )

    def check_may_adopt(self, person: Person, device_id: str) -> None:
        """Raise what `adopt` raises if this person may not adopt files on a device."""
        self._access.managed(person, device_id)

    def adopt(self, person: Person, device_id: str, ids: Collection[str] | None) -> AdoptedView:
        """Adopt files, each held for this person from now on.

        Args:
            person: Who asks.
            device_id: Where they are.
            ids: Of matches; None for all sure ones.

        Raises:
            errors.NotVisible: It is no device of this person.
            errors.NotAManager: They do not manage the device.
            AdoptionInUse, errors.DeviceError, errors.JellyfinError: As `offer`; files that
                were adopted before stay adopted.
        """
        name = self._access.managed(person, device_id).name
        device, client = self._registry.get(device_id), self._client(person.user_id)
        with self._alone(device_id, name):
            offer = self._kept(person, device_id) or self._look(person, device, client)
            done = self._adopt(person, device, ServerFileIndex(client), offer, ids)
        return AdoptedView(adopted=done.adopted, left=done.left, refused=tuple(done.refused))

    def _look(self, person: Person, device: AttachedDevice, client: Jellyfin) -> Offer:
        tags = self._tags.setdefault(device.id, TagCache())
        settled = self._downloads.adopter.list_settled(device.id)
        offer = LibraryFileScan(device.folder, client.items, tags, self._clock).find(
            ServerFileIndex(client).all().items,
            ours={path for _, path in settled},
            taken={item_id for item_id, _ in settled},
        )
        with self._lock:
            while len(self._offers) >= MOST_OFFERS:
                del self._offers[next(iter(self._offers))]
            until = self._clock.monotonic() + OFFER_LASTS_S
            self._offers[person.user_id, device.id] = _Kept(offer, until)
        return offer

    def _kept(self, person: Person, device_id: str) -> Offer | None:
        with self._lock:
            kept = self._offers.get((person.user_id, device_id))
        return kept.offer if kept and self._clock.monotonic() < kept.until else None

    def _adopt(
        self,
        person: Person,
        device: AttachedDevice,
        originals: ServerFileIndex,
        offer: Offer,
        ids: Collection[str] | None,
    ) -> _Outcome:
        done = _Outcome()
        every = {one.id: one for one in [*offer.sure, *offer.doubtful]}
        chosen = [one.id for one in offer.sure] if ids is None else list(dict.fromkeys(ids))
        until = self._clock.monotonic() + LONGEST_S
        waiting = iter(chosen)
        for one in waiting:
            match = every.get(one)
            if match is None:
                done.refused.append(NotAdopted(id=one, path="", why=NOT_OFFERED))
            elif (why := self._refusal(person, device, originals, match)) is not None:
                done.refused.append(NotAdopted(id=one, path=match.file.path, why=why))
            else:
                done.adopted += 1
                _forget(offer, match)
            if self._clock.monotonic() >= until:
                break
        done.left = sum(1 for _ in waiting)
        if done.adopted:
            log.info("%d files on %s were adopted", done.adopted, device.settings.name)
        return done

    def _refusal(
        self, person: Person, device: AttachedDevice, originals: ServerFileIndex, match: Match
    ) -> str | None:
        """Adopt one file; return why not, None if it is adopted."""
        why = self._against(device, originals, match)
        if why is not None:
            return why
        path = match.file.path
        file = AdoptedFile(
            path=path,
            size=match.file.facts.size,
            content_hash=device.folder.content_hash(path),
            mime_type=mimetypes.guess_type(path)[0],
        )
        if not _is_still(device, match):
            return CHANGED
        adopted = self._adopter.adopt(person.user_id, device.id, match.item, file)
        if adopted is None:
            return HAS_ONE
        # What was fetched of the same download is not needed any more.
        device.remove_fetched(adopted.id)
        return None

    def _against(
        self, device: AttachedDevice, originals: ServerFileIndex, match: Match
    ) -> str | None:
        """Return why a file must not be adopted, None if it may."""
        if match.item.can_download is False:
            return NOT_ALLOWED
        if not self._has_room(device, match.file.facts.size):
            return NO_BUDGET
        if not _is_still(device, match):
            return CHANGED
        if not match.is_sure and not _has_bytes_of(device, originals, match):
            return OTHER_BYTES
        return None

    def _has_room(self, device: AttachedDevice, size: int) -> bool:
        budget, block = device.settings.budget, device.folder.space().block
        used = self._downloads.queries.bytes_on_device(device.id, block=block)
        return budget is None or used + room_taken(size, block) <= budget

    def _alone(self, device_id: str, name: str) -> AbstractContextManager[None]:
        return self._in_use.only(
            device_id,
            AdoptionInUse(msg("{name} is being looked through at this moment", name=name)),
        )


def _is_still(device: AttachedDevice, match: Match) -> bool:
    seen = device.folder.look([match.file.path])[match.file.path]
    return is_unchanged(seen, match.file.facts, keeps_numbers=device.folder.keeps_numbers)


def _has_bytes_of(device: AttachedDevice, originals: ServerFileIndex, match: Match) -> bool:
    """Compare the head, the middle and the tail with the original."""
    size = match.file.facts.size
    with device.folder.open(match.file.path) as file:
        for start, length in choose_samples(size):
            file.seek(start)
            here = file.read(length)
            if here != originals.sample(match.item.id, start, length, size=size):
                return False
    return True


def _forget(offer: Offer, match: Match) -> None:
    """Remove the file and the item of a match from an offer."""
    offer.sure = [one for one in offer.sure if one.id != match.id]
    offer.doubtful = [
        one
        for one in offer.doubtful
        if one.file.path != match.file.path and one.item.id != match.item.id
    ]


def _shown(match: Match) -> FileMatch:
    return FileMatch(
        id=match.id,
        path=match.file.path,
        size=match.file.facts.size,
        item_id=match.item.id,
        title=match.item.title,
        artist=match.item.artist or match.item.album_artist,
        album=match.item.album,
        why=match.why,
    )
