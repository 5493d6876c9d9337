"""The desk: all that the pages, the API and the command line may ask of the sidecar.

The web knows this protocol and its values, never a table or a folder. Every call that shows or
changes something takes the person who asks; what that person may not see does not exist for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.states import MISSING, Status
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.events import Phase, Progress


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a signed-in account."""

    user_id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A session of the web page.

    Attributes:
        secret: The cookie's value; only its hash is stored.
        csrf: Bound to the session; every change must bring it.
    """

    secret: str
    csrf: str
    person: Person


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from: for the sign-in limiter and the log."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class QuickConnectCode:
    """A Quick Connect request: `code` is typed into another client, `ticket` is kept by ours."""

    code: str
    ticket: str


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why a file is here, and for whom."""

    rule: str
    account: str
    text: str


@dataclass(frozen=True, slots=True)
class Carried:
    """Another device that Syncthing carries a file to, and since when it is known to have it."""

    peer: str
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadView:
    """A download as a person sees it. `speed` in bytes a second; 0 when it is not running.

    `reasons` and `owners` name other people only for an admin. `missing_since` is set while the
    file of a completed download is not seen on its device.
    """

    id: int
    item_id: str
    device_id: str
    device_name: str
    status: Status
    title: str
    artist: str | None
    album: str | None
    item_type: str
    has_cover: bool
    progress: float
    bytes_downloaded: int
    expected_size: int | None
    speed: float
    seconds_left: float | None
    file_path: str
    content_hash: str | None
    error_code: str | None
    error_message: str | None
    retry_next_at: datetime | None
    retry_count: int
    priority: int
    queued_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    reasons: tuple[ReasonView, ...]
    owners: tuple[str, ...]
    format: str = ORIGINAL
    format_note: str | None = None
    source_size: int | None = None
    phase: Phase | None = None
    carried: tuple[Carried, ...] = ()
    missing_since: datetime | None = None

    @property
    def shown_status(self) -> str:
        """The state as it is told: what is missing is not completed for anybody."""
        return MISSING if self.missing_since is not None else self.status.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a list of downloads shows: `page` from 1, what is empty means any.

    Attributes:
        owners: Account names or ids. Only an admin's list obeys it: anybody else would learn
            from it who wants the same things.
        missing: What is missing as well, or only that if there are no `statuses`.
        as_of: The id of the newest one that counts: what is asked for later moves no page.
    """

    statuses: frozenset[Status] = frozenset()
    missing: bool = False
    device_id: str | None = None
    owners: tuple[str, ...] = ()
    text: str = ""
    item_types: frozenset[str] = frozenset()
    sort: Sort = Sort.NEWEST
    as_of: int | None = None
    page: int = 1
    page_size: int = 10


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list and how much there is in all."""

    items: Sequence[DownloadView]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device as a person sees it.

    Attributes:
        trouble: A sentence when the device cannot be used now; None when all is well.
        is_unplugged: It may be pulled out: nothing of ours is open there.
        budget, used, free: Bytes; `budget` None means as much as the reserve leaves.
        files: How many finished files should be there.
        missing: How many of them the last look did not see.
        managers: Names of those who manage it beside the admins.
        may_manage: Whether this person does.
    """

    id: str
    name: str
    path: str
    trouble: str | None
    budget: int | None
    used: int
    free: int | None
    total: int | None
    is_paused: bool = False
    is_unplugged: bool = False
    files: int = 0
    missing: int = 0
    managers: tuple[str, ...] = ()
    may_manage: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know now.

    Attributes:
        kind: `server`, `account`, `device` or `hearts`.
        level: `info`, `warning` or `error`.
    """

    kind: str
    level: str
    text: str


class Subject(StrEnum):
    """What is asked about."""

    REMOVALS = "removals"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A question about a device.

    Attributes:
        text: A sentence for people.
        missing: How many files it says are missing.
        may_answer: Whether this person's answer counts; others are only told.
    """

    subject: Subject
    device_id: str
    device_name: str
    text: str
    missing: int = 0
    may_answer: bool = True


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture, of a type that cannot carry a script."""

    body: bytes
    mime_type: str
    tag: str


class SignInDesk(Protocol):
    """Coming in and going out."""

    def sign_in(self, name: str, password: str, caller: Caller) -> Visit:
        """Sign in with a Jellyfin name and password; exactly one try is passed on.

        Raises:
            errors.SignInRefused: Wrong, not allowed now, or too many tries (says how long).
            errors.JellyfinTrouble: The server cannot be asked.
        """

    def start_quick_connect(self, caller: Caller) -> QuickConnectCode:
        """Ask Jellyfin for a code.

        Raises:
            errors.SignInRefused: Quick Connect is switched off, or too many tries.
        """

    def finish_quick_connect(self, ticket: str, caller: Caller) -> Visit | None:
        """Return the visit once the code was approved elsewhere, None while it was not.

        Raises:
            errors.SignInRefused: The code expired or is unknown.
        """

    def visit(self, secret: str) -> Visit | None:
        """Return the live session of this cookie; None if it ended, idled out or never was."""

    def person_for_key(self, key: str) -> Person | None:
        """Return the account behind an API key; None if it is unknown or revoked."""

    def sign_out(self, secret: str) -> None:
        """End this session of the web page; the account goes on downloading."""


class Desk(SignInDesk, Protocol):
    """Everything else."""

    def downloads(self, person: Person, query: Query) -> Page:
        """List what this person may see."""

    def download(self, person: Person, download_id: int) -> DownloadView | None:
        """Return one download, None if there is none that this person may see."""

    def rank(self, person: Person, query: Query, download_id: int) -> int | None:
        """Return the place of a download in this list, from 1; None if it is not in it."""

    def counts(self, person: Person, query: Query | None = None) -> Mapping[str, int]:
        """Count what this person may see in each state and as `missing`.

        Equal to the totals of `downloads`.

        Args:
            person: Who asks.
            query: What is counted, whatever its statuses and page say; None counts all.
        """

    def owners(self, person: Person) -> Sequence[str]:
        """Return the names that an admin may choose owners by; nobody else has a choice."""

    def bytes_waiting(self, person: Person) -> int:
        """Return the bytes still to come of what waits and this person may see."""

    def viewers(self, download_id: int) -> Sequence[str]:
        """Return the user ids (not admins as such) who may see this download."""

    def progress(self) -> Sequence[Progress]:
        """Return where the running transfers stand."""

    def devices(self, person: Person) -> Sequence[DeviceView]:
        """List the devices this person's files go to (an admin: all)."""

    def notices(self, person: Person) -> Sequence[Notice]:
        """List what this person should know now."""

    def questions(self, person: Person) -> Sequence[OpenQuestion]:
        """List what waits for somebody's answer and concerns this person."""

    def cover(self, person: Person, download_id: int, width: int) -> Cover | None:
        """Return the picture of a download; None without one or if it may not be seen."""

    def is_healthy(self) -> bool:
        """Whether every thread is alive and the database answers."""
