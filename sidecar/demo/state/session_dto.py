"""Converts sessions to the API's JSON: without nulls, with the queue as the version has it."""

from __future__ import annotations

from sidecar.demo.library.dto import DtoBuilder
from sidecar.demo.protocol.formats import Json, drop_nulls, format_date, parse_id
from sidecar.demo.state.sessions import DemoSession
from sidecar.demo.state.users import DemoUser

_PLAY_STATE = [
    "PositionTicks",
    "CanSeek",
    "IsPaused",
    "IsMuted",
    "VolumeLevel",
    "AudioStreamIndex",
    "SubtitleStreamIndex",
    "MediaSourceId",
    "PlayMethod",
    "RepeatMode",
    "PlaybackOrder",
]


def build_session_dto(session: DemoSession, dto_builder: DtoBuilder, user: DemoUser | None) -> Json:
    """Return a session as the API's JSON."""
    capabilities = session.capabilities
    queue = (
        _queue_in_full(session, dto_builder)
        if dto_builder.speaks.tells_queued_items_in_full
        else None
    )
    told: Json = {
        "PlayState": {
            name: session.play_state[name] for name in _PLAY_STATE if name in session.play_state
        },
        "AdditionalUsers": [],
        "Capabilities": capabilities,
        "RemoteEndPoint": session.remote,
        "PlayableMediaTypes": capabilities["PlayableMediaTypes"],
        "Id": session.id,
        "UserId": session.user_id,
        "UserName": user.name if user else None,
        "Client": session.client,
        "LastActivityDate": format_date(session.last_activity),
        "LastPlaybackCheckIn": format_date(session.last_check_in),
        "LastPausedDate": format_date(session.last_paused),
        "DeviceName": session.device,
        "NowPlayingItem": dto_builder.playing_item(session.item) if session.item else None,
        "DeviceId": session.device_id,
        "ApplicationVersion": session.version,
        "IsActive": True,
        "SupportsMediaControl": capabilities["SupportsMediaControl"],
        "SupportsRemoteControl": session.is_controllable,
        "NowPlayingQueue": session.queue,
        "NowPlayingQueueFullItems": queue,
        "HasCustomDeviceName": False,
        "PlaylistItemId": session.playlist_item_id,
        "ServerId": dto_builder.server_id,
        "SupportedCommands": capabilities["SupportedCommands"],
    }
    return drop_nulls(told)


def _queue_in_full(session: DemoSession, dto_builder: DtoBuilder) -> list[Json]:
    ids = (parse_id(str(one.get("Id") or "")) for one in session.queue)
    items = (dto_builder.library.get(one) for one in ids)
    return [dto_builder.queued_item(item) for item in items if item is not None]
