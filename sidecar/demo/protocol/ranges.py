"""Which bytes of a file answer a request: ranges and validators, as the real server judges them.

    If-Unmodified-Since older than the file   412     If-Modified-Since not older   304
    one range that fits                       206     one that starts past the end  416
    several ranges, or no sense               200     If-Range: "etag"              no effect

Not werkzeug's `make_conditional`: it ignores If-Unmodified-Since, answers 206 where a range meets
an If-Modified-Since, 416 to several ranges, to nonsense and to more last bytes than there are, and
heeds an etag in If-Range.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from urllib.parse import quote

from werkzeug.http import parse_date

from sidecar.demo.protocol.formats import now

log = logging.getLogger(__name__)

Header = Callable[[str], str | None]

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)
# Large blocks: the kernel's own way is many times slower on a socket with a time-out.
_BLOCK = 1024 * 1024
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"
_TYPES = {
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".mkv": "video/x-matroska",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """The size and date of a file now; the date in whole seconds, as in headers."""

    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class FileRange:
    """The answer to a request for a range: a status, and `length` bytes from `start`.

    Attributes:
        content_range: The header of that name; None where there is none.
    """

    status: HTTPStatus
    start: int = 0
    length: int = 0
    content_range: str | None = None


def stat_file(file: Path) -> FileSnapshot | None:
    """Return the state of a file now; None if it does not exist or is no file."""
    try:
        stat = os.stat(file)  # noqa: PTH116 - the fields of one call belong together
    except OSError:
        return None
    if not S_ISREG(stat.st_mode):
        return None
    return FileSnapshot(stat.st_size, datetime.fromtimestamp(int(stat.st_mtime), UTC))


def select_range(sight: FileSnapshot, header: Header) -> FileRange:
    """Return the range of a file that a request with these headers gets."""
    refused = _precondition(sight.modified, header)
    if refused is not None:
        return FileRange(refused)
    whole = FileRange(HTTPStatus.OK, 0, sight.size)
    found = _RANGE.fullmatch(header("Range") or "")
    if found is None or not any(found.groups()) or _is_newer_than_range(sight.modified, header):
        return whole
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return whole
    start = int(first) if first else max(0, sight.size - int(last))
    end = min(int(last), sight.size - 1) if first and last else sight.size - 1
    if start >= sight.size:
        return FileRange(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, 0, f"bytes */{sight.size}")
    content_range = f"bytes {start}-{end}/{sight.size}"
    return FileRange(HTTPStatus.PARTIAL_CONTENT, start, end - start + 1, content_range)


def read_blocks(file: Path, part: FileRange) -> Iterator[bytes]:
    """Yield the bytes of a part; fewer if the file became shorter, or went, since the look."""
    left = part.length
    try:
        with file.open("rb") as opened:
            opened.seek(part.start)
            while left and (block := opened.read(min(_BLOCK, left))):
                left -= len(block)
                yield block
    except OSError as gone:
        log.warning("the demo server could not read %s to its end: %s", file, gone)


def content_type(path: str) -> str:
    """Return the content type of a file by its extension."""
    return _TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def disposition(path: str) -> str:
    """Return the header that gives a download the name that its file has on the server."""
    name = PurePosixPath(path).name.replace('"', "")
    ascii_name = "".join(one if " " <= one <= "~" else "_" for one in name)
    short = ascii_name if _TOKEN.fullmatch(ascii_name) else f'"{ascii_name}"'
    return f"attachment; filename={short}; filename*=UTF-8''{quote(name, _ATTRIBUTE_CHARACTERS)}"


def _precondition(modified: datetime, header: Header) -> HTTPStatus | None:
    unmodified_since = _past_date(header("If-Unmodified-Since"))
    if unmodified_since is not None and modified > unmodified_since:
        return HTTPStatus.PRECONDITION_FAILED
    modified_since = _past_date(header("If-Modified-Since"))
    if modified_since is not None and modified <= modified_since:
        return HTTPStatus.NOT_MODIFIED
    return None


def _is_newer_than_range(modified: datetime, header: Header) -> bool:
    date = parse_date(header("If-Range"))
    return date is not None and modified > date


def _past_date(text: str | None) -> datetime | None:
    date = parse_date(text)
    # A date that is yet to come says nothing about the file.
    return date if date is not None and date <= now() else None
