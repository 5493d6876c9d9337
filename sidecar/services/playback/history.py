"""Lists what a person plays now and has played before.

Only an admin may ask for another account's plays; for everybody else such a name counts as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.downloads.shares import FORMER_ACCOUNT
from sidecar.domain.playback.plays import Play
from sidecar.domain.playback.sessions import NowPlaying, name_player
from sidecar.domain.playback.tracker import Current
from sidecar.domain.rules.queue_ahead import NAME
from sidecar.domain.wishes import Hold
from sidecar.messages import msg
from sidecar.services.accounts.person import Person, ids_of, viewer
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.devices import Device
from sidecar.store.downloads.queue import Downloads
from sidecar.store.playback.plays import Plays
from sidecar.store.rules.holds import Holds


@dataclass(frozen=True, slots=True)
class UpcomingView:
    """A track in the play queue of an account, and its download on each device.

    Attributes:
        text: Why it is fetched, e.g. "next in your queue".
        places: For each device, its name and the status of the download there.
    """

    title: str
    artist: str | None
    text: str
    places: tuple[tuple[str, Status], ...]


class UpcomingDownloads:
    """Finds the downloads that the queue-ahead rule asks for. Thread-safe."""

    def __init__(
        self, holds: Holds, downloads: Downloads, devices: Callable[[], Iterable[Device]]
    ) -> None:
        """Prepare; `devices` returns those that are in use."""
        self._holds = holds
        self._downloads = downloads
        self._devices = devices

    def of(self, playing: NowPlaying, others: Collection[NowPlaying]) -> Sequence[UpcomingView]:
        """Return what comes next in a client, on all devices, the most urgent first.

        Args:
            playing: What plays there now; it is left out.
            others: What plays in the account's other clients: what comes next only there is
                left out.
        """
        user_id = playing.user_id or ""
        found: dict[str, list[tuple[Download, str, str]]] = {}
        for device in self._devices():
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
    """One play. `is_counted` means that it was long enough to count for the rules."""

    item_id: str
    title: str
    artist: str | None
    client: str | None
    started_at: datetime
    seconds_heard: float
    is_counted: bool
    player: str = ""


@dataclass(frozen=True, slots=True)
class PlaysPage:
    """One page of plays, and how many there are in all."""

    items: Sequence[PlayView]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NowView:
    """What one client plays now.

    Attributes:
        account: Name of the account that plays.
        position, seconds: Position and running time in seconds; None if it is not known.
        seconds_heard: Seconds really heard until now.
        queued: How many entries follow in the client's queue, as far as it reports them.
        coming: What the rules fetch because of the account's queue.
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
    player: str = ""
    silent_since: datetime | None = None
    silence: str = ""
    has_cover: bool = False
    queued: int = 0
    coming: tuple[UpcomingView, ...] = ()


class PlayHistory:
    """Current and past plays, as each person may see them. Thread-safe."""

    def __init__(
        self,
        plays: Plays,
        shown: Callable[[str | None], Sequence[Current]],
        accounts: Callable[[], Iterable[Account]],
        coming: Callable[[NowPlaying, Collection[NowPlaying]], Sequence[UpcomingView]],
        *,
        zone: tzinfo = UTC,
    ) -> None:
        """Prepare.

        Args:
            plays: Past plays.
            shown: Returns what plays now of an account, or of all.
            accounts: Returns all accounts that ever signed in.
            coming: Returns what the rules fetch because of what plays in a client; also takes
                what plays in the account's other clients.
            zone: For times of day.
        """
        self._coming = coming
        self._zone = zone
        self._plays = plays
        self._shown = shown
        self._accounts = accounts

    def plays(self, person: Person, account: str | None, page: int, page_size: int) -> PlaysPage:
        """List the plays of the person, or for an admin of the named account, newest first."""
        user_id = self._meant(person, account)
        if user_id is None:
            return PlaysPage([], 0, page, page_size)
        found, total = self._plays.page(user_id, page, page_size)
        return PlaysPage([_play(one.play) for one in found], total, page, page_size)

    def newest(self, person: Person, most: int) -> Sequence[PlayView]:
        """List the newest plays of the person."""
        return [_play(one) for one in self._plays.newest(person.user_id, most)]

    def now(self, person: Person) -> Sequence[NowView]:
        """List what plays now, in all clients that this person may see."""
        current = self._shown(viewer(person))
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
        return _now(one, names.get(user_id, FORMER_ACCOUNT), coming, self._zone)

    def _meant(self, person: Person, account: str | None) -> str | None:
        """Return the id of an account given by name (in any case) or by id; None if not allowed."""
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
        artist=play.artist,
        client=play.client,
        started_at=play.started_at,
        seconds_heard=play.seconds_heard,
        is_counted=play.counts,
        player=name_player(play.client, play.device_name) if play.client else "",
    )


def _now(current: Current, account: str, coming: tuple[UpcomingView, ...], zone: tzinfo) -> NowView:
    playing, item, silent_since = current.playing, current.playing.item, current.silent_since
    silence = ""
    if silent_since is not None:
        silence = msg("no word since {time}", time=f"{silent_since.astimezone(zone):%H:%M}")
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
        player=playing.player,
        silent_since=silent_since,
        silence=silence,
        has_cover=item.image_item_id is not None,
        queued=max(len(playing.queue) - 1, 0),
        coming=coming,
    )
