"""`/settings`: what admins may change of the settings, in groups, each one form.

GET  /settings · /settings/GROUP     the groups, and the fields of one
GET  /settings/first-rules           the last step of the first set-up: which rules
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
from sidecar.web.request.setting_fields import read_changes
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

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
            ("server", "database", "redis"),
        ),
        "log": (
            translatable("Log"),
            translatable("What is written down of the sidecar's work."),
            ("log",),
        ),
        "metrics": (
            translatable("Metrics"),
            translatable("What Prometheus reads of the sidecar; Grafana draws it."),
            ("metrics",),
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
        fields = [one for section in _sections(configuration, name) for one in section.settings]
        given = read_changes(fields, request.form, resets=True)
        try:
            configuration.change(given)
        except SettingsRefused as refused:
            return _page(configuration, name, refused)
        return redirect(url_for("settings.group", name=name, saved="yes"), 303)

    @settings.get("/first-rules", role=Role.OWNER)
    def first_rules() -> str:
        return render_template("setup/rules.html", rules=_switches(configuration), words=labels)

    @settings.post("/first-rules", role=Role.OWNER)
    def save_first_rules() -> Response:
        configuration.change(read_changes(_switches(configuration), request.form, resets=True))
        return redirect(url_for("home.show"), 303)

    @settings.post("/restart", role=Role.OWNER)
    def restart() -> Response:
        if configuration.restart is None:
            raise NotVisible
        page = render_template("settings/restarting.html", next=url_for("settings.show"))
        reply = make_response(page)
        reply.call_on_close(configuration.restart)
        return reply

    return settings.blueprint


def _switches(configuration: ConfigurationService) -> list[SettingView]:
    """Return the switch of each rule."""
    return [
        one
        for name in GROUPS["rules"][2]
        for one in configuration.section(name).settings
        if one.key.name == "enabled"
    ]


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
