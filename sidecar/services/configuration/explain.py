"""Says in one sentence what a setting takes, for whoever has typed something else."""

from __future__ import annotations

from sidecar.config.schema import KeyKind, SettingKey
from sidecar.errors import ConfigError
from sidecar.messages import msg

# The values of other kinds say by themselves what they are.
_EXAMPLES = {
    "jellyfin.url": msg("Enter an address such as http://192.168.1.10:8096"),
    "server.host": msg("Enter an address of this machine such as 127.0.0.1, or 0.0.0.0 for all"),
    "server.base_url": msg("Enter a path such as /sidecar"),
    "server.allowed_hosts": msg("Enter names such as sidecar.example.org, separated by commas"),
    "server.trusted_proxies": msg("Enter addresses such as 10.0.0.2, separated by commas"),
    "server.jellyfin_web_origins": msg(
        "Enter addresses without a path such as https://jellyfin.example.org, separated by commas"
    ),
    "syncthing.url": msg("Enter an address such as http://127.0.0.1:8384"),
    "transfer.aria2.url": msg("Enter an address such as http://127.0.0.1:6800/jsonrpc"),
    "network.time_zone": msg("Enter a time zone such as Europe/Berlin"),
    "network.quiet_hours": msg("Enter hours such as 22:00-06:30, several separated by commas"),
    "backup.at": msg("Enter a time of day such as 03:30"),
    "transfer.busy_hours": msg("Enter hours such as 18:00-23:00, several separated by commas"),
    "devices.time_zone": msg("Enter a time zone such as Europe/Berlin"),
    "devices.bitrate": msg(
        "Enter a bitrate such as 128k: Opus takes 32k to 256k, MP3 and AAC 64k to 320k"
    ),
    "devices.audio_languages": msg("Enter codes of languages such as de, en"),
    "devices.subtitle_languages": msg("Enter codes of languages such as de, en"),
    "devices.tag_separator": msg("Enter one to eight characters"),
}
_SPEEDS = ("speed_limit", "busy_speed_limit")


def explain_refusal(place: str, key: SettingKey, error: ConfigError) -> str:
    """Return the sentence for a value that is refused.

    Args:
        place: The whole name of the setting, such as "transfer.workers".
        key: What the setting takes.
        error: Why the value is refused.
    """
    if place in _EXAMPLES:
        return _EXAMPLES[place]
    match key.kind:
        case KeyKind.NUMBER:
            return msg(
                "Enter a whole number from {least} to {most}",
                least=key.least or 0,
                most=key.most or 0,
            )
        case KeyKind.TIME:
            return msg("Enter a time such as 30 seconds, 10 minutes or 1 day")
        case KeyKind.SIZE if key.name in _SPEEDS:
            return msg("Enter a speed such as 2 MB; the least is 1 kB")
        case KeyKind.SIZE:
            return msg("Enter a size such as 10 GB")
        case _:
            return error.reason
