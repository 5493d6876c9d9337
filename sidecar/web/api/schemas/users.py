"""Schemas of accounts, sessions, keys, plays and the state of the system."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, field_validator

from sidecar.domain.downloads.download import Status
from sidecar.web.api.schemas.base import (
    Moment,
    Schema,
    Tenths,
    taken_from,
)


class User(Schema):
    """A signed-in person."""

    id: str = taken_from("user_id")
    name: str
    is_admin: bool


class Session(Schema):
    """A web session; `csrf` must be sent as `X-Sidecar-CSRF` with every change."""

    user: User
    csrf: str | None


class ClientMessages(Schema):
    """Whether a person's Jellyfin clients show what comes of what they do in them."""

    is_on: bool


class Play(Schema):
    """One play of an item."""

    item_id: str
    title: str
    client: str | None
    started_at: Moment
    seconds_heard: Tenths
    counted: bool = taken_from("is_counted")


class Place(Schema):
    """A device that a track is fetched for, and its status there."""

    device_name: str
    status: str


class Upcoming(Schema):
    """A track that is next in the play queue, and what the rules made of it."""

    title: str
    artist: str | None
    text: str
    places: list[Place]

    @field_validator("places", mode="before")
    @classmethod
    def _by_device(cls, places: Sequence[tuple[str, Status]]) -> list[Place]:
        return [Place(device_name=name, status=status) for name, status in places]


class Now(Schema):
    """What plays in one client; position and durations in seconds."""

    account: str
    item_id: str
    title: str
    artist: str | None
    album: str | None
    item_type: str
    client: str | None
    device_name: str | None
    started_at: Moment
    position: Tenths
    seconds: float | None
    seconds_heard: Tenths
    is_paused: bool
    silent_since: Moment | None
    queued: int
    coming: list[Upcoming]


class Key(Schema):
    """An API key, without its secret; `origin` is that of the pages of Jellyfin it is only for."""

    id: int
    label: str
    created_at: Moment
    last_used_at: Moment | None
    expires_at: Moment | None
    expired: bool = taken_from("is_expired")
    origin: str | None


class FreshKey(Key):
    """A new API key with its secret, which is not shown again."""

    key: str


class ProblemDetails(BaseModel):
    """Why a request failed: `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str | None = None


class Account(Schema):
    """An account, and the files it holds on all devices."""

    id: str = taken_from("user_id")
    name: str
    is_admin: bool
    signed_in: bool = taken_from("is_signed_in")
    signed_in_at: Moment
    last_seen_at: Moment | None
    files: int
    bytes: int


class HiddenFiles(Schema):
    """Files that an account holds and whose items it may not see on the server any more.

    `library` is null if it is not known that a library was lost; `kept` is true once a person said
    that the files stay.
    """

    account_id: str = taken_from("user_id")
    account: str = taken_from("name")
    library: str | None
    files: int
    bytes: int
    since: Moment
    kept: bool = taken_from("is_kept")


class OpenSession(Schema):
    """A browser in which somebody is signed in; the id is not a credential."""

    id: str
    account: str
    created_at: Moment
    last_used_at: Moment
    browser: str
    network: str
    address: str
    this: bool = taken_from("is_this")


class Ended(Schema):
    """The number of sessions that were ended and of keys that were revoked."""

    ended: int
    keys_revoked: int


class SystemReport(Schema):
    """The state of the Jellyfin server, the transfer engine and the database."""

    version: str
    server_name: str | None
    server_version: str | None
    server_trouble: str | None
    engine: str
    workers: int
    running: int
    database_bytes: int
    healthy: bool = taken_from("is_healthy")


class Backup(Schema):
    """A nightly backup, which can be had by its name."""

    name: str
    made_at: Moment
    bytes: int


class Task(Schema):
    """What is done regularly: how its last run since the start ended, and when it is due again.

    Attributes:
        about: The name of the account or the device; empty if it is about neither.
        machine: Where it is done, if that is another process; otherwise empty.
        ended_at: None while it runs.
        failure: Why it did not do what it should; empty if it did.
        next_at: At the latest; None if it is done only when asked for.
    """

    id: str
    what: str
    about: str
    machine: str
    began_at: Moment | None = taken_from("run.began_at")
    ended_at: Moment | None = taken_from("run.ended_at")
    failure: str = taken_from("run.failure")
    next_at: Moment | None = taken_from("run.next_at")


class LogLine(Schema):
    """One record of the log."""

    at: Moment
    level: str
    thread: str
    text: str
