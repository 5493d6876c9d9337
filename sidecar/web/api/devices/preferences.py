"""`/api/v1/devices/…` and `/exclusions`: a device's settings, pins, exclusions and playlists."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from sidecar.domain.rules.context import Chosen
from sidecar.domain.undo import Reversal
from sidecar.errors import ConfigError, NotPossible
from sidecar.services.rules.preferences import Excluded, Pinned, Removed
from sidecar.services.rules.settings.view import DeviceSettingsView
from sidecar.web.api.endpoints import Endpoints, Refusal
from sidecar.web.api.schemas import devices as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.api.schemas.downloads import Undoable, UndoToken
from sidecar.web.request.json_body import Body
from sidecar.web.routing import ITEM
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

DEVICE = "/devices/<string(maxlength=80):device_id>"
RULE = "<string(maxlength=40):rule>"
MOST_KEYS = 40
FURTHEST = 2**62
NOT_POSSIBLE = Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)

steering = Endpoints(
    "steering",
    errors={NotPossible: NOT_POSSIBLE, ConfigError: NOT_POSSIBLE},
)

Name = Annotated[str, Field(min_length=1, max_length=40)]
Text = Annotated[str, Field(max_length=100)]
Number = Annotated[int, Field(ge=-FURTHEST, le=FURTHEST)]
Changes = Annotated[dict[Name, bool | Number | Text | None], Field(max_length=MOST_KEYS)]


class SettingsChange(Body):
    """Changed settings of a device and of its rules; null resets a setting."""

    settings: Changes = Field(default_factory=dict)
    rules: Annotated[dict[Name, Changes], Field(max_length=MOST_KEYS)] = Field(default_factory=dict)


@steering.get(f"{DEVICE}/settings", role=Role.SIGNED_IN, returns=schemas.DeviceSettings)
def settings(services: WebServices, device_id: str) -> DeviceSettingsView:
    """Show the settings of a device and of its rules."""
    return services.settings.settings(person(), device_id)


@steering.patch(
    f"{DEVICE}/settings", role=Role.MANAGER, body=SettingsChange, returns=schemas.DeviceSettings
)
def change(services: WebServices, device_id: str, body: SettingsChange) -> DeviceSettingsView:
    """Change settings of a device or of its rules; null resets a setting."""
    return services.settings.change(person(), device_id, body.settings, body.rules)


@steering.get(f"{DEVICE}/pins", role=Role.SIGNED_IN, returns=Listed[schemas.Pin])
def pins(services: WebServices, device_id: str) -> Sequence[Pinned]:
    """List your pins on a device."""
    return services.preferences.pins(person(), device_id)


@steering.put(f"{DEVICE}/pins/{ITEM}", role=Role.SIGNED_IN, returns=schemas.Queued)
def pin(services: WebServices, device_id: str, item_id: str) -> schemas.Queued:
    """Pin an item to a device."""
    return schemas.Queued(queued=services.preferences.pin(person(), device_id, item_id))


@steering.delete(f"{DEVICE}/pins/{ITEM}", role=Role.SIGNED_IN, returns=Undoable)
def unpin(services: WebServices, device_id: str, item_id: str) -> Undoable:
    """Remove a pin."""
    reversal = services.preferences.unpin(person(), device_id, item_id)
    return _undoable(services, "let_go", reversal, len(reversal.holds))


@steering.get("/exclusions", role=Role.SIGNED_IN, returns=Listed[schemas.Exclusion])
def exclusions(services: WebServices) -> Sequence[Excluded]:
    """List your exclusions from rules."""
    return services.preferences.exclusions(person())


@steering.put(f"{DEVICE}/exclusions/{RULE}/{ITEM}", role=Role.SIGNED_IN, returns=Undoable)
def exclude(services: WebServices, device_id: str, rule: str, item_id: str) -> Undoable:
    """Exclude an item from a rule on a device."""
    reversal = services.preferences.exclude(person(), device_id, rule, item_id)
    return _undoable(services, "exclude", reversal, 1)


@steering.delete(f"{DEVICE}/exclusions/{RULE}/{ITEM}", role=Role.SIGNED_IN)
def include(services: WebServices, device_id: str, rule: str, item_id: str) -> None:
    """Remove an exclusion."""
    services.preferences.include(person(), device_id, rule, item_id)


@steering.get(f"{DEVICE}/playlists", role=Role.SIGNED_IN, returns=Listed[schemas.Playlist])
def playlists(services: WebServices, device_id: str) -> Sequence[Chosen]:
    """List the playlists chosen for a device."""
    return services.preferences.playlists(person(), device_id)


@steering.put(f"{DEVICE}/playlists/{ITEM}", role=Role.SIGNED_IN, returns=schemas.Playlist)
def choose(services: WebServices, device_id: str, item_id: str) -> Chosen:
    """Choose a playlist for a device."""
    return services.preferences.choose(person(), device_id, item_id)


@steering.delete(f"{DEVICE}/playlists/{ITEM}", role=Role.SIGNED_IN, returns=Undoable)
def drop(services: WebServices, device_id: str, item_id: str) -> Undoable:
    """Remove a playlist from those chosen for a device."""
    reversal = services.preferences.drop(person(), device_id, item_id)
    return _undoable(services, "playlist", reversal, 1)


@steering.get(f"{DEVICE}/removed", role=Role.SIGNED_IN, returns=Listed[schemas.Removed])
def removed(services: WebServices, device_id: str) -> Sequence[Removed]:
    """List the items you deleted from a device."""
    return services.preferences.removed(person(), device_id)


@steering.delete(f"{DEVICE}/removed/{ITEM}", role=Role.SIGNED_IN)
def want_again(services: WebServices, device_id: str, item_id: str) -> None:
    """Let rules fetch a deleted item again."""
    services.preferences.want_again(person(), device_id, item_id)


@steering.get(f"{DEVICE}/items/{ITEM}/why", role=Role.SIGNED_IN, returns=schemas.Why)
def why(services: WebServices, device_id: str, item_id: str) -> schemas.Why:
    """Explain why an item is on a device, or why it is not."""
    asker = person()
    found = services.preferences.why(asker, device_id, item_id)
    reasons = [
        schemas.HeldFor(
            rule=one.rule,
            account=one.who or asker.name,
            text=one.text,
            release_at=one.release_at,
        )
        for one in found.wanted
    ]
    return schemas.Why(
        is_here=found.is_here,
        status=found.status,
        sentences=list(found.sentences),
        reasons=reasons,
    )


def _undoable(services: WebServices, action: str, reversal: Reversal, files: int) -> Undoable:
    record = services.undo.remember_one(person(), action, reversal, files)
    return Undoable(undo=UndoToken.of(record))
