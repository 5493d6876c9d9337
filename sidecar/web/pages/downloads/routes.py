"""`/downloads`: the downloads page. It works without scripts; they only save reloads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.clock import Clock
from sidecar.domain.downloads.download import MISSING, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.services.activity.history import ActivityQuery
from sidecar.services.downloads.listing import DownloadListing
from sidecar.services.downloads.views import DownloadView
from sidecar.web.api.schemas.base import moment
from sidecar.web.api.schemas.downloads import counts as all_counts
from sidecar.web.i18n import numbers as numbers_i18n
from sidecar.web.i18n import status_labels
from sidecar.web.i18n.languages import Languages
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.activity.routes import KINDS as KINDS_OF_ACTIVITY
from sidecar.web.pages.downloads.groups import (
    GROUPED_FROM,
    RowGroup,
    TitleRow,
    group_rows,
)
from sidecar.web.pages.downloads.view import (
    ROWS_ON_A_PAGE,
    STATUSES,
    DownloadsViewState,
    Group,
    Tab,
    for_page,
    sorts_of,
    tab_of,
)
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security import auth
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

TABS = MappingProxyType(
    {
        Tab.ACTIVE: translatable("Active"),
        Tab.COMPLETED: translatable("Completed"),
        Tab.MISSING: translatable("Missing"),
        Tab.FAILED: translatable("Failed"),
        Tab.REMOVED: translatable("Removed"),
    }
)
KINDS = MappingProxyType(
    {
        Group.MUSIC: translatable("Music"),
        Group.FILMS: translatable("Films"),
        Group.SERIES: translatable("Series"),
        Group.BOOKS: translatable("Audiobooks"),
    }
)
SORTS = MappingProxyType(
    {
        Sort.QUEUE: translatable("Next in the queue first"),
        Sort.NEWEST: translatable("Newest first"),
        Sort.TITLE: translatable("By title"),
        Sort.SIZE: translatable("Largest first"),
    }
)

HEADINGS = MappingProxyType(
    {
        Sort.QUEUE: translatable("Status"),
        Sort.NEWEST: translatable("Newest"),
        Sort.TITLE: translatable("Title"),
        Sort.SIZE: translatable("Size"),
    }
)
# Offered in the header, in bytes a second.
SPEED_LIMITS = (250_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 25_000_000)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    listing = services.downloads
    pages = PageRoutes("pages")

    @pages.get("/downloads", role=Role.SIGNED_IN)
    def downloads() -> Response | str:
        row = request.args.get("toggle", type=int)
        if row is None:
            return _downloads(services)
        shown = for_page(request.args).toggled(row)
        return redirect(url_for("pages.downloads", **shown.args, _anchor=f"download-{row}"), 303)

    @pages.get("/downloads/<int:download_id>", role=Role.SIGNED_IN)
    def download(download_id: int) -> Response:
        return redirect(_in_view(listing, download_id), 303)

    @pages.get("/downloads/<int:download_id>/details", role=Role.SIGNED_IN)
    def details(download_id: int) -> str:
        """Return what the row of a download shows when it is opened, and nothing else."""
        shown = for_page(request.args)
        found = listing.title(auth.person(), shown.query, download_id)
        return render_template("downloads/opened.html", row=TitleRow(found), shown=shown)

    @pages.get("/downloads/<int:download_id>/history", role=Role.SIGNED_IN)
    def history(download_id: int) -> str:
        download = listing.download(auth.person(), download_id)
        asked = ActivityQuery(device_id=download.device_id, item_id=download.item_id)
        found = services.activity.entries(auth.person(), asked).items
        return render_template(
            "downloads/history.html",
            download=download,
            since=[one for one in found if one.at >= download.queued_at],
            before=[one for one in found if one.at < download.queued_at],
            kinds=KINDS_OF_ACTIVITY,
            back=url_for("pages.downloads", **for_page(request.args).args),
        )

    return pages.blueprint


def _in_view(listing: DownloadListing, download_id: int) -> str:
    """Return the URL of the list page that has this download."""
    person = auth.person()
    found = listing.download(person, download_id)
    shown = DownloadsViewState().under(tab_of(found))
    rank = listing.rank(person, shown.query, download_id) or 1
    shown = shown.at(math.ceil(rank / shown.rows))
    return url_for("pages.downloads", **shown.args, _anchor=f"download-{download_id}")


def _downloads(services: WebServices) -> str:
    listing, person, shown = services.downloads, auth.person(), for_page(request.args)
    counts = listing.counts(person)
    fitting = listing.counts(person, replace(shown.query, statuses=frozenset(), missing=False))
    found = listing.titles(person, shown.query)
    if not found.rows and shown.page > 1:
        # The list has become shorter while the page was open: show its last page.
        shown = shown.at(max(1, math.ceil(found.total / shown.rows)))
        found = listing.titles(person, shown.query)
    rows = [TitleRow(one) for one in found.rows]
    is_grouped = found.total >= GROUPED_FROM if shown.is_grouped is None else shown.is_grouped
    devices = services.devices.devices(person)
    notices = services.notices.notices(person)
    transfers = services.transfers.transfers(person) if person.is_admin else None
    limit = transfers.speed_limit if transfers else None
    running = [
        one
        for one in listing.progress()
        if person.is_admin or person.user_id in listing.viewers(one.download_id)
    ]
    return render_template(
        "downloads/downloads.html",
        shown=shown,
        tabs=_tabs(shown, fitting),
        tab_words=TABS,
        owners=listing.owners(person),
        kinds=KINDS,
        sorts={one: word for one, word in SORTS.items() if one in sorts_of(shown.tab)},
        column_sorts=_column_sorts(shown),
        rows_on_a_page=ROWS_ON_A_PAGE,
        states=[
            (one, status_labels.PLAIN[one].word) for one in Status if one in STATUSES[shown.tab]
        ],
        device_choices=[(one.id, one.name) for one in devices],
        found=found,
        groups=group_rows(rows) if is_grouped else [RowGroup("", [one]) for one in rows],
        is_grouped=is_grouped,
        # There is another row to move one before or behind.
        can_move=shown.sort is Sort.QUEUE and sum(bool(one.waiting) for one in rows) > 1,
        transfers=transfers,
        speed_limits=sorted({*SPEED_LIMITS, limit} if limit else SPEED_LIMITS),
        counts=all_counts(counts),
        total_speed=sum(one.speed for one in running),
        bytes_waiting=listing.bytes_waiting(person),
        bytes_running=sum(max((one.size or 0) - one.bytes_held, 0) for one in running),
        devices=devices,
        notices=notices,
        hindered=status_labels.hindrance(notices),
    )


def _tabs(shown: DownloadsViewState, fitting: Mapping[str, int]) -> list[tuple[Tab, int]]:
    """Return the tabs with their counts; the missing tab only if it has files or is selected."""
    numbers = {tab: sum(fitting.get(one, 0) for one in STATUSES[tab]) for tab in Tab}
    numbers[Tab.MISSING] = fitting.get(MISSING, 0)
    needed = numbers[Tab.MISSING] or shown.tab is Tab.MISSING
    return [(tab, number) for tab, number in numbers.items() if needed or tab is not Tab.MISSING]


def _column_sorts(shown: DownloadsViewState) -> list[tuple[Sort, str, str]]:
    """Return the orders that the headings of the columns lead to, and where they stand."""
    first = (Sort.QUEUE, "state") if shown.tab is Tab.ACTIVE else (Sort.NEWEST, "state")
    return [
        (one, area, HEADINGS[one])
        for one, area in ((Sort.TITLE, "what"), first, (Sort.SIZE, "facts"))
    ]


def _as_sentence(text: str) -> str:
    """Return a translated text with a full stop, if it does not end a sentence yet."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def give_words(app: Flask, clock: Clock) -> None:
    """Add filters and globals for translations, numbers, times and statuses to the templates."""
    languages = Languages()
    languages.teach(app)

    def _standing(view: DownloadView) -> status_labels.StatusLabel:
        return status_labels.standing(view, clock.now())

    def _files_missing(number: int) -> str:
        text = languages.counted("%(num)s file is missing", "%(num)s files are missing", number)
        return text % {"num": languages.words().number(number)}

    def _ago(at: datetime) -> str:
        return languages.words().ago(at, clock.now())

    def _ahead(at: datetime) -> str:
        return languages.words().ahead(at, clock.now())

    app.jinja_env.filters |= {
        "ago": _ago,
        "ahead": _ahead,
        "as_sentence": _as_sentence,
        "clock": numbers_i18n.clock,
        "day": lambda day: languages.words().day(day),
        "files_missing": _files_missing,
        "moment": moment,
        "number": lambda number: languages.words().number(number),
        "percent": numbers_i18n.percent,
        "reason_icon": status_labels.reason_icon,
        "seconds": lambda amount: languages.words().seconds(amount),
        "share": lambda part: languages.words().share(part),
        "size": lambda octets: languages.words().size(octets),
        "speed": lambda octets: languages.words().speed(octets),
        "standing": _standing,
        "type_icon": status_labels.type_icon,
    }

    def _in_future(at: datetime) -> bool:
        return at > clock.now()

    app.jinja_env.tests |= {"in_future": _in_future}
    # Not every application has every page (`web.starting`): templates check before they link.
    app.jinja_env.globals |= {
        "asker": auth.asker,
        "csrf_token": auth.csrf_token,
        "has_page": app.view_functions.__contains__,
    }
