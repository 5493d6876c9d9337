"""Shows people the questions about files that may be one of several items, and takes answers.

Users of a device see the questions about their own files; its managers answer them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sidecar.domain.items.item import Item
from sidecar.errors import NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.messages import counted
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess, Management
from sidecar.services.identity.matching import ItemMatching
from sidecar.services.identity.questions import IdentityQuestions
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """An item that a file may be."""

    id: str
    title: str
    artist: str | None
    album: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtView:
    """A file and the items that it may be.

    Attributes:
        item_id: The old id of its item.
        why: Why it is not certain, a clause for people.
    """

    item_id: str
    download_id: int
    title: str
    artist: str | None
    album: str | None
    file_path: str
    why: str
    candidates: tuple[CandidateView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtsView:
    """All such files on one device that this person may see."""

    device_id: str
    device_name: str
    management: Management
    files: Sequence[DoubtView] = ()


class IdentityReview:
    """Lists the open questions for people and takes their answers. Safe for many threads."""

    def __init__(
        self,
        questions: IdentityQuestions,
        matching: ItemMatching,
        *,
        downloads: Downloads,
        ownership: Ownership,
        access: DeviceAccess,
        client: Callable[[str], Jellyfin],
        wake: Callable[[], object],
    ) -> None:
        """Prepare.

        Args:
            questions: The open questions.
            matching: Updates rows after an answer.
            downloads: The rows of the files.
            ownership: Decides who may see a file.
            access: Decides who may answer.
            client: Returns the Jellyfin client of an account.
            wake: Makes all rules run: what waited for an answer may be queued.
        """
        self._questions = questions
        self._matching = matching
        self._downloads = downloads
        self._ownership = ownership
        self._access = access
        self._client = client
        self._wake = wake

    def doubts(self, person: Person, device_id: str) -> DoubtsView:
        """Return the open questions about a device.

        Raises:
            errors.NotVisible: It is no device of this person.
        """
        settings = self._access.settings(person, device_id)
        return DoubtsView(
            device_id=device_id,
            device_name=settings.name,
            management=self._access.management(person, settings),
            files=self._files(person, device_id),
        )

    def text(self, device_id: str, device_name: str) -> str | None:
        """Return one message for all open questions about a device; None if there is none."""
        count = sum(device_id in one.file.devices for one in self._questions.all())
        if not count:
            return None
        return counted(
            "Jellyfin knows {count} file of {device} by another name or place, and "
            "it is not certain which item that is: nothing is downloaded or removed "
            "for it until somebody answers",
            "Jellyfin knows {count} files of {device} by other names or places, and "
            "it is not certain which items those are: nothing is downloaded or "
            "removed for them until somebody answers",
            count,
            device=device_name,
        )

    def answer(
        self,
        person: Person,
        device_id: str,
        item_id: str,
        now: str | None,
        shown: Collection[str] | None = None,
    ) -> None:
        """Answer which item a file is now.

        Args:
            person: Who answers.
            device_id: Where the file is.
            item_id: The old id of its item.
            now: The id of one of the candidates; None for none of them.
            shown: The ids of the candidates that they saw: about others, which the library may
                have got since, it is asked again. None if they are not told: all that there are.

        Raises:
            errors.NotVisible: There is no such question that this person may see.
            errors.NotAManager: They do not manage the device.
            errors.JellyfinError: It cannot be asked; nothing was changed.
        """
        self._access.managed(person, device_id)
        if all(one.item_id != item_id for one in self._files(person, device_id)):
            raise NotVisible
        question = self._questions.of(item_id)
        if question is None:
            raise NotVisible
        if now is None:
            ids = [one.id for one in question.candidates if shown is None or one.id in shown]
            self._downloads.identity.record_different(item_id, ids)
            others = tuple(one for one in question.candidates if one.id not in ids)
            still_asked = {item_id: replace(question, candidates=others)} if others else {}
        else:
            found = [one for one in question.candidates if one.id == now]
            if not found:
                raise NotVisible
            index = ServerFileIndex(self._client(person.user_id))
            self._matching.follow(index, {item_id: found[0]})
            still_asked = {}
        log.info("%s said what %r is by now", person.name, question.file.title)
        self._questions.decide([item_id], still_asked)
        self._wake()

    def _files(self, person: Person, device_id: str) -> Sequence[DoubtView]:
        files = []
        for one in self._questions.all():
            row = self._downloads.queries.by_item(device_id, one.file.id)
            if row is None or not list(self._ownership.visible_among(person, [row.id])):
                continue
            files.append(
                DoubtView(
                    item_id=row.item_id,
                    download_id=row.id,
                    title=row.title,
                    artist=row.artist,
                    album=row.album,
                    file_path=row.file_path,
                    why=one.why,
                    candidates=tuple(map(_candidate, one.candidates)),
                )
            )
        return files


def _candidate(item: Item) -> CandidateView:
    return CandidateView(
        id=item.id,
        title=item.title,
        artist=item.artist or item.album_artist or item.series,
        album=item.album,
    )
