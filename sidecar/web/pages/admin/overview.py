"""`/admin`: accounts and system status, for admins alone."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.web.i18n import labels
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import own_secret, person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    people, hood, transfers = services.users, services.system, services.transfers
    admin = PageRoutes("admin", url_prefix="/admin")

    @admin.get("", role=Role.ADMIN)
    def show() -> str:
        return render_template(
            "admin/overview.html",
            accounts=people.accounts(person()),
            sessions=people.sessions(person(), own_secret()),
            hood=hood.view(),
            backups=services.backups.view(),
            backup_files=services.backups.files(),
            transfers=transfers.transfers(person()),
            words=labels,
        )

    @admin.post("/accounts/<string(length=32):user_id>/try", role=Role.ADMIN)
    def try_again(user_id: str) -> Response:
        people.try_again(person(), user_id)
        return redirect(url_for("admin.show"), 303)

    @admin.post("/transfers", role=Role.ADMIN)
    def change() -> Response:
        asked = request.form.get("paused", "")
        if asked not in {"yes", "no"}:
            raise ApiError(HTTPStatus.BAD_REQUEST)
        transfers.pause(paused=asked == "yes")
        return redirect(url_for("admin.show"), 303)

    @admin.post("/backup", role=Role.ADMIN)
    def back_up() -> Response:
        services.backups.make()
        return redirect(url_for("admin.show"), 303)

    return admin.blueprint
