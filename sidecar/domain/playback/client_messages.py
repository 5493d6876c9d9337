"""Decides what a Jellyfin client is told about what a person has just done in it, and which one.

    a heart, a cast, a playlist changed ──▶ acts of one person, joined ──▶ one short message
    sessions of the person ──▶ the one where it happened ──▶ shows messages, and plays no film

Jellyfin notes activity of a session when it plays or casts, not when a heart is pressed in it. So a
heart belongs to the client that plays the item, else to the one that was active last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sidecar.domain.downloads.download import TOO_BIG, Download, Status
from sidecar.domain.items.item import ItemType
from sidecar.messages import Message, Size, counted, msg

# A cast is a request of the session itself; the server may take a moment to pass it on.
CAST_WITHIN = timedelta(seconds=30)
# Whoever presses a heart has rarely done nothing else for so long.
ACTIVE_WITHIN = timedelta(minutes=16)
# Acts that follow each other this soon are one burst; it is told at last after the longer time.
JOINED_S = 4.0
LONGEST_BURST_S = 20.0
# An act for which nothing is found by then moved nothing.
GIVEN_UP_S = 45.0
# So many devices get a sentence of their own.
MOST_DEVICES = 3
LONGEST_TITLE = 60
FILMS = frozenset({ItemType.MOVIE, ItemType.EPISODE, ItemType.MUSIC_VIDEO, ItemType.VIDEO})


class ActKind(StrEnum):
    """What a person did in a client."""

    HEART = "heart"
    CAST = "cast"
    PLAYLIST = "playlist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that a person did in a client, and that may bring files to devices.

    Attributes:
        item_ids: The items that it was about: what got the heart, what was cast, the playlist.
        title: What people call it; None for several things without a common name.
        at: When it became known, by a monotonic clock, in seconds.
        began: The same by the calendar: of a playlist only what is queued since then counts.
        is_running_queue: The items were playing before: a client hands its queue over by itself.
    """

    user_id: str
    kind: ActKind
    item_ids: tuple[str, ...]
    title: str | None
    at: float
    began: datetime
    is_running_queue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClient:
    """A session of a client, as far as messages depend on it.

    Attributes:
        active_at: The last activity that the server noted; None if it noted none.
        is_connected: Whether it has a live connection: without one no message reaches it.
        shows_messages: Whether it says that it can display messages.
        plays: The item that it plays; None for none.
        plays_film: Whether that is one to look at.
    """

    session_id: str
    user_id: str | None
    active_at: datetime | None = None
    is_connected: bool = True
    shows_messages: bool = True
    plays: str | None = None
    plays_film: bool = False


def choose_client(clients: Iterable[OpenClient], act: Act, now: datetime) -> OpenClient | None:
    """Return the client in which a person did something; None if that cannot be said.

    Args:
        clients: All sessions that the server lists, without our own.
        act: What was done.
        now: The time by the server's clock.
    """
    theirs = [one for one in clients if one.user_id == act.user_id]
    if act.kind is ActKind.CAST:
        return _latest(theirs, now - CAST_WITHIN)
    if act.kind is ActKind.HEART:
        playing = [one for one in theirs if one.plays in act.item_ids]
        if len(playing) == 1:
            return playing[0]
    active = _latest(theirs, now - ACTIVE_WITHIN)
    if active is not None:
        return active
    connected = [one for one in theirs if one.is_connected]
    return connected[0] if len(connected) == 1 else None


def _latest(clients: Iterable[OpenClient], since: datetime) -> OpenClient | None:
    lately = [(one.active_at, one) for one in clients if one.active_at and one.active_at >= since]
    return max(lately, key=lambda pair: pair[0])[1] if lately else None


def may_show(client: OpenClient) -> bool:
    """Whether a message may be sent to a client: it can show it, and disturbs no film."""
    return client.is_connected and client.shows_messages and not client.plays_film


@dataclass(slots=True)
class Burst:
    """The acts of one person that are told in one message.

    Attributes:
        session_id: Where the first of them was done; None if it is not known or shows nothing.
        unfinished: How many acts are still being carried out.
    """

    session_id: str | None
    acts: list[Act] = field(default_factory=list)
    unfinished: int = 0

    def due_at(self) -> float:
        """Return when it is to be told, at the latest even if it is not finished."""
        first, last = self.acts[0].at, self.acts[-1].at
        if self.unfinished:
            return first + GIVEN_UP_S
        # A playlist is read again some seconds after the server has told of its change.
        slow = JOINED_S * 5 if any(one.kind is ActKind.PLAYLIST for one in self.acts) else JOINED_S
        return min(last + slow, max(first + LONGEST_BURST_S, last))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOutcome:
    """What acts lead to on one device.

    Attributes:
        coming, there, refused: How many files are on their way, there already, and too large.
        too_big: By how many bytes the refused ones are too large together.
        are_tracks: Whether all of them are music.
    """

    device: str
    coming: int = 0
    there: int = 0
    refused: int = 0
    too_big: int = 0
    are_tracks: bool = True


def count_outcome(
    device: str,
    downloads: Collection[Download],
    *,
    not_fitting: Collection[int],
    room: int,
    since: datetime | None = None,
) -> DeviceOutcome:
    """Count what becomes of the downloads that acts asked for on a device.

    Args:
        device: Its name.
        downloads: Those that are held because of the acts.
        not_fitting: The ids of downloads that the device's plan refuses for their size.
        room: Bytes that are left there for them.
        since: What was queued before is left out, and what is there already; None for all.
    """
    if since is not None:
        downloads = [one for one in downloads if one.queued_at >= since]
    refused = [one for one in downloads if _is_refused(one, not_fitting)]
    coming = [
        one
        for one in downloads
        if one.id not in not_fitting
        and one.status in {Status.PENDING, Status.DOWNLOADING, Status.PAUSED}
    ]
    needed = sum(one.size or 0 for one in refused)
    return DeviceOutcome(
        device=device,
        coming=len(coming),
        there=sum(one.is_present for one in downloads),
        refused=len(refused),
        too_big=max(needed - max(room, 0), 1) if refused else 0,
        are_tracks=all(one.item_type == ItemType.AUDIO for one in downloads),
    )


def _is_refused(download: Download, not_fitting: Collection[int]) -> bool:
    if download.status is Status.FAILED:
        # A plan has failed it for good.
        return download.error_code == TOO_BIG
    return download.id in not_fitting and download.status is not Status.COMPLETED


def write_message(acts: Sequence[Act], outcomes: Iterable[DeviceOutcome]) -> Message | None:
    """Return what a client is told; None if the acts moved nothing."""
    what = _name(acts)
    is_queue = all(one.is_running_queue for one in acts)
    told = [
        sentence
        for outcome in outcomes
        if (sentence := _say(what, outcome, is_running_queue=is_queue)) is not None
    ]
    if not told:
        return None
    first, *others = told[:MOST_DEVICES]
    for one in others:
        first = msg("{first}. {second}", first=first, second=one)
    return first


def _name(acts: Sequence[Act]) -> str | None:
    """Return what the acts were about; None for something without a name."""
    titles = list(dict.fromkeys(_shorten(one.title) for one in acts if one.title))
    if not titles:
        return None
    if len(titles) == 1:
        return titles[0]
    return counted(
        "{title} and {count} more", "{title} and {count} more", len(titles) - 1, title=titles[0]
    )


def _shorten(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def _say(what: str | None, outcome: DeviceOutcome, *, is_running_queue: bool) -> Message | None:
    name = outcome.device
    if is_running_queue and (number := outcome.coming + outcome.there):
        text = _pinned(number, name, are_tracks=outcome.are_tracks)
        return msg("You cast what was playing: {text}", text=text)
    told: Message | None = None
    if outcome.coming:
        told = _on_the_way(what, outcome)
        if outcome.refused:
            told = msg("{first}. {second}", first=told, second=_does_not_fit(None, outcome))
    elif outcome.refused:
        told = _does_not_fit(what, outcome)
    elif outcome.there and what is None:
        told = _pinned(outcome.there, name, are_tracks=outcome.are_tracks)
    elif outcome.there:
        told = msg("{title} is on {device}", title=what, device=name)
    return told


def _pinned(number: int, device: str, *, are_tracks: bool) -> Message:
    if are_tracks:
        return counted(
            "{count} track pinned on {device}",
            "{count} tracks pinned on {device}",
            number,
            device=device,
        )
    return counted(
        "{count} file pinned on {device}", "{count} files pinned on {device}", number, device=device
    )


def _on_the_way(what: str | None, outcome: DeviceOutcome) -> Message:
    if outcome.are_tracks:
        text = counted(
            "{count} track is on its way to {device}",
            "{count} tracks are on their way to {device}",
            outcome.coming,
            device=outcome.device,
        )
    else:
        text = counted(
            "{count} file is on its way to {device}",
            "{count} files are on their way to {device}",
            outcome.coming,
            device=outcome.device,
        )
    return text if what is None else msg("{title}: {text}", title=what, text=text)


def _does_not_fit(what: str | None, outcome: DeviceOutcome) -> Message:
    size = Size(outcome.too_big)
    if what is not None:
        return msg(
            "{title} does not fit on {device}: {size} too big",
            title=what,
            device=outcome.device,
            size=size,
        )
    return counted(
        "{count} file does not fit on {device}: {size} too big",
        "{count} files do not fit on {device}: {size} too big",
        outcome.refused,
        device=outcome.device,
        size=size,
    )
