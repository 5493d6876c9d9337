"""The shapes of people, their listening and their keys."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from sidecar.web.api.schemas.base import Moment, Shape


class Notice(Shape):
    """Something to know now."""

    kind: str
    level: Literal["info", "warning", "error"]
    text: str


class User(Shape):
    """Who somebody is."""

    id: str
    name: str
    is_admin: bool


class Session(Shape):
    """A session of the web page; `csrf` goes into `X-Sidecar-CSRF` with every change."""

    user: User
    csrf: str | None


class Play(Shape):
    """One listening."""

    item_id: str
    title: str
    client: str | None
    started_at: Moment
    seconds_heard: float
    counted: bool


class Place(Shape):
    """Where a track goes, and how it stands there."""

    device_name: str
    status: str


class Upcoming(Shape):
    """A track that comes next, and what the rules made of it."""

    title: str
    artist: str | None
    text: str
    places: list[Place]


class Now(Shape):
    """What plays in one client."""

    account: str
    item_id: str
    title: str
    artist: str | None
    album: str | None
    item_type: str
    client: str | None
    device_name: str | None
    started_at: Moment
    position: float
    seconds: float | None
    seconds_heard: float
    is_paused: bool
    queued: int
    coming: list[Upcoming]


class Key(Shape):
    """A key for programs."""

    id: int
    label: str
    created_at: Moment
    last_used_at: Moment | None


class FreshKey(Key):
    """A key that was just made: shown this once."""

    key: str


class ProblemDetails(BaseModel):
    """Why something could not be done: `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str | None = None


class Account(Shape):
    """An account of the house, and what it holds on all devices."""

    id: str
    name: str
    is_admin: bool
    signed_in: bool
    signed_in_at: Moment
    last_seen_at: Moment | None
    files: int
    bytes: int


class OpenSession(Shape):
    """A browser in which somebody is signed in; the id opens nothing."""

    id: str
    account: str
    created_at: Moment
    last_used_at: Moment
    address: str
    this: bool


class Ended(Shape):
    """How many sessions were ended."""

    ended: int


class SystemReport(Shape):
    """How it all stands."""

    version: str
    server_name: str | None
    server_version: str | None
    server_trouble: str | None
    engine: str
    workers: int
    running: int
    database_bytes: int
    healthy: bool


class LogLine(Shape):
    """One event of the log."""

    at: Moment
    level: str
    thread: str
    text: str
