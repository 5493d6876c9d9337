"""Shows people what they heard and what they hear now; nobody sees anybody else's.

An admin may ask for somebody else by name. For everybody else a foreign name is an unknown one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.shares import FORMER_ACCOUNT
from sidecar.domain.downloads.states import Download, Status
from sidecar.domain.playback.plays import Play
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.playback.tracker import Current
from sidecar.domain.rules.queue_ahead import NAME
from sidecar.domain.wishes import Hold
from sidecar.services.accounts.person import Person, ids_of, viewer
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.devices import Devices
from sidecar.store.downloads.queue import Downloads
from sidecar.store.playback.plays import Plays
from sidecar.store.rules.holds import Holds


@dataclass(frozen=True, slots=True)
class UpcomingView:
    """One track that comes next.

    Attributes:
        text: Why: "next in your queue".
        places: The devices that it goes to, and how it stands there.
    """

    title: str
    artist: str | None
    text: str
    places: tuple[tuple[str, Status], ...]


class UpcomingDownloads:
    """Looks it up. Safe for many threads."""

    def __init__(self, holds: Holds, downloads: Downloads, devices: Devices) -> None:
        self._holds = holds
        self._downloads = downloads
        self._devices = devices

    def of(self, playing: NowPlaying, others: Collection[NowPlaying]) -> Sequence[UpcomingView]:
        """Return what comes next in a client, on all devices of its account.

        Args:
            playing: What plays there now; it does not come next.
            others: What plays in the account's other clients: what is only theirs is left out.
        """
        user_id = playing.user_id or ""
        found: dict[str, list[tuple[Download, str, str]]] = {}
        for device in self._devices.all():
            for hold in self._holds.of_rule(user_id, device.id, NAME):
                download = self._downloads.queries.by_item(device.id, hold.item_id)
                if hold.item_id == playing.item.id or _is_of_others(hold, playing, others):
                    continue
                if hold.release_at is None and download is not None:
                    on_device = (download, device.name, hold.reason.text)
                    found.setdefault(hold.item_id, []).append(on_device)
        in_turn = sorted(found.values(), key=lambda one: (-one[0][0].priority, one[0][0].id))
        return [_view(one) for one in in_turn]


def _is_of_others(hold: Hold, playing: NowPlaying, others: Collection[NowPlaying]) -> bool:
    return not _comes_next_in(playing, hold) and any(_comes_next_in(one, hold) for one in others)


def _comes_next_in(playing: NowPlaying, hold: Hold) -> bool:
    """Whether this client's queue tells of it, or it is of the album or series that plays there."""
    queued = {one.item_id for one in playing.queue}
    part_of = {playing.item.album_id, playing.item.series_id} - {None}
    return hold.item_id in queued or hold.reason.source_id in part_of


def _view(found: Sequence[tuple[Download, str, str]]) -> UpcomingView:
    download, _, text = found[0]
    places = tuple((device_name, one.status) for one, device_name, _ in found)
    return UpcomingView(download.title, download.artist, text, places)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayView:
    """One listening. `is_counted` means that the rules take it for one."""

    item_id: str
    title: str
    client: str | None
    started_at: datetime
    seconds_heard: float
    is_counted: bool


@dataclass(frozen=True, slots=True)
class PlaysPage:
    """One page of plays, and how many there are in all."""

    items: Sequence[PlayView]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NowView:
    """What somebody plays now.

    Attributes:
        account: Whose client it is.
        position, seconds: Where in the item, and its running time; None if nobody knows.
        seconds_heard: Really heard until now.
        queued: How many entries follow, as far as the client tells.
        coming: What the rules fetch because of it.
    """

    account: str
    item_id: str
    title: str
    artist: str | None
    album: str | None
    item_type: str
    client: str | None
    device_name: str | None
    started_at: datetime
    position: float
    seconds: float | None
    seconds_heard: float
    is_paused: bool
    has_cover: bool = False
    queued: int = 0
    coming: tuple[UpcomingView, ...] = ()


class PlayHistory:
    """Plays of now and before as each person sees them. Safe for many threads."""

    def __init__(
        self,
        plays: Plays,
        watching: PlaybackTracker,
        accounts: Callable[[], Iterable[Account]],
        coming: Callable[[NowPlaying, Collection[NowPlaying]], Sequence[UpcomingView]],
    ) -> None:
        """Prepare.

        Args:
            plays: What was heard.
            watching: What is heard.
            accounts: Gives everybody who ever signed in.
            coming: Gives what the rules fetch because of what plays in a client, told what plays
                in the account's others.
        """
        self._coming = coming
        self._plays = plays
        self._watching = watching
        self._accounts = accounts

    def plays(self, person: Person, account: str | None, page: int, page_size: int) -> PlaysPage:
        """List plays, newest first."""
        user_id = self._meant(person, account)
        if user_id is None:
            return PlaysPage([], 0, page, page_size)
        found, total = self._plays.page(user_id, page, page_size)
        return PlaysPage([_play(one.play) for one in found], total, page, page_size)

    def now(self, person: Person) -> Sequence[NowView]:
        """List what plays now."""
        current = self._watching.current(viewer(person))
        names = {one.user_id: one.name for one in self._accounts()}
        playing = [one.playing for one in current]
        return [self._now(one, playing, names) for one in current]

    def _now(
        self, one: Current, all_playing: Collection[NowPlaying], names: Mapping[str, str]
    ) -> NowView:
        user_id = one.playing.user_id or ""
        others = [
            other
            for other in all_playing
            if other.user_id == user_id and other.session_id != one.playing.session_id
        ]
        coming = tuple(self._coming(one.playing, others))
        return _now(one, names.get(user_id, FORMER_ACCOUNT), coming)

    def _meant(self, person: Person, account: str | None) -> str | None:
        """Somebody is named by account name, in any case, or by id."""
        if account is None:
            return person.user_id
        found = ids_of([account], self._accounts())
        if person.user_id in found:
            return person.user_id
        return min(found, default=None) if person.is_admin else None


def _play(play: Play) -> PlayView:
    return PlayView(
        item_id=play.item_id,
        title=play.title,
        client=play.client,
        started_at=play.started_at,
        seconds_heard=play.seconds_heard,
        is_counted=play.counts,
    )


def _now(current: Current, account: str, coming: tuple[UpcomingView, ...]) -> NowView:
    playing, item = current.playing, current.playing.item
    return NowView(
        account=account,
        item_id=item.id,
        title=item.title,
        artist=item.artist,
        album=item.album or item.series,
        item_type=item.type.value,
        client=playing.client,
        device_name=playing.device_name,
        started_at=current.started_at,
        position=playing.position_s,
        seconds=item.seconds,
        seconds_heard=current.heard_s,
        is_paused=playing.is_paused,
        has_cover=item.image_item_id is not None,
        queued=max(len(playing.queue) - 1, 0),
        coming=coming,
    )
