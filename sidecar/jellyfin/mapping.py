"""Converts Jellyfin's items and sessions into the values of `sidecar.domain`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain, islice
from sys import intern

from sidecar.domain.items.item import FileVersion, Item, ItemType
from sidecar.domain.items.media_types import EXTENSIONS, extension_in
from sidecar.domain.playback.client_messages import FILMS, OpenClient
from sidecar.domain.playback.sessions import NowPlaying, QueueEntry, Repeat
from sidecar.jellyfin.models import (
    TICKS_PER_SECOND,
    BaseItem,
    ClientSession,
    MediaSource,
    PlayingItem,
)

NO_USER = "0" * 32
# Entries of a queue, from the current one on.
MOST_QUEUED = 200

_KNOWN_TYPES = {one.value: one for one in ItemType} | {
    "UserView": ItemType.LIBRARY,
    "ManualPlaylistsFolder": ItemType.LIBRARY,
}
MOST_PARTS = 99
# The command of a client that can show messages.
DISPLAY_MESSAGE = "DisplayMessage"
_DISCS = {"Dvd": "DVD", "BluRay": "Blu-ray"}
_KNOWN_REPEATS = {one.value: one for one in Repeat}


def to_item(base: BaseItem) -> Item:
    """Convert an item; what was not requested or is not known is None."""
    source = _own_source(base)
    image_item_id, image_tag = _choose_image(base)
    parts = min(max(1, base.part_count or 1), MOST_PARTS)
    album_artist = base.album_artist or _join(one.name for one in base.album_artists if one)
    return Item(
        id=base.id,
        type=_KNOWN_TYPES.get(base.type, ItemType.OTHER),
        title=base.name or "Untitled",
        artist=_share(_join(base.artists)),
        album=_share(base.album),
        album_id=_share(_choose_album_id(base)),
        album_artist=_share(album_artist),
        series=_share(base.series_name),
        series_id=_share(base.series_id),
        number=base.index_number,
        disc=base.parent_index_number,
        number_end=base.index_number_end,
        aired=_get_air_date(base),
        year=_choose_year(base),
        seconds=base.run_time_ticks / TICKS_PER_SECOND if base.run_time_ticks else None,
        extension=_get_extension(base, source),
        size=source.size if source else None,
        source_etag=source.e_tag if source else None,
        source_path=(source and source.path) or base.path,
        season_id=_share(base.season_id),
        artist_id=_share(next((one.id for one in base.album_artists if one and one.id), None)),
        image_item_id=_share(image_item_id),
        image_tag=_share(image_tag),
        is_favorite=base.user_data.is_favorite if base.user_data else None,
        can_download=base.can_download,
        is_remote=_is_remote(base, source),
        is_played=base.user_data.played if base.user_data else None,
        parts=parts,
        part=1 if parts > 1 else None,
        versions=_list_versions(base),
        disc_folder=_DISCS.get(base.video_type or ""),
        added_at=base.date_created,
        heard_at=base.user_data.last_played_date if base.user_data else None,
        times_heard=base.user_data.play_count if base.user_data else 0,
        rating=base.community_rating,
    )


def list_now_playing(
    sessions: Iterable[ClientSession], *, except_device: str
) -> tuple[NowPlaying, ...]:
    """Return what is playing, leaving out our own sessions and what was stopped.

    Args:
        sessions: As the server lists them; their queues are consumed.
        except_device: Our own device id; a device beside it begins with the same id and a dot.
    """
    listed = tuple(sessions)
    latest = _read_latest(listed)
    return tuple(
        _to_now_playing(session, session.now_playing_item, latest)
        for session in listed
        if session.now_playing_item is not None
        and not _is_ours(session.device_id, except_device)
        and not _is_stopped(session)
    )


def list_open_clients(
    sessions: Iterable[ClientSession], *, except_device: str
) -> tuple[tuple[OpenClient, ...], datetime | None]:
    """Return the sessions as messages need them, without our own, and the server's time.

    Args:
        sessions: As the server lists them.
        except_device: As for `list_now_playing`.
    """
    listed = tuple(sessions)
    clients = tuple(
        OpenClient(
            session_id=one.id,
            user_id=one.user_id,
            active_at=one.last_activity_date,
            is_connected=one.supports_remote_control,
            shows_messages=DISPLAY_MESSAGE in one.supported_commands,
            plays=one.now_playing_item.id if one.now_playing_item else None,
            plays_film=one.now_playing_item is not None and one.now_playing_item.type in FILMS,
        )
        for one in listed
        if not _is_ours(one.device_id, except_device)
    )
    return clients, _read_latest(listed)


def _read_latest(sessions: Iterable[ClientSession]) -> datetime | None:
    """Return the latest time in the sessions, ours included: by the server's clock, it is now.

    At least as late as that: when we begin to listen, our own session has just been active.
    """
    told = ((one.last_playback_check_in, one.last_activity_date) for one in sessions)
    return max((at for times in told for at in times if at is not None), default=None)


def _share(text: str | None) -> str | None:
    """Return the one copy of a text that many items have, so that a large library is small."""
    return None if text is None else intern(text)


def _is_stopped(session: ClientSession) -> bool:
    """Simple clients tell of their Stop only as paused at the very start, and say no more.

    The server lists what they played for another nine minutes. Feishin is one of them.
    """
    state = session.play_state
    return state.is_paused and not state.position_ticks and not session.supports_remote_control


def _is_ours(device_id: str | None, own: str) -> bool:
    return device_id is not None and (device_id == own or device_id.startswith(f"{own}."))


def _to_now_playing(
    session: ClientSession, item: PlayingItem, latest: datetime | None
) -> NowPlaying:
    state, reported = session.play_state, session.last_playback_check_in
    return NowPlaying(
        session_id=session.id,
        user_id=None if session.user_id == NO_USER else session.user_id,
        item=to_item(item),
        playlist_item_id=session.playlist_item_id,
        device_id=session.device_id,
        device_name=session.device_name,
        client=session.client,
        position_s=state.position_ticks / TICKS_PER_SECOND,
        is_paused=state.is_paused,
        checked_in=reported,
        silent_s=(latest - reported).total_seconds() if latest and reported else None,
        repeat=_KNOWN_REPEATS.get(state.repeat_mode or "", Repeat.NONE),
        is_shuffled=state.playback_order == "Shuffle",
        queue=_queue_from(session, item.id),
    )


def _queue_from(session: ClientSession, item_id: str) -> tuple[QueueEntry, ...]:
    """Return the queue from the current entry on; a queue without it belongs to another playback.

    Entries before it are read and dropped; those beyond the limit are never read.
    """
    entries = _read_queue(session)
    current = QueueEntry(item_id, session.playlist_item_id)
    for one in entries:
        if one == current:
            return tuple(islice(chain([one], entries), MOST_QUEUED))
    return ()


def _read_queue(session: ClientSession) -> Iterator[QueueEntry]:
    for one in session.now_playing_queue:
        if one is not None and one.id is not None:
            yield QueueEntry(one.id.replace("-", "").lower(), one.playlist_item_id)


def _join(names: Iterable[str | None]) -> str | None:
    return ", ".join(name for name in names if name) or None


def _choose_album_id(base: BaseItem) -> str | None:
    """Return the id of the item's album; for a part of an audiobook, of its folder."""
    if base.album_id is None and base.type == ItemType.AUDIO_BOOK:
        return base.parent_id
    return base.album_id


def _choose_year(base: BaseItem) -> int | None:
    if base.production_year:
        return base.production_year
    return base.premiere_date.year if base.premiere_date else None


def _get_air_date(base: BaseItem) -> date | None:
    if base.type != ItemType.EPISODE or base.premiere_date is None:
        return None
    return base.premiere_date.date()


def _own_source(base: BaseItem) -> MediaSource | None:
    """Return the item's own file: downloads serve that one, other versions are other items."""
    return next((one for one in base.media_sources if one and one.id == base.id), None)


def _list_versions(base: BaseItem) -> tuple[FileVersion, ...]:
    """Return the files of an item that has several; else nothing."""
    sources = [one for one in base.media_sources if one and one.id and not one.is_remote]
    if len(sources) < 2 or _own_source(base) is None:  # noqa: PLR2004 - several
        return ()
    return tuple(
        FileVersion(
            id=one.id or base.id,
            size=one.size,
            source_etag=one.e_tag,
            source_path=one.path,
            extension=_get_extension(base, one),
        )
        for one in sources
    )


def _choose_image(base: BaseItem) -> tuple[str | None, str | None]:
    candidates = (
        (base.id, base.image_tags.primary),
        (base.album_id, base.album_primary_image_tag),
        (base.series_id, base.series_primary_image_tag),
        (base.parent_primary_image_item_id, base.parent_primary_image_tag),
    )
    return next(((item, tag) for item, tag in candidates if item and tag), (None, None))


def _get_extension(base: BaseItem, source: MediaSource | None) -> str | None:
    """Return the file's extension: from its path, since `Container` may be `mov,mp4,m4a,3gp`.

    Only extensions of media count: another one would choose the program that opens the file.
    """
    for path in (source and source.path, base.path):
        if path and (found := extension_in(path.replace("\\", "/"))):
            return found
    container = ((source and source.container) or base.container or "").lower()
    return container if container in EXTENSIONS else None


def _is_remote(base: BaseItem, source: MediaSource | None) -> bool:
    if base.location_type in {"Virtual", "Remote"}:
        return True
    if source and (source.is_remote or source.protocol not in {None, "File"}):
        return True
    path = base.path or (source and source.path) or ""
    return path.lower().endswith(".strm") or "://" in path
