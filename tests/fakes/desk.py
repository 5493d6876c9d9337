"""A desk in memory, for the web alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock

from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.states import MISSING, Download, Status
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.errors import NotVisible, ServerAway, SignInRefused, TooManyTries
from sidecar.events import Progress
from sidecar.services.accounts.person import ClientInfo, Person, QuickConnectCode, WebSession
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.views import DownloadPage, DownloadQuery, DownloadView, ReasonView
from sidecar.services.library.covers import Cover
from sidecar.services.notices import Notice, OpenQuestion

ANN = Person("a" * 32, "ann", is_admin=False)
BEN = Person("b" * 32, "ben", is_admin=False)
EVE = Person("e" * 32, "eve", is_admin=True)
PASSWORD = "correct horse"
QUEUED_AT = datetime(2026, 11, 1, 11, 30, tzinfo=UTC)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


def a_download(number: int, **differences: object) -> DownloadView:
    """A track that waits, unless told otherwise."""
    view = DownloadView(
        id=number,
        item_id=f"{number:032x}",
        device_id="stick",
        device_name="Car stick",
        status=Status.PENDING,
        title=f"Track {number}",
        artist="The Quiet Hour",
        album="Evenings",
        item_type="Audio",
        user_id=ANN.user_id,
        album_id=None,
        image_item_id=None,
        image_tag=None,
        source_etag=None,
        file_size=None,
        mime_type=None,
        validator=None,
        finalizing=False,
        last_used_seq=0,
        format=ORIGINAL,
        bytes_downloaded=0,
        expected_size=7_400_000,
        file_path=f"The Quiet Hour/Evenings/{number:02d} - Track {number}.flac",
        content_hash=None,
        error_code=None,
        error_message=None,
        retry_next_at=None,
        retry_count=0,
        priority=0,
        queued_at=QUEUED_AT,
        started_at=None,
        completed_at=None,
    )
    return replace(view, **differences)  # type: ignore[arg-type]  # any field, by name


@dataclass
class FakeDesk:
    """Imitates `DownloadListing`.

    Its lists are in the order of their numbers, the last first (in the queue the first). Unlike
    the real one it keeps nothing on a disk, forgets no session by age, limits no sign-ins,
    asks no Jellyfin, and everybody sees all devices.
    """

    rows: dict[int, DownloadView] = field(default_factory=dict)
    seers: dict[int, tuple[Person, ...]] = field(default_factory=dict)
    running: tuple[Progress, ...] = ()
    shelf: tuple[DeviceView, ...] = ()
    told: tuple[Notice, ...] = ()
    asked: tuple[OpenQuestion, ...] = ()
    healthy: bool = True
    jellyfin_away: bool = False
    wait_s: float = 0.0
    approved: Person | None = None
    broken: bool = False
    pictures: dict[int, Cover] = field(default_factory=dict)
    people: dict[str, Person] = field(
        default_factory=lambda: {one.name: one for one in (ANN, BEN, EVE)}
    )
    keys: dict[str, Person] = field(default_factory=dict)
    visits: dict[str, WebSession] = field(default_factory=dict)
    callers: list[ClientInfo] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, *views: DownloadView, of: Iterable[Person] = (ANN,)) -> None:
        """Put downloads on the desk that these people asked for."""
        people = tuple(of)
        for view in views:
            self.rows[view.id] = view
            self.seers[view.id] = people

    def change(self, number: int, **differences: object) -> None:
        """Change a download."""
        self.rows[number] = replace(self.rows[number], **differences)  # type: ignore[arg-type]  # by name

    # -- coming in and going out

    def sign_in(self, name: str, password: str, caller: ClientInfo) -> WebSession:
        self.callers.append(caller)
        if self.jellyfin_away:
            raise ServerAway("The Jellyfin server does not answer. Try again in a minute")
        if self.wait_s:
            raise TooManyTries("Too many sign-ins have failed", wait_s=self.wait_s)
        person = self.people.get(name)
        if person is None or password != PASSWORD:
            raise SignInRefused("The name or the password is wrong")
        return self.begin(person)

    def begin(self, person: Person) -> WebSession:
        """Start a session."""
        visit = WebSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32), person)
        with self._lock:
            self.visits[visit.secret] = visit
        return visit

    def start_quick_connect(self, caller: ClientInfo) -> QuickConnectCode:
        return QuickConnectCode("482913", "the-ticket")

    def finish_quick_connect(self, ticket: str, caller: ClientInfo) -> WebSession | None:
        if ticket != "the-ticket":
            raise SignInRefused("This Quick Connect code has expired: ask for another one")
        return self.begin(self.approved) if self.approved else None

    def visit(self, secret: str) -> WebSession | None:
        found = self.visits.get(secret)
        person = self.people.get(found.person.name) if found else None
        return replace(found, person=person) if found and person else None

    def person_for_key(self, key: str) -> Person | None:
        return self.keys.get(key)

    def sign_out(self, secret: str) -> None:
        with self._lock:
            self.visits.pop(secret, None)

    # -- everything else

    def downloads(self, person: Person, query: DownloadQuery) -> DownloadPage:
        if self.broken:
            raise RuntimeError("a secret that must not show: /srv/sidecar.db")
        seen = [self._shown(person, one) for one in self._seen(person)]
        found = [one for one in seen if _matches(one, query)]
        found.sort(key=lambda one: one.id, reverse=query.sort is not Sort.QUEUE)
        start = (query.page - 1) * query.page_size
        rows = found[start : start + query.page_size]
        return DownloadPage(rows, len(found), query.page, query.page_size)

    def download(self, person: Person, download_id: int) -> DownloadView:
        for found in self.some(person, [download_id]):
            return found
        raise NotVisible

    def some(self, person: Person, download_ids: Iterable[int]) -> list[DownloadView]:
        seen = {one.id: one for one in self._seen(person)}
        return [self._shown(person, seen[one]) for one in download_ids if one in seen]

    def rank(self, person: Person, query: DownloadQuery, download_id: int) -> int | None:
        whole = self.downloads(person, replace(query, page=1, page_size=len(self.rows)))
        ids = [one.id for one in whole.items]
        return ids.index(download_id) + 1 if download_id in ids else None

    def counts(self, person: Person, query: DownloadQuery | None = None) -> Mapping[str, int]:
        which = replace(query or DownloadQuery(), statuses=frozenset(), missing=False)
        shown = [self._shown(person, one) for one in self._seen(person)]
        seen = [one for one in shown if _matches(one, which)]
        return {
            status: sum(one.shown_status == status for one in seen) for status in (*Status, MISSING)
        }

    def owners(self, person: Person) -> Sequence[str]:
        return sorted(self.people) if person.is_admin else ()

    def bytes_waiting(self, person: Person) -> int:
        waiting = [one for one in self._seen(person) if one.status is Status.PENDING]
        return sum((one.expected_size or 0) - one.bytes_downloaded for one in waiting)

    def viewers(self, download_id: int) -> Sequence[str]:
        return [one.user_id for one in self.seers.get(download_id, ())]

    def progress(self) -> Sequence[Progress]:
        return self.running

    def devices(self, person: Person) -> Sequence[DeviceView]:
        return self.shelf

    def questions(self, person: Person) -> Sequence[OpenQuestion]:
        return self.asked

    def notices(self, person: Person) -> Sequence[Notice]:
        return self.told

    def cover(self, person: Person, download_id: int, width: int) -> Cover:
        found = self.download(person, download_id)
        if found.id not in self.pictures:
            raise NotVisible
        return self.pictures[found.id]

    def is_healthy(self) -> bool:
        return self.healthy

    def _seen(self, person: Person) -> list[DownloadView]:
        return [
            one
            for one in tuple(self.rows.values())
            if person.is_admin or person in self.seers[one.id]
        ]

    def _shown(self, person: Person, view: DownloadView) -> DownloadView:
        people = [one for one in self.seers[view.id] if person.is_admin or one == person]
        return replace(
            view,
            owners=tuple(one.name for one in people),
            reasons=tuple(
                ReasonView("favourites", one.name, "A favourite since this evening")
                for one in people
            ),
        )


def _stands_so(view: DownloadView, query: DownloadQuery) -> bool:
    if view.missing_since is not None:
        return query.missing or not query.statuses
    return view.status in query.statuses or not (query.statuses or query.missing)


def _matches(view: DownloadView, query: DownloadQuery) -> bool:
    text = " ".join(filter(None, (view.title, view.artist, view.album))).casefold()
    return (
        _stands_so(view, query)
        and (query.device_id is None or view.device_id == query.device_id)
        and (not query.item_types or view.item_type in query.item_types)
        and (not query.owners or bool(set(query.owners) & set(view.owners)))
        and query.text.casefold() in text
    )


DOWNLOAD = Download(
    id=7,
    item_id=f"{7:032x}",
    device_id="stick",
    user_id=ANN.user_id,
    status=Status.DOWNLOADING,
    title="Track 7",
    item_type="Audio",
    artist=None,
    album=None,
    album_id=None,
    image_item_id=None,
    image_tag=None,
    source_etag=None,
    file_path="Track 7.flac",
    file_size=None,
    mime_type=None,
    expected_size=100,
    bytes_downloaded=0,
    validator=None,
    finalizing=False,
    priority=0,
    error_code=None,
    error_message=None,
    retry_count=0,
    retry_next_at=None,
    queued_at=QUEUED_AT,
    started_at=None,
    completed_at=None,
    last_used_seq=0,
    content_hash=None,
    format="original",
)
