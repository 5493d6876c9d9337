"""What a file on a device says of itself: its tags and its length, read with mutagen.

Reads only. A file that is damaged, or of a kind that has no tags, says nothing.
"""

from __future__ import annotations

import errno
import io
import struct
from collections.abc import Iterable, Mapping

import mutagen

from sidecar.device.errors import as_device_error
from sidecar.device.folder import DeviceFolder
from sidecar.domain.imports.adoption import Tags

_BLOCK = 64 * 1024
# What mutagen lets through of files that are not what they seem.
_DAMAGED = (
    mutagen.MutagenError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    ArithmeticError,
    struct.error,
)


def read_tags(folder: DeviceFolder, path: str) -> Tags:
    """Return the tags of a file; empty ones if it has none that can be read.

    Raises:
        errors.DeviceError: The file cannot be read.
    """
    with (
        as_device_error(folder.name, folder.root),
        folder.open(path) as raw,
        io.BufferedReader(raw, _BLOCK) as file,  # type: ignore[type-var]  # raw is unbuffered
    ):
        try:
            found = mutagen.File(file, easy=True)
            return Tags() if found is None else _convert_tags(found)
        except _DAMAGED as error:
            cause = error if isinstance(error, OSError) else error.__context__
            # A damaged file sends its reader to places that are not there: that is EINVAL.
            if isinstance(cause, OSError) and cause.errno not in {None, errno.EINVAL}:
                raise cause from None
            return Tags()


def _convert_tags(found: mutagen.FileType) -> Tags:
    told: Mapping[str, Iterable[object]] = found.tags or {}
    return Tags(
        title=_join(told.get("title")),
        artist=_join(told.get("artist")),
        album_artist=_join(told.get("albumartist")),
        album=_join(told.get("album")),
        number=_parse_number(_join(told.get("tracknumber"))),
        seconds=getattr(found.info, "length", None) or None,
    )


def _join(values: Iterable[object] | None) -> str | None:
    if values is None:
        return None
    texts = [values] if isinstance(values, str) else [str(one) for one in values]
    return ", ".join(one.strip() for one in texts if one.strip()) or None


def _parse_number(text: str | None) -> int | None:
    digits = (text or "").partition("/")[0].strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else None  # noqa: PLR2004 - no album has so many tracks
