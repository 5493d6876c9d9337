"""What can be ordered of the machine that has a device: the calls that a press there would make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from sidecar.services.accounts.person import Person
from sidecar.services.downloads.commands import ActionResult
from sidecar.services.files.adoption.adopt import AdoptedView, OfferView
from sidecar.services.players.device_playlists.views import ListDecision, ReturnedLists
from sidecar.services.players.player_logs.state_views import (
    GivenView,
    PlayerView,
    TakenStatesView,
)
from sidecar.services.players.player_logs.states import Wanted
from sidecar.services.players.player_logs.views import LogView, TakenView
from sidecar.services.syncthing.status import IgnoreView

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKind(Generic[P, R]):
    """One kind of order.

    Attributes:
        name: In the database; it stays as it is.
        act: The call of the service, which checks the person's rights as well.
        check: Raises what `act` raises if the person may not; asked where it is pressed.
        what: Makes the end of the sentence "Asked car to …" of the device's name.
        tell: Makes the sentence that says what was done.
        given: The types of the values of the call, in their order, as a tuple's.
        result: The type of what the call returns, where that is what was wanted: a look.
        is_for_ejected: Whether it is done to a device that was ejected.
    """

    name: str
    act: Callable[Concatenate[Person, str, P], R]
    check: Callable[[Person, str], object]
    what: Callable[[str], str]
    tell: Callable[[R], str]
    given: Any = tuple[()]
    result: type[R] | None = None
    is_for_ejected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKinds:
    """All kinds of orders."""

    eject: OrderKind[[], None]
    reattach: OrderKind[[], None]
    delete: OrderKind[[Sequence[tuple[int, datetime]], bool], Sequence[ActionResult]]
    forget: OrderKind[[], int]
    answer_removals: OrderKind[[bool, Sequence[int]], int]
    confirm_plan: OrderKind[[str], None]
    ignore: OrderKind[[], IgnoreView]
    look_for_files: OrderKind[[], OfferView]
    adopt: OrderKind[[Collection[str] | None], AdoptedView]
    look_at_log: OrderKind[[], LogView]
    take_plays: OrderKind[[], TakenView]
    look_at_player: OrderKind[[], PlayerView]
    take_states: OrderKind[[Wanted], TakenStatesView]
    give: OrderKind[[bool, bool], GivenView]
    look_at_lists: OrderKind[[], ReturnedLists]
    answer_list: OrderKind[[str, str, ListDecision], str]
    undo_list: OrderKind[[str], str]

    def by_name(self) -> Mapping[str, OrderKind[..., Any]]:
        """Return each kind by its name in the database."""
        kinds = [getattr(self, one.name) for one in fields(self)]
        return {one.name: one for one in kinds}
