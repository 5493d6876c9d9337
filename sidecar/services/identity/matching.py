"""Matches files to the new ids of their items, and asks people where that is not certain.

    facts in rows ─┐
                   ├─▶ domain.identity ─▶ one match ─▶ all tables updated in a transaction
    new items ─────┘                           ├▶ several ─▶ a person is asked
                                               └▶ none ─▶ reported as lost

Transfers nothing: a file whose title has changed is renamed later on its device (`renaming`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.folders import find_paths
from sidecar.domain.files.groups import ALONE, Group
from sidecar.domain.files.naming import (
    NameLimits,
    get_extension,
    is_part,
    make_path_key,
    with_extension,
)
from sidecar.domain.identity.matching import (
    BY_VERSION,
    Facts,
    MatchDecision,
    MatchVerdict,
    facts_of,
    identify,
    moved_containers,
)
from sidecar.domain.items.item import Item
from sidecar.domain.items.versions import find_version
from sidecar.errors import JellyfinError
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.services.identity.questions import IdentityQuestion, IdentityQuestions
from sidecar.store.database import Database
from sidecar.store.downloads.folders import DeviceFolders
from sidecar.store.downloads.identity import Followed, is_called_otherwise
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of matching files whose items the server does not know any more.

    Attributes:
        followed: The new id of each matched item, by the old one.
        asked: Old ids that people are asked about.
        lost: Old ids without a match.
    """

    followed: Mapping[str, str]
    asked: frozenset[str]
    lost: frozenset[str]


@dataclass(frozen=True, slots=True)
class MatchPreview:
    """The result of matching all files at another server, in numbers; `lost` are titles."""

    files: int
    same: int
    followed: int
    asked: int
    lost: tuple[str, ...]


class ItemMatching:
    """Matches files to items and updates their rows. Safe for many threads."""

    def __init__(
        self,
        db: Database,
        downloads: Downloads,
        questions: IdentityQuestions,
        *,
        shape_of: Callable[[str], NameLimits],
    ) -> None:
        self._db = db
        self._downloads = downloads
        self._questions = questions
        self._shape_of = shape_of

    def before_queueing(self, index: ServerFileIndex, items: Mapping[str, Item]) -> frozenset[str]:
        """Check whether items that are to be queued are here already under an old id.

        Args:
            index: Tells whether the old ids still exist, if any file is like these items.
            items: Full items without a row, by id.

        Returns:
            The ids of items that must wait for an answer: they may be here.
        """
        known = self._alike(items)
        if known:
            ids = {one.id for one in known}
            described = {one.id: one for one in index.described(sorted(ids))}
            self.change_places(index, {**items, **described})
            there = frozenset(described)
            self._downloads.identity.mark(gone=ids - there, known=there)
            self.settle(index, [one for one in known if one.id not in there], items.values())
        return self._questions.waiting() & items.keys()

    def look_for(self, index: ServerFileIndex, download: Download) -> bool:
        """Search the item of a download under a new id; return whether it was found."""
        facts = [
            one
            for one in self._downloads.identity.facts_of_sizes({_size(download)})
            if one.id == download.item_id
        ]
        if not facts:
            return False
        found = index.titled(download.title, download.item_type)
        return download.item_id in self.settle(index, facts, found).followed

    def settle(
        self, index: ServerFileIndex, gone: Collection[Facts], candidates: Iterable[Item]
    ) -> Outcome:
        """Update the rows of sure matches, and open questions about ambiguous ones.

        Args:
            index: Tells whether their albums and series are gone as well.
            gone: Facts of the files whose items the server does not know.
            candidates: Full items that they may be.
        """
        items = {one.id: one for one in candidates if one.is_playable}
        decisions = self._decisions(gone, items)
        same = {
            old: items[it.ids[0]]
            for old, it in decisions.items()
            if it.verdict is MatchVerdict.SAME
        }
        if same:
            self.follow(index, same)
        old = {one.id: one for one in gone}
        asked = {
            one: IdentityQuestion(old[one], tuple(items[id_] for id_ in it.ids), it.why)
            for one, it in decisions.items()
            # Without a file no question is needed: the item is fetched under its new id.
            if it.verdict is MatchVerdict.AMBIGUOUS and old[one].devices
        }
        self._questions.decide(old.keys(), asked)
        return Outcome(
            {one: item.id for one, item in same.items()},
            frozenset(asked),
            frozenset(old.keys() - same.keys() - asked.keys()),
        )

    def preview(self, library: Iterable[Item]) -> MatchPreview:
        """Match all files with a library without changing anything; return the numbers."""
        ours = self._downloads.identity.items_of(None)
        items = {one.id: one for one in library}
        absent = self._downloads.identity.facts_of_items(ours - items.keys())
        decisions = self._decisions(
            absent, {id_: one for id_, one in items.items() if id_ not in ours}
        )
        verdicts = [it.verdict for it in decisions.values()]
        return MatchPreview(
            files=len(ours),
            same=len(ours) - len(absent),
            followed=verdicts.count(MatchVerdict.SAME),
            asked=verdicts.count(MatchVerdict.AMBIGUOUS),
            lost=tuple(
                sorted(
                    one.title for one in absent if decisions[one.id].verdict is MatchVerdict.NONE
                )
            ),
        )

    def follow(self, index: ServerFileIndex, same: Mapping[str, Item]) -> None:
        """Update the ids of rows and of all that refers to them, in one transaction."""
        containers = self._containers(index, same)
        with self._db.write():
            followed = self._downloads.identity.follow(same, containers)
            for one in followed:
                self._retry(one)
        log.info("%d downloads of %d items are known under new ids", len(followed), len(same))
        self._plan_names(index, followed)

    def change_places(
        self,
        index: ServerFileIndex,
        items: Mapping[str, Item],
        more: Callable[[], Iterable[Item]] = tuple,
    ) -> None:
        """Let rows follow files that are known under other ids of ours now.

        Ids are made of paths. Where files on the server have been given each other's names, or all
        were numbered anew, each id is still there and is another file than before.

        Args:
            index: Tells about their albums.
            items: Full items as they are now, by id.
            more: Returns further full items that files may be; called if any is missing.
        """
        facts = self._downloads.identity.facts_of_items(items.keys())
        away = [one for one in facts if one.devices and _is_another(one, items[one.id])]
        if not away:
            return
        found = self._find_elsewhere(away, items.values())
        if len(found) < len(away):
            known = {**items, **{one.id: one for one in more()}}
            found = self._find_elsewhere(away, known.values())
        # Who would take the place of a file that went nowhere stays as well, and so on.
        stays = {one.id for one in away} - found.keys()
        while blocked := {old for old, new in found.items() if new.id in stays}:
            stays |= blocked
            found = {old: new for old, new in found.items() if old not in blocked}
        if found:
            followed = self._downloads.identity.exchange(found)
            log.info("%d files have changed places on the server", len(followed))
            self._plan_names(index, followed)

    def _find_elsewhere(self, away: Collection[Facts], items: Iterable[Item]) -> dict[str, Item]:
        """Return the items that these files are now, by their old ids, where that is certain."""
        moving = {one.id for one in away}
        sizes = {one.size for one in away}
        fitting = {one.id: one for one in items if one.size in sizes}
        devices = self._downloads.identity.devices(fitting.keys() - moving)
        decisions = identify(
            [replace(one, devices=frozenset()) for one in away],
            [facts_of(one, devices=devices.get(id_, ())) for id_, one in fitting.items()],
            different=self._downloads.identity.different_items(),
        )
        here = {one.id: one.devices for one in away}
        return {
            old: fitting[it.ids[0]]
            for old, it in decisions.items()
            if it.verdict is MatchVerdict.SAME
            and it.why == BY_VERSION
            and not here[old] & devices.get(it.ids[0], frozenset())
        }

    def rename(
        self, index: ServerFileIndex, item_ids: Collection[str], added: Collection[str] = ()
    ) -> None:
        """Update the titles of items that keep their ids, and plan the renaming of files.

        Args:
            index: Describes the items.
            item_ids: Those that have changed.
            added: Those that are new, which files of ours may be now.
        """
        ours = {one.item_id for one in self._downloads.identity.of_items(item_ids)}
        items = {one.id: one for one in index.described(sorted(ours))} if ours else {}
        if not items:
            return
        self.change_places(index, items, lambda: index.described(sorted(added)) if added else ())
        with self._db.write():
            changed = self._downloads.identity.describe(items)
        if changed:
            log.info("%d downloads are called otherwise by now", len(changed))
            self._plan_names(index, changed)

    def _alike(self, items: Mapping[str, Item]) -> list[Facts]:
        sizes = {one.size for one in items.values() if one.size}
        known = [
            one
            for one in (self._downloads.identity.facts_of_sizes(sizes) if sizes else ())
            if one.id not in items
        ]
        if not known:
            return []
        decisions = self._decisions(known, items)
        return [one for one in known if decisions[one.id].verdict is not MatchVerdict.NONE]

    def _decisions(
        self, known: Collection[Facts], items: Mapping[str, Item]
    ) -> Mapping[str, MatchDecision]:
        sizes = {one.size for one in known}
        fitting = [one for one in items.values() if one.size in sizes]
        devices = self._downloads.identity.devices([one.id for one in fitting])
        return identify(
            known,
            [facts_of(one, devices=devices.get(one.id, ())) for one in fitting],
            different=self._downloads.identity.different_items(),
        )

    def _containers(self, index: ServerFileIndex, same: Mapping[str, Item]) -> Mapping[str, str]:
        rows = self._downloads.identity.of_items(same.keys())
        held = self._downloads.identity.held_from(same.keys())
        moved = moved_containers(
            [(one.album_id, same[one.item_id]) for one in rows if one.album_id is not None],
            [(one.source_id, one.item_type, same[one.item_id]) for one in held],
        )
        there = index.known(moved.keys()) if moved else frozenset()
        return {old: new for old, new in moved.items() if old not in there}

    def _retry(self, one: Followed) -> None:
        """Retry a download that failed because its old id was gone."""
        current = self._downloads.queries.get(one.before.id)
        if current is not None and current.status is Status.FAILED and current.error_code == GONE:
            self._downloads.transitions.retry(current)

    def _plan_names(self, index: ServerFileIndex, followed: Collection[Followed]) -> None:
        """Plan new names for files whose titles have changed."""
        current = {one.before.id: self._downloads.queries.get(one.before.id) for one in followed}
        renamed = [
            one
            for one in followed
            if (now := current[one.before.id]) is not None
            and (now.title, now.artist, now.album)
            != (one.before.title, one.before.artist, one.before.album)
        ]
        if not renamed:
            return
        try:
            groups = index.groups([one.item for one in renamed])
        except JellyfinError as trouble:
            log.info("%d files keep their names: %s", len(renamed), trouble)
            return
        with self._db.write():
            for one in renamed:
                self._plan_name(one, groups.get(one.item.id, ALONE))

    def _plan_name(self, one: Followed, group: Group) -> None:
        current = self._downloads.queries.get(one.before.id)
        if current is None or is_called_otherwise(current, one.item):
            # Since then it got yet another name, for which somebody else plans.
            return
        if is_part(current.file_path, current.item_type):
            # What the server says of a part does not say to which film it belongs.
            return
        there = DeviceFolders(self._db, current.device_id)
        path = next(find_paths(one.item, there, self._shape_of(current.device_id), group))
        path = with_extension(path, get_extension(current.file_path))
        if make_path_key(path) == make_path_key(current.file_path):
            return
        if current.status is Status.COMPLETED:
            self._downloads.identity.plan_rename(current.id, path)
        elif current.status is not Status.DOWNLOADING:
            self._downloads.queue.rename(current, FilePlace(path, make_path_key(path)))


def _is_another(one: Facts, item: Item) -> bool:
    """Whether an item is certainly another file, or another version, than our file of it."""
    if not (one.size and one.version and item.size and item.source_etag):
        return False
    if find_version(item, one.version) is not None:
        return False
    return (one.size, one.version) != (item.size, item.source_etag)


def _size(download: Download) -> int:
    return download.source_size or download.file_size or download.expected_size or 0
