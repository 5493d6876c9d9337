"""Schemas of replays."""

from pydantic import Field

from sidecar.services.activity.replays.views import ReplayState
from sidecar.web.api.schemas.base import Fraction, Moment, Schema


class ReplayWeek(Schema):
    """What a week came to."""

    plays: int
    hits: int
    bytes_fetched: int
    bytes_evicted: int


class Missed(Schema):
    """An item that was played so often while its file was not there."""

    item_id: str
    title: str
    artist: str | None
    misses: int


class ReplayRun(Schema):
    """What a run came to; weeks and misses of the rules and of `fill` only."""

    name: str
    budget: int
    plays: int
    hits: int
    hit_rate: Fraction
    repeat_hit_rate: Fraction
    first_hit_rate: Fraction
    bytes_fetched: int
    bytes_evicted: int
    weeks: list[ReplayWeek]
    missed_most: list[Missed]


class TriedThreshold(Schema):
    """What the rules alone came to, with so many tracks to play before an album comes."""

    threshold: int
    hit_rate: Fraction
    bytes_fetched: int
    bytes_evicted: int


class Advice(Schema):
    """What is recommended for a size, as `rule.key`, and what is set."""

    budget: int
    set: dict[str, bool | int]
    configured: dict[str, bool | int]
    is_change: bool
    hit_rate: Fraction
    hit_rate_now: Fraction
    bytes_a_week: int
    bytes_a_week_now: int
    tried: list[TriedThreshold]


class ReplayLibrary(Schema):
    """How large the library of the history is."""

    items: int
    bytes: int


class ReplayReport(Schema):
    """All that a replay found."""

    library: ReplayLibrary
    users: int
    runs: list[ReplayRun]
    recommended: list[Advice]


class KeptReplay(Schema):
    """A finished replay."""

    at: Moment
    device_id: str | None
    device_name: str
    is_household: bool
    is_uploaded: bool
    report: ReplayReport
    bad_rows: int
    bad_lines: list[int]


class Replay(Schema):
    """How far your replay is, and the last result."""

    state: ReplayState
    progress: Fraction
    refused: str | None
    result: KeptReplay | None = Field(validation_alias="kept")


class UploadedBytes(Schema):
    """How much of a file is there."""

    bytes: int
