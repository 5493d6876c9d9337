"""Answers about notifications."""

from sidecar.domain.notifications.notifications import NotificationKind
from sidecar.web.api.schemas.base import Moment, Schema


class Notifications(Schema):
    """What you are told of outside of the page; of an address only its service is shown."""

    is_installed: bool
    offered: list[NotificationKind]
    kinds: list[NotificationKind]
    quiet: list[str]
    services: list[str]
    browsers: int
    sent_at: Moment | None


class TestSent(Schema):
    """A test message was sent: which services did not take it."""

    refused_by: list[str]
