"""Finds the files whose items an account may not see on the server any more, and lets them go.

    every 45 s: the account's rights ─▶ as before ─▶ nothing to do
                                     └▶ changed ──▶ what it holds is asked for, with its own rights
                                                     ├ hidden ──▶ its files stay, people are told
                                                     └ shown again ─▶ what was refused goes on

Nothing is ever removed for this alone. What is hidden answers 404 like what is gone. What is in a
library that the account lost is told apart by `/Items?ids=`, which does not ask for that right;
what its ratings or tags hide, by what other accounts see.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.naming import is_part
from sidecar.domain.items.library_names import name_library
from sidecar.domain.undo import Reversal
from sidecar.errors import JellyfinError, NotVisible
from sidecar.events import Bus, DownloadsAllowed, NoticesChanged
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.jellyfin.models import Policy
from sidecar.messages import counted, msg
from sidecar.services.accounts.person import Person
from sidecar.services.health.notices import Notice
from sidecar.store.accounts.hidden_items import HeldItem, HiddenFiles, HiddenFrom, SeenLibrary
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

CODE = "hidden"
# The names of the libraries are asked for so often, in case one of them is lost later.
NAMES_EVERY_S = 3600.0
RETRY_S = 300.0
# For more albums, series and films than this, the library is listed first.
FEW_PLACES = 50


@dataclass(frozen=True, slots=True)
class HiddenSentence:
    """That an account may not see an item any more, for people.

    Attributes:
        account: The account's name.
        library: The library that it lost, if that is known.
        since: Since when that is known.
        text: The sentence.
    """

    account: str
    library: str | None
    since: datetime
    text: str


class HiddenFilesService:
    """Finds, shows and lets go of such files. Safe for many threads."""

    def __init__(
        self,
        stores: Stores,
        *,
        bus: Bus,
        clock: Clock,
        others: Callable[[str], Iterable[Jellyfin]],
    ) -> None:
        """Prepare; `others` returns the clients of the other accounts, admins first."""
        self._db = stores.db
        self._accounts = stores.accounts
        self._hidden = stores.hidden
        self._holds = stores.holds
        self._others = others
        self._bus = bus
        self._clock = clock
        self._lock = Lock()
        self._names_at: dict[str, float] = {}
        self._retry_at: dict[str, float] = {}

    # What an account may see

    def look(self, client: Jellyfin, policy: Policy) -> None:
        """Check what an account may see of what it holds, if its rights have changed.

        Args:
            client: The account's client.
            policy: Its rights now.

        Raises:
            errors.JellyfinError: It cannot be asked; nothing was changed.
        """
        user_id, now = client.user_id or "", self._clock.monotonic()
        before = self._hidden.seen(user_id)
        is_changed = before is None or before[0] != policy.sight
        with self._lock:
            due = self._retry_at if is_changed else self._names_at
            if now < due.get(user_id, 0.0):
                return
            due[user_id] = now + RETRY_S  # unless it succeeds
        libraries = {
            one.id: SeenLibrary(one.name or "", one.collection_type) for one in client.libraries()
        }
        if is_changed:
            known = before[1] if before else {}
            lost = [one for id_, one in known.items() if id_ not in libraries]
            self._check(client, policy, lost)
        self._hidden.record_seen(user_id, policy.sight, libraries)
        with self._lock:
            self._retry_at.pop(user_id, None)
            self._names_at[user_id] = now + NAMES_EVERY_S

    def _check(self, client: Jellyfin, policy: Policy, lost: Sequence[SeenLibrary]) -> None:
        user_id = client.user_id or ""
        # A part of a film is listed nowhere: it goes with the film.
        held = [
            one for one in self._hidden.held(user_id) if not is_part(one.file_path, one.item_type)
        ]
        hidden = self._find_hidden(client, policy, held) if held else frozenset()
        names = [(one.name, one.type) for one in lost]
        of = {one.item_id: name_library(names, one.item_type) for one in held}
        is_more = self._hidden.record_hidden(user_id, {one: of[one] for one in hidden})
        if hidden:
            log.info("%d items that an account holds are hidden from it now", len(hidden))
        if is_more:
            self._bus.publish(DownloadsAllowed(user_id))
        if hidden or is_more:
            self._bus.publish(NoticesChanged())

    def _find_hidden(
        self, client: Jellyfin, policy: Policy, held: Collection[HeldItem]
    ) -> frozenset[str]:
        """Return those items that the server has and does not show to this account."""
        index = ServerFileIndex(client)
        ids = {one.item_id for one in held}
        if len({one.place for one in held}) > FEW_PLACES:
            # Only to ask for fewer: what is not listed may still be seen.
            ids -= {one.id for one in index.all().items}
        there = index.known(ids) if ids else frozenset()
        seen = client.visible_items(sorted(there)).keys() if there else frozenset()
        absent = frozenset(ids - there) if policy.hides_items else frozenset()
        return (there - seen) | (self._known_to_others(client, absent) if absent else absent)

    def _known_to_others(self, client: Jellyfin, ids: frozenset[str]) -> frozenset[str]:
        """Return what another account sees; all of them if there is none that can be asked."""
        for other in self._others(client.user_id or ""):
            try:
                return ServerFileIndex(other).known(ids)
            except JellyfinError:
                continue
        return ids

    # What people are told

    def files(self, person: Person) -> Sequence[HiddenFiles]:
        """Return the files that are hidden from accounts that this person may see."""
        return [one for one in self._hidden.files() if person.may_see(one.user_id)]

    def notices(self, person: Person) -> Sequence[Notice]:
        """Return a notice for each account and library, unless somebody said that they stay."""
        return [
            Notice(
                "hidden",
                "warning",
                _text(one),
                code=CODE,
                account_id=one.user_id,
                library=one.library or "",
            )
            for one in self.files(person)
            if not one.is_kept
        ]

    def of_downloads(
        self, person: Person, download_ids: Collection[int]
    ) -> Mapping[int, tuple[HiddenSentence, ...]]:
        """Return what a person is told of each of these downloads."""
        if not self._hidden.files():
            return {}
        names = {one.user_id: one.name for one in self._accounts.all()}
        return {
            download_id: tuple(_sentences(person, found, names))
            for download_id, found in self._hidden.of_downloads(download_ids).items()
        }

    def of(self, person: Person, download: Download) -> tuple[HiddenSentence, ...]:
        """Return what a person is told of one download."""
        return self.of_downloads(person, [download.id]).get(download.id, ())

    # What people decide

    def let_go(self, person: Person, user_id: str, library: str | None = None) -> Reversal:
        """End an account's holds on what is hidden from it; the files stay until room is needed.

        A heart is not taken away: with the library, what it holds comes back.

        Args:
            person: Who says so.
            user_id: Whose holds.
            library: Only what was in this library, "" for an unknown one; None means all.

        Returns:
            What restores the holds.

        Raises:
            errors.NotVisible: There is no such account that this person may see.
        """
        self._check_sight(person, user_id)
        with self._db.write():
            holds = self._hidden.holds(user_id, library)
            self._holds.release_these(holds, self._clock.now())
            self._db.after_commit(lambda: self._bus.publish(NoticesChanged()))
        log.info("%s let %d hidden files go", person.name, len(holds))
        return Reversal(holds=tuple(holds))

    def keep(self, person: Person, user_id: str, library: str | None = None) -> None:
        """Have hidden files stay, and tell nobody of them any more on every page.

        Raises:
            errors.NotVisible: There is no such account that this person may see.
        """
        self._check_sight(person, user_id)
        self._hidden.keep(user_id, library)
        self._bus.publish(NoticesChanged())

    def _check_sight(self, person: Person, user_id: str) -> None:
        if not person.may_see(user_id) or self._accounts.get(user_id) is None:
            raise NotVisible


def is_hidden(client: Jellyfin, item_id: str) -> bool:
    """Whether the server has an item that it does not show to this account."""
    return item_id in ServerFileIndex(client).known([item_id])


def _text(found: HiddenFiles) -> str:
    if found.library is None:
        return counted(
            "{name} may not see {count} file on the server any more that is on a "
            "device: it is kept until it is unpinned",
            "{name} may not see {count} files on the server any more that are on "
            "devices: they are kept until they are unpinned",
            found.files,
            name=found.name,
        )
    return counted(
        "{name} may not see “{library}” on the server any more: {count} file of it is "
        "kept on a device until it is unpinned",
        "{name} may not see “{library}” on the server any more: {count} files of it "
        "are kept on devices until they are unpinned",
        found.files,
        name=found.name,
        library=found.library,
    )


def _sentences(
    person: Person, found: Iterable[HiddenFrom], names: Mapping[str, str]
) -> Iterable[HiddenSentence]:
    for one in found:
        if not person.may_see(one.user_id):
            continue
        name = names.get(one.user_id, "")
        if one.library is None:
            text = msg(
                "{name} may not see it on the server any more: it is kept until it is unpinned",
                name=name,
            )
        else:
            text = msg(
                "{name} may not see “{library}” on the server any more: it is kept "
                "until it is unpinned",
                name=name,
                library=one.library,
            )
        yield HiddenSentence(name, one.library, one.since, text)
