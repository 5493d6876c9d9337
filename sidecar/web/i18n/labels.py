"""Labels of the settings and their options, and sizes for the fields of forms."""

from __future__ import annotations

from types import MappingProxyType

from sidecar.config.schema import SettingKey
from sidecar.domain.rules.registry import RULE_OF
from sidecar.services.rules.settings.view import Value
from sidecar.web.i18n.numbers import translatable

UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


OPTIONS = MappingProxyType(
    {
        "threads": translatable("Built in"),
        "aria2": translatable("aria2"),
        "opus": translatable("Opus"),
        "mp3": translatable("MP3"),
        "aac": translatable("AAC"),
        "any": translatable("Any network"),
        "original": translatable("Original"),
        "1080p": translatable("At most 1080p (H.264 in MP4)"),
        "720p": translatable("At most 720p (H.264 in MP4)"),
        "player": translatable("What this type of player takes"),
        "largest": translatable("The largest that fits"),
        "smallest": translatable("The smallest"),
        "first": translatable("The one that Jellyfin plays first"),
        "unmetered": translatable("Unmetered networks only"),
        "wifi": translatable("Wi-Fi only"),
        "generic": translatable("Generic"),
        "rockbox": translatable("Rockbox"),
        "car": translatable("Car stereo"),
        "android": translatable("Android phone, also by Syncthing"),
        "jellyfin": translatable("Jellyfin server"),
    }
)


SECTIONS = MappingProxyType(
    {
        "transfer": translatable("Downloads"),
        "transfer.aria2": translatable("aria2"),
        "database": translatable("Database"),
        "redis": translatable("Redis"),
    }
)


def name_value(key: SettingKey, value: object) -> str:
    """Return what the named value of a slider is called that is nearest to a value, in English."""
    if not isinstance(value, int):
        return ""
    return min(key.named, key=lambda one: abs(one[0] - value))[1]


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
    return key.label or key.name


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
