"""`/`: the home page: what runs, how each device is, what came, what was played, what comes next.

It asks Jellyfin nothing, and shows each person only what they see on the other pages as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request

from sidecar.domain.downloads.download import Status
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.views import DownloadView
from sidecar.services.files.browse import TileView
from sidecar.services.playback.history import PlayView
from sidecar.store.downloads.queries import DeviceState
from sidecar.web.i18n.status_labels import hindrance
from sidecar.web.pages.devices.tiles import device_tiles
from sidecar.web.pages.files.routes import address
from sidecar.web.pages.files.view import FilesViewState
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security import auth
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

MOST_RUNNING = 3
MOST_ADDED = 12
MOST_LISTED = 5
# More than ever run at once, and those that follow them.
PLACES_READ = 25
# So many plays are looked through for those that were long enough to count.
PLAYS_READ = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningView:
    """All running transfers as one.

    Attributes:
        downloads: The first of them.
        progress: The fetched part, from 0 to 1; None if no size is known.
        bytes_left: Of those that run.
    """

    downloads: Sequence[DownloadView]
    progress: float | None
    speed: float
    bytes_left: int


@dataclass(frozen=True, slots=True)
class AddedTile:
    """An album, a series or a film that came lately, and the URL of its page."""

    tile: TileView
    url: str


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    home = PageRoutes("home")

    @home.get("/", role=Role.SIGNED_IN)
    def show() -> str:
        return _home(services, auth.person(), request.args.get("outcome", ""))

    return home.blueprint


def _home(services: WebServices, person: Person, outcome: str) -> str:
    listing = services.downloads
    # What runs comes first.
    found = listing.on_the_way(person, places=PLACES_READ, most=MOST_LISTED)
    states = listing.by_device(person)
    notices = services.notices.notices(person)
    return render_template(
        "home.html",
        outcome=outcome,
        counts={one.value: _sum(states, one) for one in Status},
        running=_running([one for one in found.first if one.status is Status.DOWNLOADING]),
        bytes_waiting=listing.bytes_waiting(person),
        devices=device_tiles(services, person, states, notices),
        added=_added(services, person),
        played=_played(services, person),
        coming=found.coming,
        # That a device has no room, or takes nothing now, is told by its tile.
        stuck=[one for one in found.first if _is_stuck(one)][:MOST_LISTED],
        waits=[one for one in notices if one.kind == "network"],
        hindered=hindrance(notices),
    )


def _is_stuck(one: DownloadView) -> bool:
    """Whether a download was tried in vain, and nothing else keeps it from coming."""
    return one.status is Status.PENDING and one.error_message is not None and one.wait is None


def _sum(states: Mapping[str, DeviceState], status: Status) -> int:
    return sum(one.counts.get(status, 0) for one in states.values())


def _running(views: Sequence[DownloadView]) -> RunningView:
    known = [(one.bytes_downloaded, one.expected_size) for one in views if one.expected_size]
    size = sum(of for _, of in known)
    return RunningView(
        downloads=views[:MOST_RUNNING],
        progress=sum(done for done, _ in known) / size if size else None,
        speed=sum(one.speed for one in views),
        bytes_left=sum(max(of - done, 0) for done, of in known),
    )


def _added(services: WebServices, person: Person) -> Sequence[AddedTile]:
    shown = FilesViewState()
    found = services.files.newest(person, MOST_ADDED)
    return [AddedTile(one, address(shown.inside(one.key))) for one in found]


def _played(services: WebServices, person: Person) -> Sequence[PlayView]:
    found = services.playback.newest(person, PLAYS_READ)
    return [one for one in found if one.is_counted][:MOST_LISTED]
