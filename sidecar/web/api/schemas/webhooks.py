"""Answers about webhooks."""

from sidecar.domain.notifications.webhooks import HookEvent
from sidecar.web.api.schemas.base import Moment, Schema


class WebhookResult(Schema):
    """What came of an attempt to send an event."""

    at: Moment
    event: str
    is_taken: bool
    text: str


class Webhook(Schema):
    """A webhook: how many events wait for it, and were given up since the start."""

    id: str
    host: str
    events: list[HookEvent]
    waiting: int
    lost: int
    last: WebhookResult | None


class FreshWebhook(Webhook):
    """A new webhook with the secret that signs what is sent, which is not shown again."""

    secret: str
