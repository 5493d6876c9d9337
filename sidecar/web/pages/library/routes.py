"""`/library`: browsing a person's Jellyfin library and downloading from it.

GET  /library · /library/ITEM             overview, section or search · one item and its content
GET  /library/ITEM/why · /library/ITEM/menu  why it is not on a device · what can be done with it
GET  /library/continued                   what the person goes on with, as a part of the home page
GET  /library/buttons                     the current state of download buttons, hearts and marks
POST /library/download · /library/cancel · /library/device · /library/ITEM/heart · …/played

What is asked for by a script (`HX-Request`) is answered by what it shows in place; without one the
browser is led back.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import TypeVar

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.domain.downloads.actions import GOES, Action
from sidecar.domain.items.item import PLAYABLE
from sidecar.domain.items.kinds import Kind
from sidecar.domain.undo import Reversal
from sidecar.errors import JellyfinError, NotPossible, NotVisible
from sidecar.services.devices.listing import DeviceListing
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.add import WHOLE_LIBRARY
from sidecar.services.downloads.commands import AddedItem, AddResult, DownloadCommand
from sidecar.services.library.browse import BrowseQuery as Question
from sidecar.services.library.browse import BrowseSort, LibraryBrowser, LibraryEntry, LibraryPage
from sidecar.services.library.download_state import ButtonState, ItemDownloadState
from sidecar.services.rules.preferences import FOLLOWED, Pinned
from sidecar.web import redirects
from sidecar.web.actions import MOST_ITEMS
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.library.view import (
    DECADES,
    IN_ROWS,
    INITIALS,
    KINDS,
    LibrarySection,
    LibraryViewState,
    for_page,
)
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.undo import done_here_or_back, is_in_place, leading_back
from sidecar.web.request.errors import ApiError
from sidecar.web.request.query_params import ITEM_ID, LONGEST_TEXT, check_item_id
from sidecar.web.routing import ITEM
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

T = TypeVar("T")

NEWEST = Question(
    kinds=frozenset({Kind.ALBUM, Kind.FILM, Kind.SERIES}), sort=BrowseSort.ADDED, page_size=12
)
# The sections of a search; each is a query of its own, so that none crowds out another.
FOUND = (
    LibrarySection.ARTISTS,
    LibrarySection.ALBUMS,
    LibrarySection.FILMS,
    LibrarySection.SERIES,
    LibrarySection.PLAYLISTS,
    LibrarySection.TRACKS,
)
FEW = 6
LATELY = Question(
    kinds=frozenset({Kind.TRACK}), sort=BrowseSort.PLAYED, is_played=True, page_size=FEW
)
WITH_GENRES = frozenset(
    {
        LibrarySection.ALBUMS,
        LibrarySection.ARTISTS,
        LibrarySection.TRACKS,
        LibrarySection.FILMS,
        LibrarySection.SERIES,
    }
)
# What a browser keeps as well.
KEPT_IN_BROWSERS = frozenset(
    {
        Kind.ALBUM,
        Kind.PLAYLIST,
        Kind.SERIES,
        Kind.SEASON,
        Kind.TRACK,
        Kind.AUDIOBOOK,
        Kind.EPISODE,
        Kind.FILM,
    }
)
# What is seen or heard to its end once, and marked as played.
WATCHED = frozenset({Kind.FILM, Kind.EPISODE, Kind.SEASON, Kind.SERIES, Kind.VIDEO, Kind.AUDIOBOOK})
MOST_EXPLAINED = 50
# Containers that were asked for at once and are listed to show how they stand.
MOST_LOOKED_INTO = 5
SIZES = ("small", "medium", "large", "chip", "heart", "mark", "seen")
SHELVES = MappingProxyType(
    {
        LibrarySection.ALBUMS: translatable("Albums"),
        LibrarySection.ARTISTS: translatable("Artists"),
        LibrarySection.PLAYLISTS: translatable("Playlists"),
        LibrarySection.FILMS: translatable("Films"),
        LibrarySection.SERIES: translatable("Series"),
        LibrarySection.BOOKS: translatable("Audiobooks"),
        LibrarySection.TRACKS: translatable("Tracks"),
        LibrarySection.EPISODES: translatable("Episodes"),
    }
)
SORTS = MappingProxyType(
    {
        BrowseSort.NAME: translatable("By name"),
        BrowseSort.ADDED: translatable("Newest in Jellyfin first"),
        BrowseSort.YEAR: translatable("By year"),
        BrowseSort.PLAYED: translatable("Recently played"),
        BrowseSort.RANDOM: translatable("Shuffled"),
    }
)
KIND_ICONS = MappingProxyType(
    {
        Kind.VIEW: "library",
        Kind.ARTIST: "circle-user-round",
        Kind.ALBUM: "disc-3",
        Kind.TRACK: "music",
        Kind.AUDIOBOOK: "book-open",
        Kind.PLAYLIST: "list-music",
        Kind.SERIES: "tv",
        Kind.SEASON: "tv",
        Kind.EPISODE: "tv",
        Kind.FOLDER: "folder",
        Kind.OTHER: "folder",
        Kind.GENRE: "folder",
        Kind.COLLECTION: "folder",
    }
)
STATUS = MappingProxyType(
    {AddResult.NOT_FOUND: HTTPStatus.NOT_FOUND, AddResult.REFUSED: HTTPStatus.UNPROCESSABLE_ENTITY}
)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    library = services.library
    pages = PageRoutes("library", url_prefix="/library")

    @pages.get("", role=Role.SIGNED_IN)
    def start() -> str:
        return _start(services)

    @pages.get(f"/{ITEM}", role=Role.SIGNED_IN)
    def thing(item_id: str) -> str:
        return _thing(services, check_item_id(item_id))

    @pages.get("/continued", role=Role.SIGNED_IN)
    def continued() -> str:
        nothing: Sequence[LibraryEntry] = ()
        return render_template(
            "library/continued.html",
            continued=_answer_or(nothing, partial(library.continued, person(), FEW)),
            kind_icons=KIND_ICONS,
            watched=WATCHED,
        )

    @pages.get("/buttons", role=Role.SIGNED_IN)
    def buttons() -> str:
        wanted = {size: _ids(request.args.getlist(size)) for size in SIZES}
        seen = library.again(person(), {one for ids in wanted.values() for one in ids})
        found = {one.entry.item.id: one for one in seen}
        return render_template(
            "library/download_buttons.html",
            wanted=wanted,
            found=found,
            watched=WATCHED,
            back=redirects.wanted(),
        )

    @pages.get(f"/{ITEM}/menu", role=Role.SIGNED_IN)
    def menu(item_id: str) -> str:
        return _menu(services, check_item_id(item_id))

    @pages.get(f"/{ITEM}/why", role=Role.SIGNED_IN)
    def why_not(item_id: str) -> str:
        return _why_not(services, check_item_id(item_id))

    _changes(pages, services)
    return pages.blueprint


def _changes(pages: PageRoutes, services: WebServices) -> None:
    @pages.post("/download", role=Role.SIGNED_IN)
    def download() -> Response:
        return _download(services)

    @pages.post("/cancel", role=Role.SIGNED_IN)
    def cancel() -> Response:
        return _cancel(services)

    @pages.post(f"/{ITEM}/sync", role=Role.SIGNED_IN)
    def keep_in_sync(item_id: str) -> Response:
        return _keep_in_sync(services, check_item_id(item_id))

    @pages.post("/device", role=Role.SIGNED_IN)
    def choose_device() -> Response:
        services.devices.choose(person(), request.form.get("device", "")[:LONGEST_TEXT])
        return redirect(_without_device(redirects.safe_target(url_for("library.start"))), 303)

    @pages.post(f"/{ITEM}/heart", role=Role.SIGNED_IN)
    def heart(item_id: str) -> Response:
        return _heart(services, check_item_id(item_id))

    @pages.post(f"/{ITEM}/played", role=Role.SIGNED_IN)
    def played(item_id: str) -> Response:
        return _mark_played(services, check_item_id(item_id))


def _start(services: WebServices) -> str:
    library, looked, who = services.library, for_page(request.args), person()
    sections: list[tuple[LibrarySection | None, LibraryPage]] = []
    continued: Sequence[LibraryEntry] = ()
    found = None
    if looked.shelf:
        found, looked = _page(library, services.devices, looked)
    elif looked.text:
        few = [(one, replace(looked.on(one).asked, page_size=FEW)) for one in FOUND]
        asked = [(one, library.listed(who, question)) for one, question in few]
        sections = [(one, page) for one, page in asked if page.items]
    else:
        continued = _answer_or((), partial(library.continued, who, FEW))
        found = library.listed(who, looked.asked)
        sections = [(None, library.listed(who, NEWEST))]
        played = library.listed(who, LATELY)
        if played.items:
            sections.append((LibrarySection.TRACKS, played))
    return _rendered(
        "library/library.html",
        services,
        looked,
        found=found,
        continued=continued,
        sections=sections,
        genres=_genres(library, looked),
    )


def _answer_or(without: T, ask: Callable[[], T]) -> T:
    """Return what Jellyfin answers, else what the page shows without an answer."""
    try:
        return ask()
    except JellyfinError:
        return without


def _genres(library: LibraryBrowser, looked: LibraryViewState) -> Sequence[str]:
    """Return the genres to choose from; a chosen one is always among them."""
    if looked.shelf not in WITH_GENRES or looked.place:
        return ()
    nothing: Sequence[str] = ()
    found = _answer_or(nothing, partial(library.genres, person(), KINDS[looked.shelf]))
    return found if not looked.genre or looked.genre in found else (looked.genre, *found)


def _thing(services: WebServices, item_id: str) -> str:
    shown = services.library.show(person(), item_id)
    looked = for_page(request.args, item_id, in_rows=shown.entry.kind in IN_ROWS)
    found = None
    if not shown.entry.item.is_playable:
        found, looked = _page(services.library, services.devices, looked)
    device = services.devices.chosen(person(), looked.device_id)
    return _rendered(
        "library/item.html",
        services,
        looked,
        found=found,
        next_up=_next_up(services.library, shown),
        **_choices(services, shown, device, found),
    )


def _is_kept_away(shown: LibraryEntry, found: LibraryPage | None) -> bool:
    """Return whether the account may not download it: of an album what is in it says so."""
    if not person().may_download:
        return True
    items = [one.entry.item for one in ([shown] if found is None else found.items)]
    return bool(items) and all(
        one.is_remote or (one.is_playable and one.can_download is False) for one in items
    )


def _menu(services: WebServices, item_id: str) -> str:
    """Show what can be done with an item; Jellyfin is not asked for what was shown lately."""
    looked = for_page(request.args, item_id)
    seen = services.library.again(person(), [item_id])
    shown = seen[0] if seen else services.library.show(person(), item_id)
    device = services.devices.chosen(person(), looked.device_id)
    return _rendered(
        "library/menu.html",
        services,
        looked,
        found=None,
        leave_out=_leave_out(services, shown, device),
        back=redirects.wanted() or url_for("library.thing", item_id=item_id),
        **_choices(services, shown, device),
    )


def _choices(
    services: WebServices,
    shown: LibraryEntry,
    device: DeviceView | None,
    found: LibraryPage | None = None,
) -> dict[str, object]:
    """Return what `library/choices.html` needs to know of an item."""
    item, kind = shown.entry.item, shown.entry.kind
    is_followed = device is not None and services.preferences.is_followed(
        person(), device.id, item.id
    )
    is_kept_away = _is_kept_away(shown, found)
    return {
        "thing": shown,
        "standing": button_for(shown, device),
        "is_kept_away": is_kept_away,
        "can_keep_here": kind in KEPT_IN_BROWSERS
        and not is_kept_away
        and "this_browser" in current_app.blueprints,
        "can_be_marked": kind in WATCHED and item.is_played is not None,
        "pin": _pin(services, device, item.id),
        "can_be_followed": device is not None
        and item.type in FOLLOWED
        and (not is_kept_away or is_followed),
        "is_followed": is_followed,
    }


def _leave_out(services: WebServices, shown: LibraryEntry, device: DeviceView | None) -> int | None:
    """Return the download of an item from whose rules it can be excluded; None if there is none."""
    button = button_for(shown, device)
    if button is None or button.download_id is None or button.state is not ButtonState.COMPLETED:
        return None
    has_rules = services.files.file(person(), button.download_id).holdings
    return button.download_id if has_rules else None


def _next_up(library: LibraryBrowser, shown: LibraryEntry) -> LibraryEntry | None:
    if shown.entry.kind is not Kind.SERIES:
        return None
    return _answer_or(None, partial(library.next_up, person(), shown.entry.item.id))


def _pin(services: WebServices, device: DeviceView | None, item_id: str) -> Pinned | None:
    """Return the person's pin of an item on a device; None if there is none."""
    pins = services.preferences.pins(person(), device.id) if device is not None else ()
    return next((one for one in pins if one.item_id == item_id), None)


def _page(
    library: LibraryBrowser, devices: DeviceListing, looked: LibraryViewState
) -> tuple[LibraryPage, LibraryViewState]:
    found = library.listed(person(), looked.asked)
    last = _last(found)
    if not found.items and looked.page > last:
        looked = looked.at(last)
        found = library.listed(person(), looked.asked)
    if looked.is_missing and looked.shelf:
        device = devices.chosen(person(), looked.device_id)
        missing = [one for one in found.items if not _is_there(one, device)]
        found = replace(found, items=missing)
    return found, looked


def _is_there(shown: LibraryEntry, device: DeviceView | None) -> bool:
    button = button_for(shown, device)
    return button is not None and button.state is ButtonState.COMPLETED


def _last(found: LibraryPage) -> int:
    return max(1, math.ceil(found.total / found.page_size))


def _rendered(
    template: str, services: WebServices, looked: LibraryViewState, **values: object
) -> str:
    found = values["found"]
    return render_template(
        template,
        looked=looked,
        devices=services.devices.devices(person()),
        device=services.devices.chosen(person(), looked.device_id),
        shelves=SHELVES,
        sorts=SORTS,
        kind_icons=KIND_ICONS,
        initials=INITIALS,
        decades=DECADES,
        last_page=_last(found) if isinstance(found, LibraryPage) else 1,
        button_for=button_for,
        playable=PLAYABLE,
        watched=WATCHED,
        **values,
    )


def button_for(shown: LibraryEntry, device: DeviceView | None) -> ItemDownloadState | None:
    """Return the state of an item's button for one device; None if it was not looked up."""
    mine = [one for one in shown.buttons or () if device and one.device_id == device.id]
    return next(iter(mine), None)


def _download(services: WebServices) -> Response:
    who, actions = person(), services.actions
    device = request.form.get("device", "")[:LONGEST_TEXT] or None
    ids = _ids(request.form.getlist("item"))
    if not ids:
        raise ApiError(HTTPStatus.BAD_REQUEST, translatable("Nothing was chosen."))
    whole = request.form.get("whole") == "yes"
    if device:
        services.devices.choose(who, device)
    additions = actions.add(who, ids, device=device, whole=whole)
    there = [one.downloads[0] for one in additions if one.downloads]
    refused = [one for one in additions if one.result in STATUS]
    if refused or not there:
        return _told(refused, there[0].id if there else None, device)
    record = services.undo.remember_additions(who, additions)
    if is_in_place():
        services.library.look_into(who, ids[:MOST_LOOKED_INTO])
    return done_here_or_back(record)


def _keep_in_sync(services: WebServices, item_id: str) -> Response:
    """Keep an item in sync on a device from now on, or no more."""
    who, steering = person(), services.preferences
    device_id = request.form.get("device", "")[:LONGEST_TEXT]
    services.devices.choose(who, device_id)
    if request.form.get("value") == "on":
        try:
            reversal = steering.follow(who, device_id, item_id)
        except NotPossible as reason:
            raise ApiError(HTTPStatus.CONFLICT, str(reason)) from None
        record = services.undo.remember_one(who, "follow", reversal, 1)
    else:
        record = services.undo.remember_one(
            who, "unfollow", steering.drop(who, device_id, item_id), 1
        )
    where = redirects.safe_target(url_for("library.thing", item_id=item_id))
    return redirect(leading_back(where, record), 303)


def _why_not(services: WebServices, item_id: str) -> str:
    """Explain why the files of an item are not on a device, those of one reason together."""
    who = person()
    device = services.devices.chosen(who, request.args.get("device", "")[:LONGEST_TEXT] or None)
    if device is None:
        raise NotVisible
    entry, files = services.library.files(who, item_id)
    looked_at = files[:MOST_EXPLAINED]
    told = (services.preferences.why(who, device.id, one) for one in looked_at)
    reasons = Counter(one.sentences for one in told if not one.is_here)
    return render_template(
        "library/why.html",
        title=entry.item.title,
        device=device,
        reasons=reasons.most_common(),
        total=len(files),
        more=len(files) - len(looked_at),
        back=redirects.safe_target(url_for("library.thing", item_id=item_id)),
    )


def _cancel(services: WebServices) -> Response:
    """Cancel what is not there yet of an item on a device."""
    who = person()
    item_id = check_item_id(request.form.get("item", ""))
    device_id = request.form.get("device", "")[:LONGEST_TEXT]
    rows = services.library.downloads(who, item_id, device_id)
    going = [one.id for one in rows if one.status in GOES[Action.CANCEL]]
    outcomes = services.actions.act_on(who, going, DownloadCommand(action=Action.CANCEL))
    return done_here_or_back(services.undo.remember(who, Action.CANCEL, outcomes))


def _without_device(where: str) -> str:
    """Return an address without the device that a link named: the choice counts from now on."""
    path, _, query = where.partition("?")
    kept = [one for one in query.split("&") if one and not one.startswith("device=")]
    return f"{path}?{'&'.join(kept)}" if kept else path


def _told(refused: Sequence[AddedItem], first: int | None, device: str | None) -> Response:
    """Show which items are not downloaded, and why; and ask whether whole libraries are meant."""
    page = render_template(
        "library/not_added.html",
        refused=refused,
        libraries=[one.item_id for one in refused if one.code == WHOLE_LIBRARY],
        device=device,
        first=first,
        back=redirects.safe_target(url_for("library.start")),
    )
    return make_response(page, HTTPStatus.OK if first else STATUS[refused[0].result])


def _heart(services: WebServices, item_id: str) -> Response:
    value = request.form.get("value") == "on"
    reversal = services.library.mark_favourite(person(), item_id, value=value)
    return _marked(services, item_id, "favourite" if value else "unfavourite", reversal)


def _mark_played(services: WebServices, item_id: str) -> Response:
    value = request.form.get("value") == "on"
    reversal = services.library.mark_played(person(), item_id, value=value)
    return _marked(services, item_id, "played" if value else "unplayed", reversal)


def _marked(
    services: WebServices, item_id: str, action: str, reversal: Reversal | None
) -> Response:
    title = request.form.get("title", "")[:LONGEST_TEXT]
    record = services.undo.remember_one(person(), action, reversal, 1, title=title)
    return done_here_or_back(record, url_for("library.thing", item_id=item_id))


def _ids(asked: Sequence[str]) -> list[str]:
    return [one for one in dict.fromkeys(asked) if ITEM_ID.fullmatch(one)][:MOST_ITEMS]
