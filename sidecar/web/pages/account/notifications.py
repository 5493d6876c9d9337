"""`/profile/notifications`: what a person is told outside of the page, and where."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from pydantic import Field, SecretStr
from werkzeug.wrappers import Response

from sidecar.domain.notifications.addresses import LONGEST
from sidecar.domain.notifications.notifications import NotificationKind
from sidecar.outgoing import web_push
from sidecar.outgoing.web_push import Subscription
from sidecar.services.notifications.preferences import NotificationRefused
from sidecar.web.i18n.languages import Languages
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body, read
from sidecar.web.security.auth import own_secret, person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

LONGEST_HOURS = 200
NO_BROWSER = translatable("Only a browser that is signed in can be told.")
TITLES = MappingProxyType(
    {
        NotificationKind.READY: translatable(
            "New files are on a device, and no more are on the way"
        ),
        NotificationKind.FULL: translatable("A device is full"),
        NotificationKind.QUESTION: translatable("A question waits for my answer"),
        NotificationKind.FAILED: translatable("Files could not be downloaded"),
        NotificationKind.SERVER: translatable("Jellyfin has been away for a quarter of an hour"),
        NotificationKind.SIGN_IN: translatable("Jellyfin has signed me out"),
        NotificationKind.BACKUP: translatable("The nightly backup failed"),
        NotificationKind.WEEKLY: translatable("On Mondays, what came and went in the week"),
    }
)


class BrowserBody(Body):
    """The subscription that a browser has made at its push service."""

    endpoint: Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]
    p256dh: Annotated[str, Field(max_length=200)]
    auth: Annotated[str, Field(max_length=100)]


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    own = PageRoutes("notifications", url_prefix="/profile/notifications")
    preferences = services.notifications

    @own.get("", role=Role.SIGNED_IN)
    def show() -> Response:
        return _page(services)

    @own.post("", role=Role.SIGNED_IN)
    def save() -> Response:
        known = {str(one): one for one in NotificationKind}
        hours = request.form.get("quiet", "")[:LONGEST_HOURS]
        try:
            preferences.change(
                person(),
                kinds=[known[one] for one in request.form.getlist("kinds") if one in known],
                quiet=[one.strip() for one in hours.split(",") if one.strip()],
                language=Languages().now(),
            )
        except NotificationRefused as refused:
            return _page(services, refused)
        return redirect(url_for("notifications.show", saved="yes"), 303)

    @own.post("/addresses", role=Role.SIGNED_IN)
    def add() -> Response:
        url = SecretStr(request.form.get("url", "")[: LONGEST + 1])
        try:
            preferences.add(person(), url, language=Languages().now())
        except NotificationRefused as refused:
            return _page(services, refused)
        return redirect(url_for("notifications.show", saved="yes"), 303)

    @own.post("/addresses/<int:number>/remove", role=Role.SIGNED_IN)
    def remove(number: int) -> Response:
        preferences.remove(person(), number)
        return redirect(url_for("notifications.show", saved="yes"), 303)

    @own.post("/test", role=Role.SIGNED_IN)
    def test() -> Response:
        try:
            refused_by = services.notifier.test(person())
        except NotificationRefused as refused:
            return _page(services, refused)
        return _page(services, tested=True, refused_by=refused_by)

    _browser(own, services)
    return own.blueprint


def _browser(own: PageRoutes, services: WebServices) -> None:
    @own.post("/browser", role=Role.SIGNED_IN)
    def begin_browser() -> Response:
        told, secret = read(BrowserBody), own_secret()
        if secret is None:
            raise ApiError(HTTPStatus.CONFLICT, NO_BROWSER)
        try:
            keys = web_push.from_text(told.p256dh), web_push.from_text(told.auth)
            subscription = Subscription(told.endpoint, *keys)
            services.notifications.add_browser(
                person(), secret, subscription, language=Languages().now()
            )
        except (NotificationRefused, ValueError) as refused:
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused)) from None
        return Response(status=HTTPStatus.NO_CONTENT)

    @own.post("/browser/end", role=Role.SIGNED_IN)
    def end_browser() -> Response:
        secret = own_secret()
        if secret is not None:
            services.push.unsubscribe(secret)
        return redirect(url_for("notifications.show", saved="yes"), 303)


def _page(
    services: WebServices,
    refused: NotificationRefused | None = None,
    *,
    tested: bool = False,
    refused_by: Sequence[str] = (),
) -> Response:
    page = render_template(
        "account/notifications.html",
        own=services.notifications.view(person()),
        titles=TITLES,
        push_key=services.push.public_key(),
        is_on=services.push.is_on(own_secret() or ""),
        refused=refused,
        tested=tested,
        refused_by=refused_by,
        saved=request.args.get("saved") == "yes",
        typed=request.form.get("quiet") if refused else None,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)
