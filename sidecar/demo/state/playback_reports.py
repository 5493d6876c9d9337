"""Applies players' reports to sessions and to user data.

    start      PlayCount + 1, music is played from here     announced
    progress   position                                     not announced
    stopped    position, or finished without one            announced

One version loads a session's user data at the start and writes *that* back with every report,
so a heart that was pressed in between is forgotten. A report of another item loads it afresh.
"""

from __future__ import annotations

from typing import Any

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.formats import Json, now, parse_id
from sidecar.demo.state.core import ServerState
from sidecar.demo.state.sessions import DemoSession
from sidecar.demo.state.user_data import UserData

Body = dict[str, Any]

_STATE = {
    "positionticks": "PositionTicks",
    "canseek": "CanSeek",
    "ispaused": "IsPaused",
    "ismuted": "IsMuted",
    "volumelevel": "VolumeLevel",
    "audiostreamindex": "AudioStreamIndex",
    "subtitlestreamindex": "SubtitleStreamIndex",
    "mediasourceid": "MediaSourceId",
    "playmethod": "PlayMethod",
    "repeatmode": "RepeatMode",
    "playbackorder": "PlaybackOrder",
}


def on_start(core: ServerState, session: DemoSession, body: Body) -> None:
    """Apply a report that a playback began."""
    item = _item(core, body)
    _load(core, session, item)
    _note(core, session, body)
    if item is None or session.remembered is None:
        return
    user_data = session.remembered.after_start(
        item, now(), unticks_films=core.speaks.unticks_started_films
    )
    _save(core, session, item, user_data)
    core.activity_log.playback(core.users.by_id[session.user_id], item, session, has_begun=True)
    _announce(core, session, item)


def on_progress(core: ServerState, session: DemoSession, body: Body) -> None:
    """Apply a report of a position."""
    item = _item(core, body)
    if item is None or session.item is None or session.item.id != item.id:
        _load(core, session, item)
    _note(core, session, body)
    if item is not None:
        user_data = _user_data(core, session, item)
        _save(core, session, item, user_data.after_position(item, session.position_ticks))
    core.news.sessions_changed()


def on_stop(core: ServerState, session: DemoSession, body: Body) -> None:
    """Apply a report that a playback stopped."""
    item = _item(core, body) or session.item
    if item is not None and (session.item is None or session.item.id != item.id):
        _load(core, session, item)
    queue = body.get("nowplayingqueue")
    if queue is not None:
        session.queue = _queue(queue)
    session.playlist_item_id = body.get("playlistitemid") or session.playlist_item_id
    if item is not None and not body.get("failed"):
        user_data = _user_data(core, session, item)
        position = body.get("positionticks")
        ended = (
            user_data.after_end()
            if position is None
            else user_data.after_position(item, int(position))
        )
        _save(core, session, item, ended)
    session.clear_playback()
    session.last_check_in = session.last_activity = now()
    if item is not None:
        core.activity_log.playback(
            core.users.by_id[session.user_id], item, session, has_begun=False
        )
        _announce(core, session, item)


def advance_playback(core: ServerState) -> None:
    """Advance all playbacks, and notify subscribers."""
    moved = [one.advance(core.timing.progress_tick_s) for one in core.sessions]
    if any(moved):
        core.news.positions_changed()


def stop_abandoned(core: ServerState) -> None:
    """Stop the playback of sessions whose players have not reported for too long."""
    for session in core.sessions:
        if session.is_abandoned(core.timing.idle_s):
            on_stop(core, session, {"positionticks": session.position_ticks})


def _load(core: ServerState, session: DemoSession, item: DemoItem | None) -> None:
    session.item = item
    session.remembered = core.user_data.get(session.user_id, item) if item else None


def _user_data(core: ServerState, session: DemoSession, item: DemoItem) -> UserData:
    if core.speaks.forgets_hearts and session.remembered is not None:
        return session.remembered
    return core.user_data.get(session.user_id, item)


def _save(core: ServerState, session: DemoSession, item: DemoItem, user_data: UserData) -> None:
    session.remembered = user_data
    core.user_data.save(session.user_id, item, user_data)
    core.save_soon()


def _announce(core: ServerState, session: DemoSession, item: DemoItem) -> None:
    core.news.user_data_changed(session.user_id, [item])
    core.news.sessions_changed()


def _note(core: ServerState, session: DemoSession, body: Body) -> None:
    """Store a report's data in the session."""
    was_paused = session.is_paused
    state = {name: body[key] for key, name in _STATE.items() if body.get(key) is not None}
    if "PositionTicks" in state:
        # Numbers may come as texts.
        state["PositionTicks"] = int(state["PositionTicks"])
    if session.item is not None:
        state.setdefault("MediaSourceId", session.item.id)
    session.play_state = session.play_state | {"CanSeek": False, "IsPaused": False} | state
    session.play_state.setdefault("PositionTicks", 0)
    if session.play_state.get("PlayMethod") == "Transcode":
        # There is no live transcode here, and the server believes itself, not the player.
        session.play_state["PlayMethod"] = "DirectPlay"
    session.playlist_item_id = body.get("playlistitemid") or session.playlist_item_id
    queue = body.get("nowplayingqueue")
    if queue and core.speaks.keeps_every_reported_queue:
        session.queue = _queue(queue)
    session.last_check_in = session.last_activity = now()
    if not session.is_paused:
        session.last_paused = None
    elif not was_paused:
        session.last_paused = now()


def _queue(entries: list[Json]) -> list[Json]:
    return [
        {name: one[name] for name in ("Id", "PlaylistItemId") if name in one} for one in entries
    ]


def _item(core: ServerState, body: Body) -> DemoItem | None:
    return core.find(parse_id(str(body.get("itemid") or "")))
