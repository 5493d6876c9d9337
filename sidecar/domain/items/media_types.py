"""What kind of media a file holds, by its name: only types that cannot carry a script."""

from __future__ import annotations

from types import MappingProxyType

UNKNOWN = "application/octet-stream"
_BY_EXTENSION = MappingProxyType(
    {
        "aac": "audio/aac",
        "ac3": "audio/ac3",
        "aif": "audio/aiff",
        "aiff": "audio/aiff",
        "alac": "audio/mp4",
        "ape": "audio/x-ape",
        "dsf": "audio/x-dsf",
        "flac": "audio/flac",
        "m4a": "audio/mp4",
        "m4b": "audio/mp4",
        "mka": "audio/x-matroska",
        "mp2": "audio/mpeg",
        "mp3": "audio/mpeg",
        "mpc": "audio/x-musepack",
        "oga": "audio/ogg",
        "ogg": "audio/ogg",
        "opus": "audio/ogg",
        "wav": "audio/wav",
        "wma": "audio/x-ms-wma",
        "wv": "audio/x-wavpack",
        "3gp": "video/3gpp",
        "avi": "video/x-msvideo",
        "flv": "video/x-flv",
        "m2ts": "video/mp2t",
        "m4v": "video/mp4",
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp4": "video/mp4",
        "mpeg": "video/mpeg",
        "mpg": "video/mpeg",
        "ogv": "video/ogg",
        "ts": "video/mp2t",
        "webm": "video/webm",
        "wmv": "video/x-ms-wmv",
    }
)


def guess_media_type(name: str, told: str | None = None) -> str:
    """Return the type of a file by its name; of one that nobody knows what the server `told`."""
    found = _BY_EXTENSION.get(name.rpartition(".")[2].lower())
    return found or restrict_media_type(told)


def restrict_media_type(told: str | None) -> str:
    """Return a type that was told, if it is one of sound or pictures that move."""
    plain = (told or "").partition(";")[0].strip().lower()
    is_plain = plain.isascii() and plain.isprintable() and " " not in plain
    return plain if is_plain and plain.startswith(("audio/", "video/")) else UNKNOWN
