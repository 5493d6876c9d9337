"""`/library/filters`: saved filters of the library, kept in sync on devices.

GET  /library/filters · …/new · …/ID      all of them · the form of a new one · of one
GET  /library/filters/count               how much a filter matches, for the form and the list
POST /library/filters · …/ID              save · …/ID/delete · …/ID/sync
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import (
    FIRST_YEAR,
    LAST_YEAR,
    SELECTABLE,
    Named,
    Selection,
    SelectionOrder,
)
from sidecar.errors import JellyfinError, NotPossible
from sidecar.messages import msg
from sidecar.services.rules.selections.selections import SelectionView
from sidecar.web.actions import MOST_VALUES
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.query_params import ITEM_ID, LONGEST_TEXT
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ID = "<string(length=32):selection_id>"
GB, HOUR = 1_000_000_000, 3600
KIND_WORDS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.TRACK: translatable("Tracks"),
        Kind.AUDIOBOOK: translatable("Audiobooks"),
        Kind.FILM: translatable("Films"),
        Kind.EPISODE: translatable("Episodes"),
        Kind.MUSIC_VIDEO: translatable("Music videos"),
        Kind.VIDEO: translatable("Videos"),
    }
)
ORDER_WORDS: Mapping[SelectionOrder, str] = MappingProxyType(
    {
        SelectionOrder.NAME: translatable("By name"),
        SelectionOrder.ADDED: translatable("Newest in Jellyfin first"),
        SelectionOrder.YEAR: translatable("Newest year first"),
        SelectionOrder.UNHEARD: translatable("Longest not played first"),
        SelectionOrder.HEARD: translatable("Most played first"),
        SelectionOrder.RATING: translatable("Best rated first"),
        SelectionOrder.SHUFFLED: translatable("Shuffled"),
    }
)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    pages = PageRoutes("selections", url_prefix="/library/filters")

    @pages.get("", role=Role.SIGNED_IN)
    def start() -> str:
        return render_template(
            "library/selections.html",
            saved=services.selections.all_of(person()),
            devices=services.devices.devices(person()),
        )

    @pages.get("/new", role=Role.SIGNED_IN)
    def new() -> Response:
        return _form(services, request.args)

    @pages.get(f"/{ID}", role=Role.SIGNED_IN)
    def show(selection_id: str) -> Response:
        view = services.selections.get(person(), selection_id)
        return _form(services, to_form(view.saved.name, view.saved.asked), view)

    @pages.get("/count", role=Role.SIGNED_IN)
    def count() -> str:
        return _count(services, request.args)

    @pages.get(f"/{ID}/count", role=Role.SIGNED_IN)
    def count_saved(selection_id: str) -> str:
        saved = services.selections.get(person(), selection_id).saved
        return _count(services, to_form(saved.name, saved.asked))

    _changes(pages, services)
    return pages.blueprint


def _changes(pages: PageRoutes, services: WebServices) -> None:
    @pages.post("", role=Role.SIGNED_IN)
    def create() -> Response:
        return _save(services, None)

    @pages.post(f"/{ID}", role=Role.SIGNED_IN)
    def change(selection_id: str) -> Response:
        return _save(services, services.selections.get(person(), selection_id))

    @pages.post(f"/{ID}/delete", role=Role.SIGNED_IN)
    def delete(selection_id: str) -> Response:
        services.selections.delete(person(), selection_id)
        return redirect(url_for("selections.start"), 303)

    @pages.post(f"/{ID}/sync", role=Role.SIGNED_IN)
    def sync(selection_id: str) -> Response:
        device_id = request.form.get("device", "")[:LONGEST_TEXT]
        is_on = request.form.get("value") == "on"
        act = services.selections.keep if is_on else services.selections.drop
        act(person(), device_id, selection_id)
        return redirect(url_for("selections.start", _anchor=f"filter-{selection_id}"), 303)


def _save(services: WebServices, view: SelectionView | None) -> Response:
    try:
        asked = read_form(request.form)
        name = request.form.get("name", "")[:LONGEST_TEXT]
        selection_id = view.saved.id if view else None
        saved = services.selections.save(person(), name, asked, selection_id)
    except (NotPossible, JellyfinError) as refused:
        return _form(services, request.form, view, refused)
    return redirect(url_for("selections.start", _anchor=f"filter-{saved.id}"), 303)


def _form(
    services: WebServices,
    typed: MultiDict[str, str],
    view: SelectionView | None = None,
    refused: Exception | None = None,
) -> Response:
    who = person()
    chosen = tuple(one for one in typed.getlist("library") if ITEM_ID.fullmatch(one))
    try:
        libraries = services.selections.libraries(who)
    except JellyfinError:
        libraries = view.saved.asked.libraries if view else ()
    page = render_template(
        "library/selection.html",
        view=view,
        typed=typed,
        kinds=KIND_WORDS,
        orders=ORDER_WORDS,
        libraries=libraries,
        chosen_libraries=chosen,
        chosen_kinds=typed.getlist("kind") or [Kind.TRACK.value],
        first_year=FIRST_YEAR,
        last_year=LAST_YEAR,
        refused=refused,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _count(services: WebServices, typed: MultiDict[str, str]) -> str:
    """Return how much a filter matches, or why that is not known."""
    try:
        size, refused = services.selections.measure(person(), read_form(typed)), None
    except (NotPossible, JellyfinError) as reason:
        size, refused = None, reason
    return render_template("library/selection_count.html", size=size, refused=refused)


def read_form(typed: MultiDict[str, str]) -> Selection:
    """Return the filter that a form describes; what is left empty narrows nothing down.

    Raises:
        NotPossible: A number is none, or out of its bounds.
    """
    order = typed.get("order", "")
    gigabytes = _number(typed, "gigabytes", translatable("Size"), 0.001, 1_000_000)
    hours = _number(typed, "hours", translatable("Hours"), 0.1, 100_000)
    heard = typed.get("heard", "")
    return Selection(
        kinds=frozenset(one for one in SELECTABLE if one in typed.getlist("kind"))
        or frozenset({Kind.TRACK}),
        libraries=tuple(
            Named(one, "")
            for one in typed.getlist("library")[:MOST_VALUES]
            if ITEM_ID.fullmatch(one)
        ),
        artists=tuple(Named("", one) for one in _names(typed, "artists")),
        genres=_names(typed, "genres"),
        tags=_names(typed, "tags"),
        text=" ".join(typed.get("text", "")[:LONGEST_TEXT].split()),
        first_year=_whole(typed, "first_year", translatable("First year"), FIRST_YEAR, LAST_YEAR),
        last_year=_whole(typed, "last_year", translatable("Last year"), FIRST_YEAR, LAST_YEAR),
        added_days=_whole(typed, "added_days", translatable("Days"), 1, 36_500),
        unheard_days=_whole(typed, "unheard_days", translatable("Days"), 1, 36_500),
        is_unheard=heard == "never",
        is_hearted=typed.get("hearted") == "yes",
        least_rating=_number(typed, "least_rating", translatable("Rating"), 0, 10),
        order=SelectionOrder(order) if order in set(SelectionOrder) else SelectionOrder.NAME,
        most_files=_whole(typed, "files", translatable("Files"), 1, 1_000_000),
        most_bytes=None if gigabytes is None else round(gigabytes * GB),
        most_seconds=None if hours is None else round(hours * HOUR),
    )


def to_form(name: str, asked: Selection) -> MultiDict[str, str]:
    """Return the fields of the form that describes a filter."""
    numbers = {
        "first_year": asked.first_year,
        "last_year": asked.last_year,
        "added_days": asked.added_days,
        "unheard_days": asked.unheard_days,
        "least_rating": asked.least_rating,
        "files": asked.most_files,
        "gigabytes": None if asked.most_bytes is None else asked.most_bytes / GB,
        "hours": None if asked.most_seconds is None else asked.most_seconds / HOUR,
    }
    fields = [
        ("name", name),
        *(("kind", str(one)) for one in SELECTABLE if one in asked.kinds),
        *(("library", one.id) for one in asked.libraries),
        ("artists", "; ".join(one.name for one in asked.artists)),
        ("genres", "; ".join(asked.genres)),
        ("tags", "; ".join(asked.tags)),
        ("text", asked.text),
        ("heard", "never" if asked.is_unheard else ""),
        ("hearted", "yes" if asked.is_hearted else ""),
        ("order", str(asked.order)),
        *((field, f"{value:g}") for field, value in numbers.items() if value is not None),
    ]
    return MultiDict([one for one in fields if one[1]])


def _names(typed: MultiDict[str, str], field: str) -> tuple[str, ...]:
    """Return the names in a field, which are separated by semicolons."""
    names = (one.strip() for one in typed.get(field, "")[: LONGEST_TEXT * 2].split(";"))
    return tuple(dict.fromkeys(one for one in names if one))[:MOST_VALUES]


def _whole(typed: MultiDict[str, str], field: str, label: str, least: int, most: int) -> int | None:
    value = _number(typed, field, label, least, most)
    return None if value is None else int(value)


def _number(
    typed: MultiDict[str, str], field: str, label: str, least: float, most: float
) -> float | None:
    text = typed.get(field, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise NotPossible(
            msg(
                "{field} must be a number from {least} to {most}",
                field=label,
                least=f"{least:g}",
                most=f"{most:.0f}",
            )
        )
    return value
