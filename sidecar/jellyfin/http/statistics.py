"""Counts the requests to Jellyfin by route, for the metrics. Names of items and people are no part.

A part of a path that is not one of the API's own words (an id, a number, a name) counts as `{id}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

NO_ANSWER = "none"
WORDS = frozenset(
    {
        "AdditionalParts",
        "AlbumArtists",
        "Artists",
        "Audio",
        "AuthenticateByName",
        "AuthenticateWithQuickConnect",
        "Capabilities",
        "Connect",
        "Download",
        "Episodes",
        "File",
        "Full",
        "Genres",
        "Images",
        "Info",
        "Initiate",
        "InstantMix",
        "Items",
        "Logout",
        "Lyrics",
        "Me",
        "Message",
        "Move",
        "MusicGenres",
        "NextUp",
        "Playlists",
        "Primary",
        "Public",
        "QuickConnect",
        "Resume",
        "Sessions",
        "Shows",
        "Similar",
        "Subtitles",
        "System",
        "UserData",
        "UserFavoriteItems",
        "UserItems",
        "UserPlayedItems",
        "UserViews",
        "Users",
        "Videos",
    }
)


@dataclass(frozen=True, slots=True)
class RouteCount:
    """The requests of one route that had the same result.

    Attributes:
        status: Of the answers, such as "200"; `NO_ANSWER` if there was none.
        seconds: How long they took together.
    """

    method: str
    route: str
    status: str
    requests: int
    seconds: float


class RequestStatistics:
    """Counts requests. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted: dict[tuple[str, str, str], tuple[int, float]] = {}

    def note(
        self, method: str, path: tuple[str, ...], *, status: int | None, seconds: float
    ) -> None:
        """Count one request; `status` is None if no answer came."""
        route = "/".join(part if part in WORDS else "{id}" for part in path)
        key = (method, f"/{route}", NO_ANSWER if status is None else str(status))
        with self._lock:
            requests, before = self._counted.get(key, (0, 0.0))
            self._counted[key] = (requests + 1, before + seconds)

    def all(self) -> list[RouteCount]:
        """Return what was counted since the start of the process."""
        with self._lock:
            counted = dict(self._counted)
        return [RouteCount(*key, *found) for key, found in sorted(counted.items())]


# One for the whole process.
STATISTICS = RequestStatistics()
