"""`/api/v1/webhooks`: which programs are told what happens, and whether they take it."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, SecretStr

from sidecar.domain.notifications.webhooks import CHOOSABLE, LONGEST_URL, HookEvent
from sidecar.services.notifications.webhooks.webhooks import Result, WebhookRefused, WebhookView
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import webhooks as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.json_body import Body
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ONE = "/<string(length=32):hook_id>"
webhooks = Endpoints(
    "webhooks_api",
    f"{PREFIX}/webhooks",
    errors={WebhookRefused: Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)},
)

Events = Annotated[
    list[Annotated[HookEvent, Field(strict=False)]],
    Field(min_length=1, max_length=len(CHOOSABLE)),
]


class NewWebhook(Body):
    """Where events are sent, and which."""

    url: Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_URL)]
    events: Events


class WebhookChange(Body):
    """Which events are sent from now on."""

    events: Events


@webhooks.get("", role=Role.OWNER, returns=Listed[schemas.Webhook])
def listed(services: WebServices) -> Sequence[WebhookView]:
    """List the webhooks; of an address only its host is shown."""
    return services.webhooks.all()


@webhooks.post(
    "",
    role=Role.OWNER,
    body=NewWebhook,
    returns=schemas.FreshWebhook,
    status=HTTPStatus.CREATED,
)
def add(services: WebServices, body: NewWebhook) -> schemas.FreshWebhook:
    """Add a webhook; its secret is only in this answer."""
    made, secret = services.webhooks.add(body.url, frozenset(body.events))
    plain = dict(schemas.Webhook.model_validate(made))
    return schemas.FreshWebhook(**plain, secret=secret.get_secret_value())


@webhooks.patch(ONE, role=Role.OWNER, body=WebhookChange)
def change(services: WebServices, hook_id: str, body: WebhookChange) -> None:
    """Change which events a webhook is sent."""
    services.webhooks.change(hook_id, frozenset(body.events))


@webhooks.delete(ONE, role=Role.OWNER)
def remove(services: WebServices, hook_id: str) -> None:
    """Remove a webhook and what waits for it."""
    services.webhooks.remove(hook_id)


@webhooks.post(f"{ONE}/test", role=Role.OWNER, returns=schemas.WebhookResult)
def test(services: WebServices, hook_id: str) -> Result:
    """Send a test to a webhook at once, and say what came of it."""
    return services.webhooks.test(hook_id)
