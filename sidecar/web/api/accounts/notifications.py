"""`/api/v1/notifications`: what you are told outside of the page, and where."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field, SecretStr

from sidecar.domain.notifications.addresses import LONGEST
from sidecar.domain.notifications.notifications import NotificationKind
from sidecar.services.notifications.preferences import NotificationRefused, NotificationsView
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import notifications as schemas
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

REFUSED = Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)
notifications = Endpoints(
    "notifications_api", f"{PREFIX}/notifications", errors={NotificationRefused: REFUSED}
)


class NotificationsChange(Body):
    """What you are told of, and hours such as "22:00-06:30"; what is left out stays."""

    kinds: (
        Annotated[list[Annotated[NotificationKind, Field(strict=False)]], Field(max_length=20)]
        | None
    ) = None
    quiet: Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=10)] | None = None


class NewAddress(Body):
    """The address of a service, as Apprise writes it."""

    url: Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]


@notifications.get("", role=Role.SIGNED_IN, returns=schemas.Notifications)
def show(services: WebServices) -> NotificationsView:
    """Show what you are told of outside of the page."""
    return services.notifications.view(person())


@notifications.patch(
    "", role=Role.SIGNED_IN, body=NotificationsChange, returns=schemas.Notifications
)
def change(services: WebServices, body: NotificationsChange) -> NotificationsView:
    """Change what you are told of, and when."""
    now = services.notifications.view(person())
    services.notifications.change(
        person(),
        kinds=now.kinds if body.kinds is None else body.kinds,
        quiet=now.quiet if body.quiet is None else body.quiet,
        language=services.notifications.chosen(person().user_id).language,
    )
    return services.notifications.view(person())


@notifications.post(
    "/addresses",
    role=Role.SIGNED_IN,
    body=NewAddress,
    returns=schemas.Notifications,
    status=HTTPStatus.CREATED,
)
def add(services: WebServices, body: NewAddress) -> NotificationsView:
    """Add an address; only admins may name a server of their own."""
    language = services.notifications.chosen(person().user_id).language
    services.notifications.add(person(), body.url, language=language)
    return services.notifications.view(person())


@notifications.delete("/addresses/<int:number>", role=Role.SIGNED_IN)
def remove(services: WebServices, number: int) -> None:
    """Remove an address by its place in `services`, from 1."""
    services.notifications.remove(person(), number)


@notifications.post("/test", role=Role.SIGNED_IN, returns=schemas.TestSent)
def test(services: WebServices) -> schemas.TestSent:
    """Send a test to each of your addresses, and wait for the answers."""
    return schemas.TestSent(refused_by=list(services.notifier.test(person())))
