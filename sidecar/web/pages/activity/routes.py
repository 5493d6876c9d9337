"""`/activity`: what came, went, failed and was confirmed; what was played; and charts.

Each part has an address of its own. The lists are endless: the next part of a list is fetched when
its end comes into view, or by its link.
"""

from __future__ import annotations

from types import MappingProxyType

from flask import Blueprint, render_template, request

from sidecar.services.activity.history import ActivityQuery, Happening
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.activity.charts import bars, height_of
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.view_params import parse_page
from sidecar.web.request.query_params import LARGEST_ID, LONGEST_TEXT
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

PLAYS_ON_A_PAGE = 50
KINDS = MappingProxyType(
    {
        Happening.CAME: (translatable("Downloaded"), "download", "good"),
        Happening.WENT: (translatable("Removed"), "trash-2", "calm"),
        Happening.FAILED: (translatable("Failed"), "triangle-alert", "bad"),
        Happening.AGAIN: (translatable("Downloaded again"), "rotate-cw", "warn"),
        Happening.CONFIRMED: (translatable("Confirmed"), "check", "busy"),
    }
)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    activity = PageRoutes("activity", url_prefix="/activity")

    @activity.get("", role=Role.SIGNED_IN)
    def show() -> str:
        asked = {name: _word(name) for name in ("kind", "device", "account", "q")}
        before = request.args.get("before", "")
        is_number = before.isascii() and before.isdecimal() and len(before) < len(str(LARGEST_ID))
        query = ActivityQuery(
            device_id=asked["device"] or None,
            account=asked["account"] or None,
            kinds=frozenset({Happening(asked["kind"])})
            if asked["kind"] in set(Happening)
            else frozenset(),
            text=asked["q"],
            before=int(before) if is_number else None,
        )
        return render_template(
            "activity/files.html",
            found=services.activity.entries(person(), query),
            asked={name: value for name, value in asked.items() if value},
            is_first=query.before is None,
            **_common(services),
        )

    @activity.get("/plays", role=Role.SIGNED_IN)
    def plays() -> str:
        account = _word("account")
        page = parse_page(request.args.get("page", "1"))
        return render_template(
            "activity/plays.html",
            found=services.playback.plays(person(), account or None, page, PLAYS_ON_A_PAGE),
            asked={"account": account} if account else {},
            **_common(services),
        )

    @activity.get("/charts", role=Role.SIGNED_IN)
    def charts() -> str:
        account = _word("account")
        return render_template(
            "activity/charts.html",
            live=services.activity.speed_now(person()),
            speed=services.activity.speed(person()),
            space=services.activity.space(person()),
            weeks=services.activity.plays(person(), account or None),
            asked={"account": account} if account else {},
            bars=bars,
            height_of=height_of,
            **_common(services),
        )

    @activity.get("/speed", role=Role.SIGNED_IN)
    def speed_now() -> str:
        live = services.activity.speed_now(person())
        return render_template("activity/speed_now.html", live=live, bars=bars)

    return activity.blueprint


def _word(name: str) -> str:
    return request.args.get(name, "")[:LONGEST_TEXT]


def _common(services: WebServices) -> dict[str, object]:
    who = person()
    return {
        "kinds": KINDS,
        "accounts": services.downloads.owners(who),
        "devices": services.devices.devices(who),
    }
