"""`/settings`: what admins may change of the settings, in groups, each one form.

GET  /settings · /settings/GROUP     the groups, and the fields of one
POST /settings/GROUP                 saves what differs; refuses all or nothing
POST /settings/restart               starts the sidecar again
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.config.page import SECTIONS
from sidecar.config.schema import KeyKind
from sidecar.errors import NotVisible
from sidecar.services.configuration.service import (
    ConfigurationService,
    SectionView,
    SettingsRefused,
    SettingView,
)
from sidecar.web.i18n import labels
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

LONGEST_VALUE = 1000
# The groups in their order: name, title, what they are about, the sections in them.
GROUPS: Mapping[str, tuple[str, str, tuple[str, ...]]] = MappingProxyType(
    {
        "jellyfin": (
            translatable("Jellyfin"),
            translatable("The server that everything comes from."),
            ("jellyfin",),
        ),
        "downloads": (
            translatable("Downloads"),
            translatable("How fast and how many, and what moves the bytes."),
            ("transfer", "transfer.aria2"),
        ),
        "network": (
            translatable("Network and hours"),
            translatable("When and over what files are downloaded automatically."),
            ("network",),
        ),
        "rules": (
            translatable("Rules"),
            translatable("What is downloaded automatically. Each device can differ on its page."),
            tuple(one for one in SECTIONS if one.startswith("rules.")),
        ),
        "syncthing": (
            translatable("Syncthing"),
            translatable("Shows what has arrived on the phones that Syncthing carries files to."),
            ("syncthing",),
        ),
        "backup": (
            translatable("Backups"),
            translatable("Copies of everything that the sidecar knows, to restore it elsewhere."),
            ("backup",),
        ),
        "server": (
            translatable("This page"),
            translatable("Where this page is reached. A wrong value here can lock you out."),
            ("server",),
        ),
        "log": (
            translatable("Log"),
            translatable("What is written down of the sidecar's work."),
            ("log",),
        ),
    }
)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    configuration = services.configuration
    settings = PageRoutes("settings", url_prefix="/settings")

    @settings.get("", role=Role.OWNER)
    def show() -> Response:
        return redirect(url_for("settings.group", name=next(iter(GROUPS))), 303)

    @settings.get("/<string(maxlength=40):name>", role=Role.OWNER)
    def group(name: str) -> Response:
        return _page(configuration, name)

    @settings.post("/<string(maxlength=40):name>", role=Role.OWNER)
    def save(name: str) -> Response:
        given = {
            place: value
            for section in _sections(configuration, name)
            for place, value in _given(section).items()
        }
        try:
            configuration.change(given)
        except SettingsRefused as refused:
            return _page(configuration, name, refused)
        return redirect(url_for("settings.group", name=name, saved="yes"), 303)

    @settings.post("/restart", role=Role.OWNER)
    def restart() -> Response:
        if configuration.restart is None:
            raise NotVisible
        page = render_template("settings/restarting.html", next=url_for("settings.show"))
        reply = make_response(page)
        reply.call_on_close(configuration.restart)
        return reply

    return settings.blueprint


def _page(
    configuration: ConfigurationService, name: str, refused: SettingsRefused | None = None
) -> Response:
    page = render_template(
        "settings/settings.html",
        groups=GROUPS,
        name=name,
        sections=_sections(configuration, name),
        refused=refused,
        saved=request.args.get("saved") == "yes",
        typed=request.form,
        waits=configuration.waits_for_restart(),
        can_restart=configuration.restart is not None,
        words=labels,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _sections(configuration: ConfigurationService, name: str) -> list[SectionView]:
    if name not in GROUPS:
        raise NotVisible
    return [configuration.section(one) for one in GROUPS[name][2]]


def _given(section: SectionView) -> dict[str, object]:
    """Return what the form changes in a section; what is locked is not in the form."""
    given: dict[str, object] = {}
    for one in section.settings:
        has_field = one.place in request.form or one.key.kind is KeyKind.SWITCH
        if one.is_locked or not has_field:
            continue
        value = read_field(one, request.form.get(one.place, "")[:LONGEST_VALUE].strip())
        if one.key.kind is KeyKind.SECRET:
            if f"{one.place}-forget" in request.form:
                given[one.place] = None
            elif value is not None:
                given[one.place] = value
        elif value != _plain(one):
            # What is as it would be without the page is no setting of the page.
            is_default = value == _plain(one, one.default)
            given[one.place] = None if is_default else value
    return given


def read_field(one: SettingView, text: str) -> object:
    """Convert a field's text to the value of the settings file; an empty field is none."""
    match one.key.kind:
        case KeyKind.SWITCH:
            return text == "on"
        case KeyKind.NUMBER if text.isascii() and text.removeprefix("-").isdecimal():
            return int(text)
        case KeyKind.SIZE if text and text == labels.size(one.value):
            return one.value
        case KeyKind.LIST:
            return [part.strip() for part in text.split(",") if part.strip()] or None
        case _:
            return text or None


def _plain(one: SettingView, value: object = ...) -> object:
    """Return a value in the form that `read_field` gives it."""
    shown = one.value if value is ... else value
    if one.key.kind is KeyKind.LIST:
        return [part.strip() for part in str(shown or "").split(",") if part.strip()] or None
    return None if shown == "" else shown
