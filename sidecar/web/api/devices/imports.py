"""`/api/v1/devices/…/adoption`, `…/log`, `…/player`: files and plays that were on a device.

Adopted files stay where they are.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sidecar.errors import DeviceError
from sidecar.services.files.adoption.adopt import AdoptedView, AdoptionInUse, OfferView
from sidecar.services.players.device_playlists.views import (
    ListChanged,
    ListDecision,
    ListInUse,
    ReturnedLists,
)
from sidecar.services.players.player_logs.state_views import (
    GivenView,
    ListenerView,
    NotTheListener,
    PlayerView,
    TakenStatesView,
)
from sidecar.services.players.player_logs.states import Wanted
from sidecar.services.players.player_logs.views import LogInUse, LogView, TakenView
from sidecar.web.actions import LONGEST_PATH, MOST_MATCHES
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import imports as schemas
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

CONFLICT = Refusal(HTTPStatus.CONFLICT, "{}.")
BUSY = Refusal(HTTPStatus.CONFLICT, "{}: wait a little.")
DEVICE = "/<string(maxlength=80):device_id>"

adoption = Endpoints(
    "adoption", f"{PREFIX}/devices", errors={AdoptionInUse: BUSY, DeviceError: CONFLICT}
)
logs = Endpoints(
    "device_logs",
    f"{PREFIX}/devices",
    errors={LogInUse: BUSY, DeviceError: CONFLICT, NotTheListener: CONFLICT},
)

lists = Endpoints(
    "device_lists",
    f"{PREFIX}/devices",
    errors={
        ListInUse: BUSY,
        ListChanged: CONFLICT,
        NotTheListener: CONFLICT,
        DeviceError: CONFLICT,
    },
)

MatchId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Adopt(Body):
    """The files to adopt: these matches, or all certain ones."""

    ids: Annotated[tuple[MatchId, ...], Field(max_length=MOST_MATCHES)] = ()
    all: bool = False

    @model_validator(mode="after")
    def _either_or(self) -> Adopt:
        if self.all == bool(self.ids):
            raise ValueError("give either ids, or all")
        return self


class ListAnswer(Body):
    """What becomes of a list: `take`, `device` (exactly as it is there) or `ignore`."""

    path: Annotated[str, Field(min_length=1, max_length=LONGEST_PATH)]
    mark: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    answer: ListDecision


class ListUndo(Body):
    """The path of a list that was taken lately."""

    path: Annotated[str, Field(min_length=1, max_length=LONGEST_PATH)]


@adoption.get(f"{DEVICE}/adoption", role=Role.SIGNED_IN, returns=schemas.AdoptionOffer)
def show(services: WebServices, device_id: str) -> OfferView:
    """List the files on a device that match items of the library but are not managed yet."""
    return services.orders.look(services.orders.kinds.look_for_files, person(), device_id)


@adoption.post(
    f"{DEVICE}/adoption",
    may_be_ordered=True,
    role=Role.MANAGER,
    body=Adopt,
    returns=schemas.Adopted,
)
def adopt(services: WebServices, device_id: str, body: Adopt) -> AdoptedView:
    """Adopt some of these files, or all certain matches, without moving them."""
    ids = None if body.all else body.ids
    return services.orders.press(services.orders.kinds.adopt, person(), device_id, ids)


class Listener(Body):
    """Whose player a device is: the id of a user, or null for nobody's."""

    user_id: Annotated[str, Field(max_length=80)] | None


class Give(Body):
    """What to write to a player."""

    bookmarks: bool = False
    changelog: bool = False


class Take(Body):
    """What to take from a player; `answers` says by item id whose position is right."""

    positions: bool = True
    counts: bool = True
    hearts: bool = False
    answers: Annotated[
        dict[Annotated[str, Field(max_length=80)], Literal["player", "jellyfin"]],
        Field(default_factory=dict, max_length=MOST_MATCHES),
    ]


@logs.get(f"{DEVICE}/log", role=Role.SIGNED_IN, returns=schemas.DeviceLog)
def show_log(services: WebServices, device_id: str) -> LogView:
    """Preview the plays in the music player's logs on a device."""
    return services.orders.look(services.orders.kinds.look_at_log, person(), device_id)


@logs.post(
    f"{DEVICE}/log",
    may_be_ordered=True,
    role=Role.SIGNED_IN,
    returns=schemas.TakenPlays,
    errors={DeviceError: Refusal(HTTPStatus.CONFLICT, "{}. Then ask once more.")},
)
def take(services: WebServices, device_id: str) -> TakenView:
    """Import these plays as your own."""
    return services.orders.press(services.orders.kinds.take_plays, person(), device_id)


@lists.get(f"{DEVICE}/lists", role=Role.SIGNED_IN, returns=schemas.ReturnedLists)
def show_lists(services: WebServices, device_id: str) -> ReturnedLists:
    """List the playlists that were made or changed on a device and may be taken home."""
    return services.orders.look(services.orders.kinds.look_at_lists, person(), device_id)


@lists.post(
    f"{DEVICE}/lists",
    may_be_ordered=True,
    role=Role.SIGNED_IN,
    body=ListAnswer,
    returns=schemas.ListAnswered,
)
def answer_list(services: WebServices, device_id: str, body: ListAnswer) -> schemas.ListAnswered:
    """Take a playlist home as your own, or leave Jellyfin as it is."""
    text = services.orders.press(
        services.orders.kinds.answer_list,
        person(),
        device_id,
        body.path,
        body.mark,
        body.answer,
    )
    return schemas.ListAnswered(text=text)


@lists.post(
    f"{DEVICE}/lists/undo",
    may_be_ordered=True,
    role=Role.SIGNED_IN,
    body=ListUndo,
    returns=schemas.ListAnswered,
)
def undo_list(services: WebServices, device_id: str, body: ListUndo) -> schemas.ListAnswered:
    """Give Jellyfin back what it had before you took a playlist of this path."""
    text = services.orders.press(services.orders.kinds.undo_list, person(), device_id, body.path)
    return schemas.ListAnswered(text=text)


@logs.get(f"{DEVICE}/player", role=Role.SIGNED_IN, returns=schemas.PlayerKnows)
def show_player(services: WebServices, device_id: str) -> PlayerView:
    """Preview the positions, counts and ratings of a music player, for its listener."""
    return services.orders.look(services.orders.kinds.look_at_player, person(), device_id)


@logs.post(
    f"{DEVICE}/player",
    may_be_ordered=True,
    role=Role.SIGNED_IN,
    body=Take,
    returns=schemas.TakenStates,
)
def take_states(services: WebServices, device_id: str, body: Take) -> TakenStatesView:
    """Take positions, counts and hearts from a player into your own Jellyfin history."""
    wanted = Wanted(
        positions=body.positions,
        counts=body.counts,
        hearts=body.hearts,
        answers={its: answer == "player" for its, answer in body.answers.items()},
    )
    return services.orders.press(services.orders.kinds.take_states, person(), device_id, wanted)


@logs.post(
    f"{DEVICE}/player/given",
    may_be_ordered=True,
    role=Role.SIGNED_IN,
    body=Give,
    returns=schemas.Given,
)
def give(services: WebServices, device_id: str, body: Give) -> GivenView:
    """Write your newer positions as bookmarks to your player, and a changelog of its database."""
    return services.orders.press(
        services.orders.kinds.give, person(), device_id, body.bookmarks, body.changelog
    )


@logs.put(
    f"{DEVICE}/player/listener", role=Role.SIGNED_IN, body=Listener, returns=schemas.PlayerListener
)
def choose_listener(services: WebServices, device_id: str, body: Listener) -> ListenerView:
    """Say whose player a device is."""
    services.listeners.choose(person(), device_id, body.user_id)
    return services.listeners.of(person(), device_id)


@logs.post(
    f"{DEVICE}/player/imports/<int:import_id>/undo",
    role=Role.SIGNED_IN,
    returns=schemas.UndoneImport,
)
def undo_import(services: WebServices, device_id: str, import_id: int) -> dict[str, int]:
    """Take an import of yours back."""
    return {"items": services.player_states.undo(person(), device_id, import_id)}
