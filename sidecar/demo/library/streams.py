"""Media sources and streams of an item, as the API describes them.

Sizes, dates and lengths are the scan's, also when the file is another one by now.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from sidecar.demo.library.items import Caption, DemoItem, Media
from sidecar.demo.protocol.formats import Json, drop_nulls, fingerprint, ticks
from sidecar.demo.protocol.version import Version

_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_CONTAINERS = {"m4a": _MP4, "m4b": _MP4, "mp4": _MP4, "mov": _MP4, "opus": "ogg"}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_STANDARD_HEIGHTS = (240, 360, 480, 720, 1080, 2160)


def container(item: DemoItem) -> str | None:
    """Return the container of an item as the scan names it: for MP4 a list of names."""
    if item.media is None:
        return None
    extension = _extension(item)
    return _CONTAINERS.get(extension, extension)


def sources(item: DemoItem, speaks: Version) -> list[Json]:
    """Return the source of an item's own file; none for what has no file."""
    media = item.media
    if media is None:
        return []
    size_ticks = media.modified_ns // 100
    source: Json = {
        "Protocol": "File",
        "Id": item.id,
        "Path": item.path,
        "Type": "Default",
        "Container": "ogg" if _extension(item) == "opus" else _extension(item),
        "Size": media.size,
        "Name": PurePosixPath(item.path).stem,
        "IsRemote": False,
        "ETag": fingerprint(str(size_ticks)),
        "RunTimeTicks": ticks(media.seconds),
        "ReadAtNativeFramerate": False,
        "IgnoreDts": False,
        "IgnoreIndex": False,
        "GenPtsInput": False,
        "SupportsTranscoding": True,
        "SupportsDirectStream": True,
        "SupportsDirectPlay": True,
        "IsInfiniteStream": False,
        "UseMostCompatibleTranscodingProfile": False,
        "RequiresOpening": False,
        "RequiresClosing": False,
        "RequiresLooping": False,
        "SupportsProbing": True,
        "VideoType": (item.disc or "VideoFile") if item.kind.is_video else None,
        "MediaStreams": streams(item, media, speaks),
        "MediaAttachments": [],
        "Formats": [],
        "Bitrate": _bitrate(media),
        "RequiredHttpHeaders": {},
        "TranscodingSubProtocol": "http",
        "DefaultAudioStreamIndex": 1 if item.kind.is_video else 0,
        "HasSegments": False,
    }
    return [drop_nulls(source)]


def streams(item: DemoItem, media: Media, speaks: Version) -> list[Json]:
    """Return the streams: pictures if there are any, sound, subtitles that lie beside."""
    if item.kind.is_video:
        shown = [_pictures(media, speaks), _sound(media, "aac", 1, speaks)]
        return shown + [_subtitles(one, 2 + place) for place, one in enumerate(media.captions)]
    return [_sound(media, media.codec, 0, speaks)]


def _bitrate(media: Media) -> int:
    return media.bitrate or round(media.size * 8 / max(media.seconds, 1.0))


def _extension(item: DemoItem) -> str:
    return PurePosixPath(item.path).suffix.removeprefix(".").lower()


def _sound(media: Media, codec: str, index: int, speaks: Version) -> Json:
    older = not speaks.knows_original_streams and not index
    layout = _LAYOUTS.get(media.channels, "stereo")
    return drop_nulls(
        {
            "Codec": codec,
            "TimeBase": f"1/{media.sample_rate}",
            "VideoRange": "Unknown",
            "VideoRangeType": "Unknown",
            "AudioSpatialFormat": "None",
            "LocalizedDefault": "Default",
            "LocalizedExternal": "External",
            "LocalizedOriginal": "Original" if speaks.knows_original_streams else None,
            "DisplayTitle": f"{codec.upper()} - {layout.capitalize()}",
            "IsInterlaced": False,
            "IsAVC": False if older else None,
            "ChannelLayout": layout,
            "BitRate": _bitrate(media) if not index else 192000,
            "BitDepth": media.bit_depth,
            "Channels": media.channels,
            "SampleRate": media.sample_rate,
            "IsDefault": False,
            "IsForced": False,
            "IsHearingImpaired": False,
            "IsOriginal": False if speaks.knows_original_streams else None,
            "Type": "Audio",
            "Index": index,
            "IsExternal": False,
            "IsTextSubtitleStream": False,
            "SupportsExternalStream": False,
            "Level": 0 if older else None,
        }
    )


def _pictures(media: Media, speaks: Version) -> Json:
    height = next((one for one in _STANDARD_HEIGHTS if media.height <= one), media.height)
    return drop_nulls(
        {
            "Codec": media.codec,
            "TimeBase": "1/12800",
            "VideoRange": "SDR",
            "VideoRangeType": "SDR",
            "AudioSpatialFormat": "None",
            "DisplayTitle": f"{height}p {media.codec.upper()} SDR",
            "NalLengthSize": "4",
            "IsInterlaced": False,
            "IsAVC": True,
            "BitRate": _bitrate(media),
            "BitDepth": 8,
            "RefFrames": 1,
            "IsDefault": True,
            "IsForced": False,
            "IsHearingImpaired": False,
            "IsOriginal": False if speaks.knows_original_streams else None,
            "Height": media.height,
            "Width": media.width,
            "AverageFrameRate": 25,
            "RealFrameRate": 25,
            "ReferenceFrameRate": 25,
            "Profile": "High",
            "Type": "Video",
            "AspectRatio": "16:9",
            "Index": 0,
            "IsExternal": False,
            "IsTextSubtitleStream": False,
            "SupportsExternalStream": False,
            "PixelFormat": "yuv420p",
            "Level": 12,
            "IsAnamorphic": False,
        }
    )


def _subtitles(one: Caption, index: int) -> Json:
    ending = one.file.suffix.removeprefix(".")
    return drop_nulls(
        {
            "Codec": "subrip" if ending == "srt" else ending,
            "Language": one.language,
            "TimeBase": "1/1000",
            "VideoRange": "Unknown",
            "VideoRangeType": "Unknown",
            "AudioSpatialFormat": "None",
            "LocalizedUndefined": "Undefined",
            "LocalizedDefault": "Default",
            "LocalizedForced": "Forced",
            "LocalizedExternal": "External",
            "LocalizedHearingImpaired": "Hearing Impaired",
            "DisplayTitle": f"{one.language or 'Undefined'} - {ending.upper()} - External",
            "IsInterlaced": False,
            "IsDefault": False,
            "IsForced": one.is_forced,
            "IsHearingImpaired": one.is_for_deaf,
            "Height": 0,
            "Width": 0,
            "Type": "Subtitle",
            "Index": index,
            "IsExternal": True,
            "IsTextSubtitleStream": True,
            "SupportsExternalStream": True,
            "Path": f"/media/{one.file.name}",
            "Level": 0,
        }
    )
