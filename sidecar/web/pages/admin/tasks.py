"""`/admin/tasks`: what is done regularly, how its last run ended, and a button to do it now."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.errors import NotVisible
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    tasks = PageRoutes("tasks", url_prefix="/admin/tasks")

    @tasks.get("", role=Role.ADMIN)
    def show() -> str:
        return render_template("admin/tasks.html", tasks=services.tasks.all())

    @tasks.post("", role=Role.ADMIN)
    def run() -> Response:
        # One that is not there any more is not listed either.
        with suppress(NotVisible):
            services.tasks.run_now(request.form.get("task", ""))
        return redirect(url_for("tasks.show"), 303)

    return tasks.blueprint
