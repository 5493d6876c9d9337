"""Labels of the settings on the device page, and sizes for its form fields."""

from __future__ import annotations

from types import MappingProxyType

from sidecar.config.schema import SettingKey
from sidecar.domain.rules.registry import RULE_OF
from sidecar.services.rules.settings_view import Value
from sidecar.web.i18n.numbers import translatable

UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


# The settings of a device; those of rules have their own labels.
DEVICE_KEYS = MappingProxyType(
    {
        "budget": translatable("Room for our files"),
        "reserve": translatable("Always stays free"),
        "paused": translatable("Paused: nothing comes and nothing goes"),
        "cast": translatable("Shown in the cast menu of Jellyfin clients"),
        "network": translatable("Networks for what rules fetch"),
        "speed_limit": translatable("Speed limit a second"),
        "format": translatable("Format of its music"),
        "bitrate": translatable("Bitrate, such as 128k"),
        "video": translatable("Format of its films and series"),
        "audio_languages": translatable("Sound of converted films, such as de, en"),
        "subtitle_languages": translatable("Subtitles of converted films, such as de, en"),
        "keep_original": translatable("Originals of what was converted stay, hidden"),
        "complete_tags": translatable("Missing and broken tags of its music from Jellyfin"),
        "tag_separator": translatable("Between several artists, where tags have room for one text"),
        "album_playlists": translatable("A playlist for each album"),
        "covers": translatable("Covers beside the files"),
        "lyrics": translatable("Lyrics beside the files"),
        "subtitles": translatable("Subtitles beside the films"),
        "index": translatable("A page on it that shows what is there"),
        "time_zone": translatable("Time zone of the player's clock, such as Europe/Berlin"),
        "preset": translatable("What plays it"),
        "music": translatable("Takes music"),
        "audiobooks": translatable("Takes audiobooks"),
        "films": translatable("Takes films"),
        "series": translatable("Takes series"),
        "music_videos": translatable("Takes music videos"),
        "versions": translatable("Of films in several versions"),
    }
)
OPTIONS = MappingProxyType(
    {
        "threads": translatable("built in"),
        "aria2": translatable("aria2"),
        "any": translatable("any network"),
        "original": translatable("as it is on the server"),
        "1080p": translatable("at most 1080p, H.264 in MP4"),
        "720p": translatable("at most 720p, H.264 in MP4"),
        "player": translatable("as its kind of player takes it"),
        "largest": translatable("the largest that fits"),
        "smallest": translatable("the smallest"),
        "first": translatable("the one that Jellyfin plays first"),
        "unmetered": translatable("only unmetered networks"),
        "wifi": translatable("only Wi-Fi"),
        "generic": translatable("any player"),
        "rockbox": translatable("Rockbox"),
        "car": translatable("a car stereo"),
        "android": translatable("an Android phone"),
        "jellyfin": translatable("another Jellyfin server"),
    }
)


SECTIONS = MappingProxyType(
    {
        "transfer": translatable("Downloads"),
        "transfer.aria2": translatable("aria2"),
    }
)


def section(name: str) -> str:
    """Return the title of a section of the settings, in English."""
    rule = RULE_OF.get(name.removeprefix("rules."))
    return rule.label if rule else SECTIONS.get(name, name)


def section_details(name: str) -> str:
    """Return what a section of the settings is about, in English; may be empty."""
    rule = RULE_OF.get(name.removeprefix("rules."))
    return rule.description if rule else ""


def setting(key: SettingKey) -> str:
    """Return the label of a setting, in English."""
    return key.label or DEVICE_KEYS.get(key.name, key.name)


def size(octets: Value) -> str:
    """Return a size without rounding, for a form field: `10 GB`, `1500 MB`; empty for None.

    >>> size(10_500_000_000)
    '10500 MB'
    """
    if not isinstance(octets, int) or octets == 0:
        return "" if octets is None else str(octets)
    return next(
        (f"{octets // unit} {name}" for unit, name in UNITS if octets % unit == 0), f"{octets} B"
    )
