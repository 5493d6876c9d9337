"""Schemas of saved filters."""

from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import SelectionOrder
from sidecar.web.api.schemas.base import Schema, taken_from


class Named(Schema):
    """A library or an artist."""

    id: str
    name: str


class SelectionValues(Schema):
    """What a filter matches."""

    kinds: list[Kind]
    libraries: list[Named]
    artists: list[Named]
    genres: list[str]
    tags: list[str]
    text: str
    first_year: int | None
    last_year: int | None
    added_days: int | None
    unheard_days: int | None
    is_unheard: bool
    is_hearted: bool
    least_rating: float | None
    order: SelectionOrder
    most_files: int | None
    most_bytes: int | None
    most_seconds: int | None


class Selection(Schema):
    """A saved filter, and the devices that it is kept in sync on."""

    id: str = taken_from("saved.id")
    name: str = taken_from("saved.name")
    filter: SelectionValues = taken_from("saved.asked")
    device_ids: list[str]


class SelectionSize(Schema):
    """How much a filter matches; an estimate where not all was read."""

    files: int
    bytes: int
    seconds: float
    is_estimate: bool


class KeptSelection(Schema):
    """A saved filter on a device, and how many files it matched when that was last believed."""

    id: str
    name: str
    matched: int | None
    keeps_all: bool
