"""Restores the downloads of a device after the database was lost, from its manifest.

    listed in the manifest ─▶ exists? same size? (written to since, `checks`: same hash?) ─▶ adopted
    not listed, or no manifest ─▶ scanned as any other file ─▶ adopted if the match is sure

Nothing is fetched, moved or overwritten. What is not sure is not adopted, but reported.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sidecar.clock import Clock
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.manifest import read_device_manifest
from sidecar.domain.adoption.matching import LibraryIndex
from sidecar.domain.adoption.restore import Manifest, ManifestFile, NoManifest, read_manifest
from sidecar.domain.adoption.tags import FoundTags
from sidecar.domain.files.removals import FileStat, was_written_since
from sidecar.domain.identity.matching import (
    Facts,
    MatchVerdict,
    facts_of,
    identify,
    names_of,
    own_name,
)
from sidecar.domain.items.item import Item
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.messages import msg
from sidecar.services.files.adoption.adopter import Adopter
from sidecar.services.files.adoption.scan import LibraryFileScan, Offer, TagCache
from sidecar.store.downloads.adopt import AdoptedFile
from sidecar.store.downloads.queue import Downloads

OTHER_SERVER = msg("it came from another Jellyfin server")
NOT_THERE = msg("it is not there any more")
OTHER_SIZE = msg("it has another size than the file we wrote")
OTHER_BYTES = msg("its bytes are not those that we wrote")
PLACE_TAKEN = msg("another download has its place")
IN_DOUBT = msg("{why}: import it on the page or in the API, where it is compared with the original")
STRANGER = msg("no file of the library fits it")


class AccountLibrary:
    """The whole library of one account, as it sees it."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Return full items by their ids: only what the account may see, as a manifest names any.

        Further parts and versions of films are in no list: each of these is asked for.
        """
        wanted, listed = list(ids), {one.id for one in self.all}
        others = [one for one in wanted if one not in listed]
        return {
            **self._client.items(one for one in wanted if one in listed),
            **self._client.visible_items(others),
        }

    @cached_property
    def all(self) -> Sequence[Item]:
        """All items, with few fields; asked for once."""
        return ServerFileIndex(self._client).all().items


@dataclass(frozen=True, slots=True)
class Restored:
    """A file that was adopted."""

    path: str
    item_id: str
    title: str
    size: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not adopted, and why."""

    path: str
    why: str


@dataclass(slots=True)
class RestoreReport:
    """The result of restoring one device.

    Attributes:
        left: Files that were not adopted.
        known: How many files the database knew already.
        remark: Why the manifest was not used; None if it was, or if there is none.
    """

    adopted: list[Restored] = field(default_factory=list)
    left: list[Skipped] = field(default_factory=list)
    known: int = 0
    has_manifest: bool = False
    remark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """How a device is restored.

    Attributes:
        server_id: Of our server; None if it is not known.
        checks: Whether every file is read and its hash compared with the manifest.
        is_held: Whether the account pins what is adopted.
        is_trial: Whether nothing is changed, only reported.
    """

    user_id: str
    device_id: str
    server_id: str | None
    checks: bool = False
    is_held: bool = True
    is_trial: bool = False


class ManifestRestore:
    """Restores one device, in one thread; used once."""

    def __init__(
        self,
        folder: DeviceFolder,
        downloads: Downloads,
        adopter: Adopter,
        library: AccountLibrary | None,
        clock: Clock,
    ) -> None:
        """Prepare; without a library only files that the manifest lists are adopted."""
        self._folder = folder
        self._downloads = downloads
        self._adopter = adopter
        self._library = library
        self._clock = clock
        self._report = RestoreReport()

    def run(self, order: RestoreOptions) -> RestoreReport:
        """Adopt the files that we once wrote, and return a report.

        Raises:
            errors.DeviceError: The device cannot be used; what was adopted before stays so.
            errors.JellyfinError: The library cannot be asked any more.
        """
        settled = self._downloads.adopter.list_settled(order.device_id)
        paths = {path for _, path in settled}
        taken = {item_id for item_id, _ in settled}
        self._report.known = len(settled)
        seen = self._from_manifest(order, taken, paths)
        if self._library is not None:
            self._from_library(order, self._library, taken, paths | seen)
        return self._report

    def _from_manifest(self, order: RestoreOptions, taken: set[str], paths: set[str]) -> set[str]:
        """Adopt what the manifest lists; return the paths that need no scan."""
        manifest = self._manifest(order)
        if manifest is None:
            return set()
        self._report.left += [Skipped(one.path, one.why) for one in manifest.refused]
        is_other = manifest.server_id not in {None, order.server_id} and order.server_id is not None
        if is_other and self._library is None:
            self._report.left += [Skipped(one.path, OTHER_SERVER) for one in manifest.files]
            return {one.path for one in manifest.files}
        files = [
            one
            for one in manifest.files
            if (is_other or one.item_id not in taken) and one.path not in paths
        ]
        # The ids of another server mean nothing here.
        known = {} if is_other else self._items(files)
        items = {one.path: known[one.item_id] for one in files if one.item_id in known}
        items |= self._known_again([one for one in files if one.path not in items], taken)
        seen = self._folder.look([one.path for one in files])
        decided = set()
        for one in files:
            facts = seen[one.path]
            why = self._against(one, facts, order)
            item = items.get(one.path)
            if why is None and item is None:
                # The scan reads its tags.
                continue
            decided.add(one.path)
            if why is not None:
                self._report.left.append(Skipped(one.path, why))
            elif item is not None and self._adopt(order, item, one.path, one.size, one):
                taken.add(item.id)
        return decided

    def _known_again(
        self, files: Sequence[ManifestFile], taken: Collection[str]
    ) -> Mapping[str, Item]:
        """Find the items of files whose ids are not known any more; return them by path."""
        if self._library is None or not files:
            return {}
        catalogue = LibraryIndex(one for one in self._library.all if one.id not in taken)
        named = {
            item_id
            for one in files
            for item_id in (
                *catalogue.find_by_path(one.path),
                *catalogue.find_by_title(FoundTags(title=one.title)),
            )
        }
        items = self._library.items(sorted(named)) if named else {}
        decisions = identify(map(_facts, files), map(facts_of, items.values()))
        return {
            path: items[decision.ids[0]]
            for path, decision in decisions.items()
            if decision.verdict is MatchVerdict.SAME
        }

    def _manifest(self, order: RestoreOptions) -> Manifest | None:
        content = read_device_manifest(self._folder.root, name=self._folder.name)
        if content is None:
            return None
        try:
            manifest = read_manifest(content)
        except NoManifest as why:
            self._report.remark = msg("Its manifest is not used: {why}", why=why)
            return None
        if manifest.device_id != order.device_id:
            self._report.remark = msg("Its manifest is not used: it is that of another device")
            return None
        self._report.has_manifest = True
        return manifest

    def _items(self, files: Sequence[ManifestFile]) -> dict[str, Item]:
        if self._library is None:
            return {one.item_id: one.item() for one in files}
        return self._library.items([one.item_id for one in files])

    def _against(self, one: ManifestFile, facts: object, order: RestoreOptions) -> str | None:
        """Return why a file of the manifest must not be adopted, None if it may."""
        if not isinstance(facts, FileStat):
            return NOT_THERE
        if facts.size != one.size:
            return OTHER_SIZE
        # Taggers often keep the size.
        is_doubtful = order.checks or was_written_since(facts, one.completed_at)
        if is_doubtful and one.content_hash is not None:
            is_same = self._folder.content_hash(one.path) == one.content_hash
            return None if is_same else OTHER_BYTES
        return None

    def _from_library(
        self, order: RestoreOptions, library: AccountLibrary, taken: set[str], paths: set[str]
    ) -> None:
        look = LibraryFileScan(self._folder, library.items, TagCache(), self._clock, longest_s=None)
        offer: Offer = look.find(library.all, ours=paths, taken=taken)
        for one in offer.sure:
            self._adopt(order, one.item, one.file.path, one.file.facts.size)
        doubtful = {one.file.path: one.why for one in offer.doubtful}
        self._report.left += [
            Skipped(path, IN_DOUBT.format(why=why)) for path, why in doubtful.items()
        ]
        self._report.left += [Skipped(path, STRANGER) for path in offer.strangers]

    def _adopt(
        self,
        order: RestoreOptions,
        item: Item,
        path: str,
        size: int,
        written: ManifestFile | None = None,
    ) -> bool:
        content_hash = written.content_hash if written is not None else None
        if content_hash is None and order.checks:
            content_hash = self._folder.content_hash(path)
        file = AdoptedFile(path, size, content_hash, mimetypes.guess_type(path)[0])
        if written is not None:
            file = replace(file, format=written.format, source_size=written.source_size)
        if not order.is_trial and not self._adopter.adopt(
            order.user_id, order.device_id, item, file, is_held=order.is_held
        ):
            self._report.left.append(Skipped(path, PLACE_TAKEN))
            return False
        self._report.adopted.append(Restored(path, item.id, item.title, size))
        return True


def _facts(one: ManifestFile) -> Facts:
    """Return what the manifest says of a file, with its path as id: the real one may be foreign."""
    return Facts(
        id=one.path,
        kind=one.kind,
        title=one.title,
        artists=names_of(one.artist),
        album=one.album,
        size=one.size if one.source_size is None else one.source_size,
        names=frozenset({own_name(one.path)}),
    )
