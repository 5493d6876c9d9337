"""`/help`, `/about`, `/keys`: documentation, versions and licences, and the keyboard.

The `?` of each page is rendered by the layout from `topics`; its full text is here.
"""

from __future__ import annotations

import platform
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from flask import Blueprint, Flask, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from sidecar import __version__
from sidecar.errors import NotVisible
from sidecar.web import redirects
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.help import documents, topics
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.cookies import A_YEAR_S, set_cookie
from sidecar.web.security.permissions import Role

DISTRIBUTION = "jellyfin-sidecar"
NAME = re.compile(r"[A-Za-z0-9._-]+")
COOKIE = "sidecar_keys"
OFF = "off"
# The pages that everybody has, by their names in the navigation.
PAGES = (
    ("home.show", translatable("Home"), topics.HOME),
    ("pages.downloads", translatable("Downloads"), topics.DOWNLOADS),
    ("library.start", translatable("Library"), topics.LIBRARY),
    ("offline_page.show", translatable("On devices"), topics.OFFLINE),
    ("plans.devices", translatable("Devices"), topics.DEVICES),
    ("plays.now_page", translatable("Now playing"), topics.PLAYING),
    ("activity.show", translatable("Activity"), topics.ACTIVITY),
)
# What `static/js/keyboard.js` does.
KEYS = (
    ("?", translatable("Show these keys")),
    ("/", translatable("Search")),
    ("j", translatable("Next row")),
    ("k", translatable("Previous row")),
    (translatable("Space bar"), translatable("Select the row")),
    ("Enter", translatable("Open the row")),
    ("Esc", translatable("Close, or leave the field")),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A library that the sidecar uses."""

    name: str
    version: str
    licence: str


def routes() -> Blueprint:
    """Return the routes."""
    pages = PageRoutes("help")

    @pages.get("/help", role=Role.SIGNED_IN)
    def start() -> str:
        return render_template(
            "help/help.html", titles=documents.titles(), document=None, pages=PAGES
        )

    @pages.get("/help/<string(maxlength=40):document_name>", role=Role.SIGNED_IN)
    def document(document_name: str) -> str | Response:
        file = documents.linked_file(document_name)
        if file is not None:
            return send_file(file, mimetype="text/plain", as_attachment=True)
        found = documents.document(document_name)
        if found is None:
            raise NotVisible
        return render_template("help/help.html", titles=documents.titles(), document=found)

    @pages.get("/about", role=Role.SIGNED_IN)
    def about() -> str:
        return render_template(
            "help/about.html",
            version=__version__,
            python=platform.python_version(),
            sqlite=sqlite3.sqlite_version,
            parts=parts(),
        )

    @pages.get("/keys", role=Role.SIGNED_IN)
    def keys() -> str:
        return render_template("help/keys.html", keys=KEYS, are_off=_are_off())

    @pages.post("/keys", role=Role.SIGNED_IN)
    def switch_keys() -> Response:
        path = url_for("home.show")
        reply = redirect(redirects.safe_target(url_for("help.keys")), 303)
        if request.form.get("keys") == OFF:
            set_cookie(reply, COOKIE, OFF, path=path, lasts_s=A_YEAR_S)
        else:
            reply.delete_cookie(COOKIE, path=path)
        return reply

    return pages.blueprint


def teach(app: Flask) -> None:
    """Add `page_topic()` and `keys_are_off()` to the templates."""
    app.jinja_env.globals |= {
        "page_topic": lambda: topics.topic(request.endpoint),
        "keys_are_off": _are_off,
    }


def _are_off() -> bool:
    return request.cookies.get(COOKIE) == OFF


def parts() -> Sequence[Part]:
    """Return the Python libraries that the sidecar needs, with what their packages say of them."""
    try:
        needed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return ()
    names = [found[0] for one in needed if "extra ==" not in one and (found := NAME.match(one))]
    return [_part(one) for one in sorted(names, key=str.casefold)]


def _part(name: str) -> Part:
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return Part(name, "", "")
    said = told.get_all("License-Expression") or [
        one.rpartition("::")[2].strip()
        for one in told.get_all("Classifier") or ()
        if one.startswith("License ::")
    ]
    said = said or told.get_all("License") or []
    return Part(name, metadata.version(name), ", ".join(one.splitlines()[0] for one in said if one))
