"""Takes playlists home that people made or changed on a device.

    lists on the device ──▶ files of the device ──▶ compared with what was written there last
         └──▶ shown to a person ──▶ their playlist in Jellyfin, a new one of theirs, or hearts

What is taken comes to the account of the person who takes it: a user of the device, and its
listener where somebody has said whose player it is. Each step can be done again after a crash: it
is noted before Jellyfin is told, and what Jellyfin has already is not changed twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import xxhash

from sidecar.device.foreign.playlists import find_lists, read_list
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.files.playlist_changes import (
    ListChanges,
    ListedFiles,
    compare,
    find_files,
    index_paths,
    is_conflict,
    is_hearts,
    merge,
    read_lines,
)
from sidecar.domain.files.presets import PRESETS
from sidecar.domain.items.item import ItemType
from sidecar.domain.player_logs.matching import OurFile
from sidecar.errors import NotAllowed, NotFound, NotPossible, NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.playlists import PlaylistEditor
from sidecar.messages import Message, counted, listed, msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.in_use import DevicesInUse
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.players.device_playlists.views import (
    Differences,
    ListChanged,
    ListDecision,
    ListInUse,
    ListKind,
    ReturnedList,
    ReturnedLists,
)
from sidecar.store.rules.device_playlists import DeviceList, TakenList
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

MOST_TITLES = 100


@dataclass(frozen=True, slots=True)
class _Found:
    """A list on the device, and what it was before.

    Attributes:
        list_id: The playlist in Jellyfin; None for one that Jellyfin does not have.
        files: What it names now.
        ids, base: The items of the files on it now, and before.
        server: The items of Jellyfin's playlist; what has a heart, for hearts.
    """

    path: str
    name: str
    kind: ListKind
    mark: str
    list_id: str | None
    files: ListedFiles
    ids: tuple[str, ...]
    base: tuple[str, ...]
    server: tuple[str, ...] = ()
    trouble: str | None = None

    @property
    def is_conflict(self) -> bool:
        """Whether Jellyfin's playlist was changed as well."""
        return self.kind is ListKind.CHANGED and is_conflict(self.base, self.ids, self.server)


@dataclass(frozen=True, slots=True)
class _Look:
    """A device as one person sees it.

    Attributes:
        known: The lists that were written there, by their paths.
        ours: The paths of all generated files there.
        files: Returns the paths of the device's files with these keys.
        mine: Returns those of the files with these keys that the person may see.
        titles: Of the items of all lists that were read.
    """

    person: Person
    device: AttachedDevice
    client: Jellyfin
    known: Mapping[str, DeviceList]
    ours: Collection[str]
    files: Callable[[Collection[str]], Mapping[str, str]]
    mine: Callable[[Collection[str]], Iterable[OurFile]]
    titles: dict[str, str] = field(default_factory=dict)

    def items(self, *lists: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the items of lists of files, without those that the person may not see."""
        keys = {make_path_key(one) for paths in lists for one in paths}
        mine = {one.path: one for one in self.mine(keys)} if keys else {}
        self.titles.update((one.item_id, one.title) for one in mine.values())
        return [tuple(mine[one].item_id for one in paths if one in mine) for paths in lists]


class PlaylistReturns:
    """Shows and takes the playlists of devices. Thread-safe."""

    def __init__(
        self,
        *,
        access: DeviceAccess,
        registry: DeviceRegistry,
        stores: Stores,
        client: Callable[[str], Jellyfin],
        check_listener: Callable[[Person, str], object],
    ) -> None:
        """Prepare.

        Args:
            access: Who may use a device.
            registry: The devices.
            stores: The lists as they were written, and the downloads.
            client: Returns the Jellyfin client of an account, by its id.
            check_listener: Raises an error if a device is the player of somebody else.
        """
        self._check_listener = check_listener
        self._access = access
        self._registry = registry
        self._stores = stores
        self._client = client
        self._in_use = DevicesInUse()

    def check_may_see(self, person: Person, device_id: str) -> None:
        """Check that a person uses a device.

        Raises:
            errors.NotVisible: They do not.
        """
        self._access.settings(person, device_id)

    def lists(self, person: Person, device_id: str) -> ReturnedLists:
        """Return what could be taken home from a device.

        Raises:
            errors.NotVisible: This person does not use the device.
            errors.DeviceError: The device cannot be read now.
            errors.JellyfinError: Jellyfin cannot be asked for a playlist.
        """
        look = self._look(person, device_id)
        found = [self._view(look, one) for one in self._found(look)]
        taken = self._stores.device_playlists.taken(*_ids(look))
        return ReturnedLists(
            device_id=device_id,
            device_name=look.device.settings.name,
            lists=found,
            may_take=look.device.settings.serves(person.name),
            may_undo=[path for path, one in taken.items() if one.can_be_undone],
        )

    def answer(
        self, person: Person, device_id: str, path: str, mark: str, answer: ListDecision
    ) -> Message:
        """Do with a list what a person says; return what was done, in one sentence.

        Raises:
            ListInUse: Somebody is doing this at this moment.
            ListChanged: The list is another one by now.
            errors.NotPossible: The person does not use the device, or Jellyfin refuses it.
            errors.NotVisible, errors.DeviceError, errors.JellyfinError: As for `lists`.
        """
        look = self._look(person, device_id)
        name = look.device.settings.name
        if not look.device.settings.serves(person.name):
            raise NotPossible(msg("{device} is not a device of yours", device=name))
        self._check_listener(person, device_id)
        with self._in_use.only(device_id, self._busy(look)):
            found = next((one for one in self._found(look) if one.path == path), None)
            if found is None or found.mark != mark:
                raise ListChanged(msg("The list has changed meanwhile: look at it again"))
            return self._answer(look, found, answer)

    def undo(self, person: Person, device_id: str, path: str) -> Message:
        """Give Jellyfin back what it had before this person took a list.

        What was changed there since stays so.

        Raises:
            errors.NotVisible: They took none of this path.
            errors.NotPossible: It is a new playlist that was changed since, or Jellyfin refuses it.
            ListInUse: Somebody is doing this at this moment.
            errors.JellyfinError: Jellyfin cannot be asked; it can be tried again.
        """
        look = self._look(person, device_id)
        with self._in_use.only(device_id, self._busy(look)):
            taken = self._stores.device_playlists.taken(*_ids(look)).get(path)
            if taken is None or not taken.can_be_undone:
                raise NotVisible
            try:
                self._give_back(look, path, taken)
            except (NotAllowed, NotFound) as refused:
                raise NotPossible(
                    msg("Jellyfin does not let you change {name}", name=path)
                ) from refused
            self._stores.device_playlists.forget(*_ids(look), path)
        return msg("{path} was undone: Jellyfin has what it had before", path=path)

    def _give_back(self, look: _Look, path: str, taken: TakenList) -> None:
        for items, value in ((taken.hearts_set, False), (taken.hearts_taken, True)):
            for item_id in items:
                try:
                    look.client.set_favourite(item_id, value=value)
                except NotFound:
                    log.info("%s is gone: its heart is not given back", item_id)
        if taken.list_id is None:
            return
        editor = PlaylistEditor(look.client)
        if taken.name is not None:
            self._delete_made(look, path, editor, taken)
            return
        now = tuple(one for _, one in editor.entries(taken.list_id))
        target = list(dict.fromkeys(merge(taken.after, taken.before, now)))
        editor.change(taken.list_id, target)
        self._stores.playlist_orders.learn(look.person.user_id, taken.list_id, target)

    def _delete_made(
        self, look: _Look, path: str, editor: PlaylistEditor, taken: TakenList
    ) -> None:
        """Delete a playlist that was made of a list, if that is all there is in it."""
        list_id = taken.list_id or ""
        try:
            there_now = {item_id for _, item_id in editor.entries(list_id)}
        except NotFound:
            log.info("%s is gone already: it was deleted, or an undo was cut off", taken.name)
        else:
            if not there_now <= set(taken.after):
                raise NotPossible(
                    msg("{name} was changed in Jellyfin since: remove it there", name=taken.name)
                )
            editor.delete(list_id)
        there = look.known.get(path)
        if there is not None and there.list_id == list_id:
            # As if it had been passed over: it is not offered again before it is changed again.
            self._stores.device_playlists.put(look.device.id, path, replace(there, list_id=None))

    @staticmethod
    def _busy(look: _Look) -> ListInUse:
        name = look.device.settings.name
        return ListInUse(
            msg("Playlists from {device} are being imported at this moment", device=name)
        )

    # What is there

    def _look(self, person: Person, device_id: str) -> _Look:
        settings = self._access.settings(person, device_id)
        device = self._registry.get(device_id)
        lists = self._stores.device_playlists
        whose = None if self._access.sees_all(person, settings) else person.user_id
        return _Look(
            person=person,
            device=device,
            client=self._client(person.user_id),
            known=lists.of(device_id),
            ours=frozenset(device.folder.own_files.names()),
            files=partial(lists.files, device_id),
            mine=partial(self._stores.imported.files_at, device_id, whose),
        )

    def _found(self, look: _Look) -> list[_Found]:
        chosen = self._chosen(look)
        every = find_lists(look.device.folder, PRESETS[look.device.settings.preset].folder)
        found = (self._read(look, path, chosen) for path in every)
        return [one for one in found if one is not None]

    def _chosen(self, look: _Look) -> Mapping[str, str]:
        of = self._stores.chosen.of(look.person.user_id, look.device.id)
        return {one.playlist_id: one.title for one in of if one.kind is ItemType.PLAYLIST}

    def _read(self, look: _Look, path: str, chosen: Mapping[str, str]) -> _Found | None:
        """Return a list if this person may take it; None if nothing is to be done about it."""
        before, me = look.known.get(path), look.person.user_id
        if before is not None and before.list_id is None and before.user_id != me:
            # Somebody else passed it over.
            before = None
        if not self._may_be_theirs(look, path, before, chosen):
            return None
        content = read_list(look.device.folder, path)
        folder, _, file = path.rpartition("/")
        list_id, was = (before.list_id, before.paths) if before else (None, ())
        written = index_paths(was)
        files = find_files(
            read_lines(content or b""), folder, lambda keys: {**written, **look.files(keys)}
        )
        ids, base = look.items(files.paths, was)
        if content is None or files.paths == was or (list_id is None and not ids):
            return None
        name = chosen.get(list_id or "", file.rpartition(".")[0])
        kind = ListKind.CHANGED if list_id else ListKind.NEW
        if list_id == me or (list_id is None and is_hearts(name)):
            kind = ListKind.HEARTS
        found = _Found(
            path=path,
            name=name,
            kind=kind,
            mark=xxhash.xxh3_64_hexdigest(content),
            list_id=list_id,
            files=files,
            ids=ids,
            base=base,
        )
        return self._with_server(look, found)

    @staticmethod
    def _may_be_theirs(
        look: _Look, path: str, before: DeviceList | None, chosen: Mapping[str, str]
    ) -> bool:
        if before is None:
            # A list of an album, or one that was never written since, is no person's.
            return path not in look.ours
        if before.user_id is not None:
            return before.user_id == look.person.user_id
        return before.list_id in {*chosen, look.person.user_id}

    def _with_server(self, look: _Look, found: _Found) -> _Found | None:
        """Add what Jellyfin has of a list; None if that is the same as on the device."""
        if found.kind is not ListKind.CHANGED or found.list_id is None:
            return found
        try:
            server = tuple(one for _, one in PlaylistEditor(look.client).entries(found.list_id))
        except (NotFound, NotAllowed):
            # Jellyfin does not have it any more: it comes as a new one.
            return replace(found, kind=ListKind.NEW, list_id=None, base=())
        return replace(found, server=server)

    def _view(self, look: _Look, found: _Found) -> ReturnedList:
        changes = compare(found.base, found.ids)
        in_jellyfin = None
        if found.is_conflict:
            known = {*found.base, *found.ids}
            now = [one for one in found.server if one in known]
            in_jellyfin = _differences(look, compare(found.base, now))
        return ReturnedList(
            path=found.path,
            name=found.name,
            kind=found.kind,
            mark=found.mark,
            text=_say(found, changes, look.device.settings.name),
            changes=_differences(look, changes),
            in_jellyfin=in_jellyfin,
            unknown=found.files.unknown,
        )

    # What becomes of it

    def _answer(self, look: _Look, found: _Found, answer: ListDecision) -> Message:
        lists, me = self._stores.device_playlists, look.person.user_id
        list_id, taken = found.list_id, None
        told = msg("{name} stays in Jellyfin as it is", name=found.name)
        if answer is not ListDecision.IGNORE:
            try:
                taken, told = self._take(look, found, answer)
            except (NotAllowed, NotFound) as refused:
                raise NotPossible(
                    msg("Jellyfin does not let you change {name}", name=found.name)
                ) from refused
            list_id = taken.list_id or list_id
        before = look.known.get(found.path)
        owner = before.user_id if before is not None and before.list_id else me
        with self._stores.db.write():
            lists.put(look.device.id, found.path, DeviceList(list_id, owner, found.files.paths))
            if taken is not None:
                lists.finish(*_ids(look), found.path, taken)
        log.info("%s: %s", look.device.settings.name, told)
        return told

    def _take(self, look: _Look, found: _Found, answer: ListDecision) -> tuple[TakenList, Message]:
        name, device = found.name, look.device.settings.name
        if found.kind is ListKind.HEARTS:
            return self._take_hearts(look, found)
        editor = PlaylistEditor(look.client)
        ids = tuple(dict.fromkeys(found.ids))
        if found.list_id is None:
            return self._make(look, found.path, name, editor, ids), msg(
                "{name} from {device} is a playlist of yours now", name=name, device=device
            )
        base = found.base
        if answer is ListDecision.DEVICE:
            base = tuple(one for one in found.server if one in {*found.base, *found.ids})
        target = tuple(dict.fromkeys(merge(base, ids, found.server)))
        change = TakenList(list_id=found.list_id, before=found.server, after=target)
        taken = self._note(look, found.path, change)
        editor.change(found.list_id, target)
        self._stores.playlist_orders.learn(look.person.user_id, found.list_id, target)
        return taken, msg("{name} in Jellyfin is as on {device}", name=name, device=device)

    def _make(
        self, look: _Look, path: str, name: str, editor: PlaylistEditor, ids: tuple[str, ...]
    ) -> TakenList:
        """Make a new playlist; one that was made before the sidecar was cut off is gone on with."""
        lists = self._stores.device_playlists
        begun = lists.taken(*_ids(look)).get(path)
        if begun is not None and not begun.is_done and begun.name is not None:
            made = self._find_made(editor, begun)
            if made is not None:
                editor.change(made, ids)
                return replace(begun, list_id=made, after=ids)
        begun = TakenList(name=name, others=tuple(editor.named(name)), after=ids)
        lists.note(*_ids(look), path, begun)
        try:
            return replace(begun, list_id=editor.create(name, ids))
        except (NotAllowed, NotFound):
            lists.forget(*_ids(look), path)
            raise

    @staticmethod
    def _find_made(editor: PlaylistEditor, begun: TakenList) -> str | None:
        """Return the playlist that was being made; None if Jellyfin has not made it."""
        for list_id in editor.named(begun.name or ""):
            if list_id in begun.others:
                continue
            there = {item_id for _, item_id in editor.entries(list_id)}
            if there and there <= set(begun.after):
                return list_id
        return None

    def _take_hearts(self, look: _Look, found: _Found) -> tuple[TakenList, Message]:
        changes = compare(found.base, found.ids)
        known = look.client.items([*changes.added, *changes.removed])
        hearts = {one.id for one in known.values() if one.is_favorite}
        to_set = tuple(
            one for one in dict.fromkeys(changes.added) if one in known and one not in hearts
        )
        to_take = tuple(one for one in dict.fromkeys(changes.removed) if one in hearts)
        change = TakenList(hearts_set=to_set, hearts_taken=to_take)
        taken = self._note(look, found.path, change)
        for item_id in to_set:
            look.client.set_favourite(item_id, value=True)
        for item_id in to_take:
            look.client.set_favourite(item_id, value=False)
        return taken, msg(
            "{set} hearts were set and {taken} taken away", set=len(to_set), taken=len(to_take)
        )

    def _note(self, look: _Look, path: str, change: TakenList) -> TakenList:
        """Note a change before Jellyfin is told, with what one that was cut off has changed."""
        lists = self._stores.device_playlists
        was = lists.taken(*_ids(look)).get(path)
        if was is not None and not was.is_done and was.list_id == change.list_id:
            change = replace(
                change,
                before=was.before,
                hearts_set=tuple(dict.fromkeys((*was.hearts_set, *change.hearts_set))),
                hearts_taken=tuple(dict.fromkeys((*was.hearts_taken, *change.hearts_taken))),
            )
        lists.note(*_ids(look), path, change)
        return change


def _ids(look: _Look) -> tuple[str, str]:
    return look.person.user_id, look.device.id


def _differences(look: _Look, changes: ListChanges) -> Differences:
    def named(ids: Sequence[str]) -> list[str]:
        return [look.titles[one] for one in ids[:MOST_TITLES] if one in look.titles]

    return Differences(
        added=named(changes.added),
        added_total=len(changes.added),
        removed=named(changes.removed),
        removed_total=len(changes.removed),
        is_reordered=changes.is_reordered,
    )


def _say(found: _Found, changes: ListChanges, device: str) -> Message:
    if found.list_id is None and found.kind is ListKind.NEW:
        return counted(
            "{name} was made on {device}: {count} track",
            "{name} was made on {device}: {count} tracks",
            len(found.ids),
            name=found.name,
            device=device,
        )
    parts: list[str] = []
    if changes.added:
        parts.append(counted("{count} added", "{count} added", len(changes.added)))
    if changes.removed:
        parts.append(counted("{count} removed", "{count} removed", len(changes.removed)))
    if changes.is_reordered:
        parts.append(msg("another order"))
    what = listed(parts) if parts else msg("only others' files")
    return msg("{name} was changed on {device}: {what}", name=found.name, device=device, what=what)
