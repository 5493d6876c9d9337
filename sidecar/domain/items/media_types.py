"""Media types by file extension: only types that cannot contain a script.

No other extensions reach a device: `.html`, `.lnk` or `.desktop` files would be run by
whoever opens it there.
"""

from __future__ import annotations

from types import MappingProxyType

UNKNOWN = "application/octet-stream"
# The extension of files with any other: no system opens it with a program.
PLAIN = "bin"
_BY_EXTENSION = MappingProxyType(
    {
        "aac": "audio/aac",
        "ac3": "audio/ac3",
        "aif": "audio/aiff",
        "aifc": "audio/aiff",
        "aiff": "audio/aiff",
        "alac": "audio/mp4",
        "amr": "audio/amr",
        "ape": "audio/x-ape",
        "caf": "audio/x-caf",
        "dff": "audio/x-dff",
        "dsf": "audio/x-dsf",
        "dts": "audio/vnd.dts",
        "eac3": "audio/eac3",
        "flac": "audio/flac",
        "m4a": "audio/mp4",
        "m4b": "audio/mp4",
        "mka": "audio/x-matroska",
        "mp2": "audio/mpeg",
        "mp3": "audio/mpeg",
        "mpc": "audio/x-musepack",
        "mpga": "audio/mpeg",
        "oga": "audio/ogg",
        "ogg": "audio/ogg",
        "opus": "audio/ogg",
        "spx": "audio/ogg",
        "tak": "audio/x-tak",
        "tta": "audio/x-tta",
        "wav": "audio/wav",
        "weba": "audio/webm",
        "wma": "audio/x-ms-wma",
        "wv": "audio/x-wavpack",
        "3g2": "video/3gpp2",
        "3gp": "video/3gpp",
        "asf": "video/x-ms-asf",
        "avi": "video/x-msvideo",
        "divx": "video/x-msvideo",
        "f4v": "video/mp4",
        "flv": "video/x-flv",
        "m2ts": "video/mp2t",
        "m2v": "video/mpeg",
        "m4v": "video/mp4",
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp4": "video/mp4",
        "mpeg": "video/mpeg",
        "mpg": "video/mpeg",
        "mts": "video/mp2t",
        "ogm": "video/ogg",
        "ogv": "video/ogg",
        "ts": "video/mp2t",
        "vob": "video/mpeg",
        "webm": "video/webm",
        "wmv": "video/x-ms-wmv",
    }
)
EXTENSIONS = frozenset(_BY_EXTENSION)


def extension_in(name: str) -> str:
    """Return the extension of a file name in lower case if it is one of media; else ""."""
    found = name.rpartition("/")[2].rpartition(".")
    extension = found[2].lower()
    return extension if found[0] and extension in EXTENSIONS else ""


def guess_media_type(name: str, told: str | None = None) -> str:
    """Return the type of a file by its name; for an unknown extension the server's (`told`)."""
    found = _BY_EXTENSION.get(name.rpartition(".")[2].lower())
    return found or restrict_media_type(told)


def restrict_media_type(told: str | None) -> str:
    """Return the server's type if it is an audio or video type."""
    plain = (told or "").partition(";")[0].strip().lower()
    is_plain = plain.isascii() and plain.isprintable() and " " not in plain
    return plain if is_plain and plain.startswith(("audio/", "video/")) else UNKNOWN
