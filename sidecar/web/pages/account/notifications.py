"""`/profile/notifications`: what a person is told outside of the page, and where."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from pydantic import SecretStr
from werkzeug.wrappers import Response

from sidecar.domain.addresses import LONGEST
from sidecar.domain.notifications import Kind
from sidecar.services.notifications.preferences import NotificationRefused
from sidecar.web.i18n.languages import Languages
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

LONGEST_HOURS = 200
TITLES = MappingProxyType(
    {
        Kind.READY: translatable("New files are on a device, and no more are on the way"),
        Kind.FULL: translatable("A device is full"),
        Kind.QUESTION: translatable("A question waits for my answer"),
        Kind.FAILED: translatable("Files could not be downloaded"),
        Kind.SERVER: translatable("Jellyfin has been away for a quarter of an hour"),
        Kind.SIGN_IN: translatable("Jellyfin has signed me out"),
        Kind.BACKUP: translatable("The nightly backup failed"),
        Kind.WEEKLY: translatable("On Mondays, what came and went in the week"),
    }
)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    own = PageRoutes("notifications", url_prefix="/profile/notifications")
    preferences = services.notifications

    @own.get("", role=Role.SIGNED_IN)
    def show() -> Response:
        return _page(services)

    @own.post("", role=Role.SIGNED_IN)
    def save() -> Response:
        known = {str(one): one for one in Kind}
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

    @own.post("/addresses/<int(max=99):number>/remove", role=Role.SIGNED_IN)
    def remove(number: int) -> Response:
        preferences.remove(person(), number)
        return redirect(url_for("notifications.show", saved="yes"), 303)

    @own.post("/test", role=Role.SIGNED_IN)
    def test() -> Response:
        try:
            refused_by = services.notifier.test(person())
        except NotificationRefused as refused:
            return _page(services, refused)
        return _page(services, tested=True, refused_by=", ".join(refused_by))

    return own.blueprint


def _page(
    services: WebServices,
    refused: NotificationRefused | None = None,
    *,
    tested: bool = False,
    refused_by: str = "",
) -> Response:
    page = render_template(
        "account/notifications.html",
        own=services.notifications.view(person()),
        titles=TITLES,
        refused=refused,
        tested=tested,
        refused_by=refused_by,
        saved=request.args.get("saved") == "yes",
        typed=request.form.get("quiet") if refused else None,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)
