"""Saved filters of people: make, count, change, delete, and keep in sync on their devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sidecar.clock import Clock
from sidecar.domain.items.selection import Named, Selection
from sidecar.domain.rules.context import Chosen, KeptSelection
from sidecar.errors import NotAllowed, NotFound, NotPossible, NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.selections import SelectionReader, SelectionSize
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.rules.selections.questions import SelectionQuestions
from sidecar.store.rules.selections import SavedSelection, Selections

MOST_SAVED = 100
LONGEST_NAME = 60

__all__ = ["SavedSelection", "SelectionService", "SelectionSize", "SelectionView"]


@dataclass(frozen=True, slots=True)
class SelectionView:
    """A saved filter, and on which devices of its owner it is kept in sync."""

    saved: SavedSelection
    device_ids: tuple[str, ...]


class SelectionService:
    """The saved filters of each person; nobody sees those of another. Thread-safe.

    Calls about a filter raise `NotVisible` for one that is unknown or of another person.
    """

    def __init__(
        self,
        *,
        selections: Selections,
        questions: SelectionQuestions,
        access: DeviceAccess,
        client: Callable[[str], Jellyfin],
        wake: Callable[[str], object],
        make_id: Callable[[], str],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            selections: The stored filters.
            questions: The open questions about them.
            access: Who may use a device.
            client: Returns the Jellyfin client of an account; raises `SignedOut`.
            wake: Has all rules of an account run.
            make_id: Returns a new id of 32 hexadecimal digits.
            clock: For what was added or heard lately.
        """
        self._selections = selections
        self._questions = questions
        self._access = access
        self._client = client
        self._wake = wake
        self._make_id = make_id
        self._clock = clock

    def all_of(self, person: Person) -> Sequence[SelectionView]:
        """Return the filters of a person, the oldest first."""
        devices = self._selections.devices(person.user_id)
        return [
            SelectionView(one, tuple(devices.get(one.id, ())))
            for one in self._selections.of_user(person.user_id)
        ]

    def get(self, person: Person, selection_id: str) -> SelectionView:
        """Return a filter of a person."""
        found = next((one for one in self.all_of(person) if one.saved.id == selection_id), None)
        if found is None:
            raise NotVisible
        return found

    def libraries(self, person: Person) -> Sequence[Named]:
        """Return the libraries that a filter may be for."""
        return SelectionReader(self._client(person.user_id)).libraries()

    def measure(self, person: Person, asked: Selection) -> SelectionSize:
        """Return how much a filter matches now.

        Raises:
            NotPossible: It names a library or an artist that is not there.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        reader = SelectionReader(self._client(person.user_id))
        try:
            return reader.measure(_complete(reader, asked), self._clock.now())
        except (NotFound, NotAllowed):
            raise _without_library() from None

    def save(
        self, person: Person, name: str, asked: Selection, selection_id: str | None = None
    ) -> SavedSelection:
        """Save a filter, or change the one with this id.

        Raises:
            NotVisible: It was deleted, perhaps while Jellyfin was asked.
            NotPossible: It has no name, or names what is not there.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        before = None if selection_id is None else self.get(person, selection_id)
        name = " ".join(name.split())[:LONGEST_NAME]
        if not name:
            raise NotPossible(msg("Give the filter a name"))
        if before is None and len(self._selections.of_user(person.user_id)) >= MOST_SAVED:
            raise NotPossible(msg("There are too many saved filters: delete one first"))
        reader = SelectionReader(self._client(person.user_id))
        saved = SavedSelection(selection_id or self._make_id(), name, _complete(reader, asked))
        if before is None:
            self._selections.add(person.user_id, saved, self._clock.now())
        elif not self._selections.change(person.user_id, saved):
            raise NotVisible
        for device_id in before.device_ids if before else ():
            self._questions.close(person.user_id, device_id, saved.id)
        if before and before.device_ids:
            self._wake(person.user_id)
        return saved

    def delete(self, person: Person, selection_id: str) -> None:
        """Delete a filter; what only it held is let go."""
        before = self.get(person, selection_id)
        self._selections.delete(person.user_id, selection_id)
        for device_id in before.device_ids:
            self._questions.close(person.user_id, device_id, selection_id)
        self._wake(person.user_id)

    def kept(self, person: Person, device_id: str) -> Sequence[KeptSelection]:
        """Return the filters of a person that are kept in sync on a device."""
        self._access.settings(person, device_id)
        return self._selections.kept(person.user_id, device_id)

    def in_sync(
        self, person: Person, device_id: str
    ) -> tuple[Sequence[Chosen], Sequence[KeptSelection]]:
        """Return all that a person keeps in sync on a device: playlists and others, and filters."""
        self._access.settings(person, device_id)
        return self._selections.in_sync(person.user_id, device_id)

    def keep(self, person: Person, device_id: str, selection_id: str) -> None:
        """Keep a filter in sync on a device."""
        self._access.settings(person, device_id)
        self.get(person, selection_id)
        self._selections.keep(person.user_id, device_id, selection_id)
        self._wake(person.user_id)

    def drop(self, person: Person, device_id: str, selection_id: str) -> None:
        """Keep a filter in sync on a device no more; what only it held there is let go."""
        self._access.settings(person, device_id)
        if device_id not in self.get(person, selection_id).device_ids:
            raise NotVisible
        self._selections.drop(person.user_id, device_id, selection_id)
        self._questions.close(person.user_id, device_id, selection_id)
        self._wake(person.user_id)

    def answer(
        self,
        person: Person,
        device_id: str,
        selection_id: str,
        *,
        remove: bool,
        shown: str | None = None,
    ) -> None:
        """Say whether files may be removed that a filter does not match any more.

        `shown` is the version of the question that was answered; None if it is not told.

        Raises:
            NotVisible: Nothing was asked of this person.
            NotPossible: By now it is asked with other numbers; nothing was changed.
        """
        self._access.settings(person, device_id)
        if not self._questions.answer(
            person.user_id, device_id, selection_id, remove=remove, shown=shown
        ):
            raise NotVisible
        self._wake(person.user_id)


def _complete(reader: SelectionReader, asked: Selection) -> Selection:
    """Return a filter with the names of its libraries and the ids of its artists.

    Raises:
        NotPossible: One of them is not there.
    """
    if asked.libraries:
        known = {one.id: one for one in reader.libraries()}
        if any(one.id not in known for one in asked.libraries):
            raise _without_library()
        asked = replace(asked, libraries=tuple(known[one.id] for one in asked.libraries))
    artists = []
    for one in asked.artists:
        found = one if one.id else reader.find_artist(one.name)
        if found is None:
            raise NotPossible(msg("There is no artist {name} in Jellyfin", name=one.name))
        artists.append(found)
    return replace(asked, artists=tuple(artists))


def _without_library() -> NotPossible:
    return NotPossible(msg("A library of this filter is not there for your account"))
