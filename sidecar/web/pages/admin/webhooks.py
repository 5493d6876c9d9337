"""`/admin/webhooks`: which programs are told what happens, and whether they take it."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from pydantic import SecretStr
from werkzeug.wrappers import Response

from sidecar.domain.notifications.webhooks import LONGEST_URL, HookEvent, find_events
from sidecar.services.notifications.webhooks.webhooks import Result, WebhookRefused
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

TITLES = MappingProxyType(
    {
        HookEvent.DOWNLOAD_COMPLETED: translatable("A file has come to a device"),
        HookEvent.DOWNLOAD_FAILED: translatable("A file could not be downloaded"),
        HookEvent.DOWNLOAD_REMOVED: translatable("A file was removed from a device"),
        HookEvent.DEVICE_READY: translatable(
            "New files are on a device, and no more are on the way"
        ),
        HookEvent.DEVICE_ATTACHED: translatable("A device was plugged in"),
        HookEvent.DEVICE_DETACHED: translatable("A device was unplugged"),
        HookEvent.PROBLEM_BEGAN: translatable(
            "A problem began: Jellyfin is away, a device is full"
        ),
        HookEvent.PROBLEM_ENDED: translatable("A problem is over"),
    }
)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    hooks = PageRoutes("webhooks", url_prefix="/admin/webhooks")
    kept = services.webhooks

    @hooks.get("", role=Role.OWNER)
    def show() -> Response:
        return _page(services)

    @hooks.post("", role=Role.OWNER)
    def add() -> Response:
        url = SecretStr(request.form.get("url", "")[: LONGEST_URL + 1])
        try:
            _, secret = kept.add(url, find_events(request.form.getlist("events")))
        except WebhookRefused as refused:
            return _page(services, refused)
        return _page(services, fresh=secret.get_secret_value())

    @hooks.post("/<string(length=32):hook_id>/events", role=Role.OWNER)
    def change(hook_id: str) -> Response:
        try:
            kept.change(hook_id, find_events(request.form.getlist("events")))
        except WebhookRefused as refused:
            return _page(services, refused)
        return redirect(url_for("webhooks.show", saved="yes"), 303)

    @hooks.post("/<string(length=32):hook_id>/remove", role=Role.OWNER)
    def remove(hook_id: str) -> Response:
        kept.remove(hook_id)
        return redirect(url_for("webhooks.show", saved="yes"), 303)

    @hooks.post("/<string(length=32):hook_id>/test", role=Role.OWNER)
    def test(hook_id: str) -> Response:
        try:
            tested = kept.test(hook_id)
        except WebhookRefused as refused:
            return _page(services, refused)
        return _page(services, tested=tested)

    return hooks.blueprint


def _page(
    services: WebServices,
    refused: WebhookRefused | None = None,
    *,
    fresh: str | None = None,
    tested: Result | None = None,
) -> Response:
    page = render_template(
        "admin/webhooks.html",
        hooks=services.webhooks.all(),
        titles=TITLES,
        refused=refused,
        fresh=fresh,
        tested=tested,
        saved=request.args.get("saved") == "yes",
    )
    status = HTTPStatus.CREATED if fresh else HTTPStatus.OK
    made = make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else status)
    if fresh:
        made.headers["Cache-Control"] = "no-store"
    return made
