"""`/admin/checks`: runs the checks of the set-up, and says the way out of whatever is wrong."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sidecar.services.operations.doctor import Place
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

# Where each place is, and what its link says.
PLACES = {
    Place.SETTINGS: ("settings.show", translatable("Open the settings")),
    Place.SERVER: ("identity.server", translatable("Which server is the right one?")),
    Place.DEVICES: ("plans.devices", translatable("Open the devices")),
    Place.PROFILE: ("profile.show", translatable("Open the profile")),
    Place.ADMIN: ("admin.show", translatable("Open Admin")),
    Place.LOG: ("log.show", translatable("Open the log")),
}


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    checks = PageRoutes("checks", url_prefix="/admin/checks")

    @checks.get("", role=Role.OWNER)
    def show() -> str:
        return render_template("admin/checks.html", found=services.doctor.now(), places=PLACES)

    @checks.post("", role=Role.OWNER)
    def begin() -> Response:
        services.doctor.begin()
        return redirect(url_for("checks.show"), 303)

    return checks.blueprint
