"""What the settings of devices and rules are called on the page, and what the rules do."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from sidecar.services.rules.settings_view import Value
from sidecar.web.i18n.numbers import translatable

UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


@dataclass(frozen=True, slots=True)
class RuleLabel:
    """A rule in words."""

    name: str
    what: str


RULES = MappingProxyType(
    {
        "queue_ahead": RuleLabel(
            translatable("Next in the queue"),
            translatable("While you play, the tracks that come next are fetched before all else."),
        ),
        "playlists": RuleLabel(
            translatable("Playlists"),
            translatable("The playlists that you choose are kept whole and in order."),
        ),
        "album_affinity": RuleLabel(
            translatable("Albums you like"),
            translatable("Who really plays several tracks of an album gets the rest of it."),
        ),
        "next_up": RuleLabel(
            translatable("Next up"),
            translatable("The next episodes and parts of what you are in the middle of."),
        ),
        "latest": RuleLabel(
            translatable("Newly added"),
            translatable("The albums that were added to the library last."),
        ),
    }
)
KEYS = MappingProxyType(
    {
        "enabled": translatable("On"),
        "grace": translatable("When it is not wanted any more, it stays for another"),
        "count": translatable("How many"),
        "minutes": translatable("Minutes in place of a number (0: the number counts)"),
        "expires": translatable("A client that is silent for so long has stopped"),
        "threshold": translatable("Tracks that must have been played"),
        "window": translatable("Within the last"),
        "most_series": translatable("Of so many series at most"),
        "albums": translatable("How many albums"),
        "budget": translatable("Room for our files"),
        "reserve": translatable("Always stays free"),
        "paused": translatable("Paused: nothing comes and nothing goes"),
        "cast": translatable("Shown in the cast menu of Jellyfin clients"),
        "network": translatable("Networks for what rules fetch"),
        "speed_limit": translatable("Speed limit a second"),
        "format": translatable("Format of its music"),
        "bitrate": translatable("Bitrate, such as 128k"),
        "keep_original": translatable("Originals of what was converted stay, hidden"),
        "album_playlists": translatable("A playlist for each album"),
        "covers": translatable("Covers beside the files"),
        "lyrics": translatable("Lyrics beside the files"),
        "subtitles": translatable("Subtitles beside the films"),
        "index": translatable("A page on it that shows what is there"),
        "time_zone": translatable("Time zone of the player's clock, such as Europe/Berlin"),
        "preset": translatable("What plays it"),
    }
)
OPTIONS = MappingProxyType(
    {
        "any": translatable("any network"),
        "original": translatable("as it is on the server"),
        "unmetered": translatable("only unmetered networks"),
        "wifi": translatable("only Wi-Fi"),
        "generic": translatable("any player"),
        "rockbox": translatable("Rockbox"),
        "car": translatable("a car stereo"),
        "android": translatable("an Android phone"),
        "jellyfin": translatable("another Jellyfin server"),
    }
)


def size(octets: Value) -> str:
    """Return bytes as they are written in a field, exactly: `10 GB`, `1500 MB`; nothing for None.

    >>> size(10_500_000_000)
    '10500 MB'
    """
    if not isinstance(octets, int) or octets == 0:
        return "" if octets is None else str(octets)
    return next(
        (f"{octets // unit} {name}" for unit, name in UNITS if octets % unit == 0), f"{octets} B"
    )
