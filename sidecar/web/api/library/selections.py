"""`/api/v1/selections`: a person's saved filters, and the devices that each is kept in sync on."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, StringConstraints

from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import (
    FIRST_YEAR,
    LAST_YEAR,
    SELECTABLE,
    Named,
    Selection,
    SelectionOrder,
)
from sidecar.domain.rules.context import KeptSelection
from sidecar.errors import NotPossible
from sidecar.services.rules.selections.selections import SelectionSize, SelectionView
from sidecar.web.actions import MOST_VALUES
from sidecar.web.api.devices.preferences import DEVICE
from sidecar.web.api.endpoints import Endpoints, Refusal
from sidecar.web.api.schemas import selections as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ID = "<string(length=32):selection_id>"
DAYS = 36_500

selections = Endpoints(
    "saved_filters", errors={NotPossible: Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)}
)

Name = Annotated[str, Field(min_length=1, max_length=100)]
Names = Annotated[tuple[Name, ...], Field(max_length=MOST_VALUES)]
ItemId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
Days = Annotated[int, Field(ge=1, le=DAYS)]
# JSON has no enumerations: their values are taken for them.
AKind = Annotated[Kind, Field(strict=False)]
AnOrder = Annotated[SelectionOrder, Field(strict=False)]


class SelectionFilter(Body):
    """What a filter matches; what is left out narrows nothing down.

    Libraries by their ids, artists by their names.
    """

    kinds: Annotated[tuple[AKind, ...], Field(min_length=1, max_length=MOST_VALUES)] = (Kind.TRACK,)
    libraries: Annotated[tuple[ItemId, ...], Field(max_length=MOST_VALUES)] = ()
    artists: Names = ()
    genres: Names = ()
    tags: Names = ()
    text: Annotated[str, Field(max_length=200)] = ""
    first_year: Year | None = None
    last_year: Year | None = None
    added_days: Days | None = None
    unheard_days: Days | None = None
    is_unheard: bool = False
    is_hearted: bool = False
    least_rating: Annotated[float, Field(ge=0, le=10)] | None = None
    order: AnOrder = SelectionOrder.NAME
    most_files: Annotated[int, Field(ge=1, le=2**31)] | None = None
    most_bytes: Annotated[int, Field(ge=1, le=2**60)] | None = None
    most_seconds: Annotated[int, Field(ge=1, le=2**31)] | None = None

    def asked(self) -> Selection:
        """Return the filter.

        Raises:
            NotPossible: It names a kind that has no files of its own.
        """
        if wrong := [one for one in self.kinds if one not in SELECTABLE]:
            raise NotPossible(f"{wrong[0]} has no files of its own")
        return Selection(
            kinds=frozenset(self.kinds),
            libraries=tuple(Named(one, "") for one in self.libraries),
            artists=tuple(Named("", one) for one in self.artists),
            genres=self.genres,
            tags=self.tags,
            text=self.text.strip(),
            first_year=self.first_year,
            last_year=self.last_year,
            added_days=self.added_days,
            unheard_days=self.unheard_days,
            is_unheard=self.is_unheard,
            is_hearted=self.is_hearted,
            least_rating=self.least_rating,
            order=self.order,
            most_files=self.most_files,
            most_bytes=self.most_bytes,
            most_seconds=self.most_seconds,
        )


class SavedFilter(Body):
    """A filter with its name."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    filter: SelectionFilter = SelectionFilter()


class RemovalConfirmation(Body):
    """Whether files may be removed that a filter does not match any more."""

    remove: bool


@selections.get("/selections", role=Role.SIGNED_IN, returns=Listed[schemas.Selection])
def list_all(services: WebServices) -> Sequence[SelectionView]:
    """List your saved filters."""
    return services.selections.all_of(person())


@selections.post(
    "/selections",
    role=Role.SIGNED_IN,
    body=SavedFilter,
    returns=schemas.Selection,
    status=HTTPStatus.CREATED,
)
def create(services: WebServices, body: SavedFilter) -> SelectionView:
    """Save a filter."""
    saved = services.selections.save(person(), body.name, body.filter.asked())
    return services.selections.get(person(), saved.id)


@selections.post(
    "/selections/measure", role=Role.SIGNED_IN, body=SelectionFilter, returns=schemas.SelectionSize
)
def measure(services: WebServices, body: SelectionFilter) -> SelectionSize:
    """Count what a filter matches now."""
    return services.selections.measure(person(), body.asked())


@selections.get(f"/selections/{ID}", role=Role.SIGNED_IN, returns=schemas.Selection)
def show(services: WebServices, selection_id: str) -> SelectionView:
    """Show a saved filter."""
    return services.selections.get(person(), selection_id)


@selections.put(
    f"/selections/{ID}", role=Role.SIGNED_IN, body=SavedFilter, returns=schemas.Selection
)
def change(services: WebServices, selection_id: str, body: SavedFilter) -> SelectionView:
    """Change a saved filter."""
    services.selections.save(person(), body.name, body.filter.asked(), selection_id)
    return services.selections.get(person(), selection_id)


@selections.delete(f"/selections/{ID}", role=Role.SIGNED_IN)
def delete(services: WebServices, selection_id: str) -> None:
    """Delete a saved filter."""
    services.selections.delete(person(), selection_id)


@selections.get(f"{DEVICE}/selections", role=Role.SIGNED_IN, returns=Listed[schemas.KeptSelection])
def kept(services: WebServices, device_id: str) -> Sequence[KeptSelection]:
    """List your saved filters that are kept in sync on a device."""
    return services.selections.kept(person(), device_id)


@selections.put(f"{DEVICE}/selections/{ID}", role=Role.SIGNED_IN)
def keep(services: WebServices, device_id: str, selection_id: str) -> None:
    """Keep a saved filter in sync on a device."""
    services.selections.keep(person(), device_id, selection_id)


@selections.delete(f"{DEVICE}/selections/{ID}", role=Role.SIGNED_IN)
def drop(services: WebServices, device_id: str, selection_id: str) -> None:
    """Keep a saved filter in sync on a device no more."""
    services.selections.drop(person(), device_id, selection_id)


@selections.post(f"{DEVICE}/selections/{ID}/answer", role=Role.SIGNED_IN, body=RemovalConfirmation)
def answer(
    services: WebServices, device_id: str, selection_id: str, body: RemovalConfirmation
) -> None:
    """Say whether files may be removed that a filter does not match any more."""
    services.selections.answer(person(), device_id, selection_id, remove=body.remove)
