"""Judges a response before one byte of it is written: append, start over, whole already, or failed.

    200                        start over with this very body
    206, same start and total  append
    416 */N, N bytes held      whole already
    anything else              a failure, with its class and a sentence for people

What is complete is decided by what the responses of one transfer agree on; the size at the
server's last scan is a hint. Jellyfin sends a `Last-Modified` and no `ETag`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from sidecar.domain.downloads import Validator
from sidecar.domain.failures import Failure, FailureClass, TransferFailed

LONGEST_RETRY_AFTER_S = 3600.0
LARGEST_FILE = 2**62
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,19})")
_HTML = re.compile(rb"\s*<(!doctype html|html|head|body)[\s>]", re.IGNORECASE)

Headers = Mapping[str, str]

# A 404 says that there is no file: whoever knows the item asks whether the item is gone as well.
_NO_FILE = (FailureClass.FILE_AWAY, "Jellyfin at {host} has no file for it now")
_SOME_ERROR = (FailureClass.TRANSIENT, "{host} answered with an error ({status})")
_REFUSALS = {
    400: (FailureClass.REFUSED, "Jellyfin does not offer this item as a file"),
    401: (FailureClass.SIGNED_OUT, "Jellyfin at {host} does not accept the sign-in"),
    403: (FailureClass.REFUSED, "Jellyfin does not let this account download it"),
    404: _NO_FILE,
    410: _NO_FILE,
    429: (FailureClass.TRANSIENT, "{host} asks us to come back later"),
    503: (FailureClass.SERVER_AWAY, "Jellyfin at {host} is not ready"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        host: The server's name, for the sentences.
        start: The first byte asked for; 0 means the whole file.
        validator: What the bytes before `start` belong to; None when `start` is 0.
    """

    host: str
    start: int = 0
    validator: Validator | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """Write the body from `start` on.

    Attributes:
        start: Where its first byte belongs; 0 means that nothing held before counts.
        validator: What every byte of the part belongs to from now on.
        mime_type: Without parameters; None if the server named none.
    """

    start: int
    validator: Validator
    mime_type: str | None


@dataclass(frozen=True, slots=True)
class AlreadyWhole:
    """Everything is there: no body is needed."""


@dataclass(frozen=True, slots=True)
class FromZero:
    """What is held cannot be gone on with, and this response has no body to use: ask for all."""


def judge(status: int, headers: Headers, asked: Asked) -> Body | AlreadyWhole | FromZero:
    """Say what a response means.

    Args:
        status: The HTTP status.
        headers: By lower-case name.
        asked: What was asked for.

    Raises:
        TransferFailed: It cannot be used.
    """
    if status in {200, 206}:
        _refuse_what_is_no_media(headers, asked)
        return _whole(headers) if status == 200 else _piece(headers, asked)  # noqa: PLR2004
    if status == 416 and asked.start:  # noqa: PLR2004 - range not satisfiable
        return _past_the_end(headers, asked)
    if status == 412 and asked.start:  # noqa: PLR2004 - precondition failed
        raise _changed(asked)
    raise TransferFailed(_refusal(status, headers, asked))


def may_be_resumed(validator: Validator | None, held: int) -> bool:
    """Whether a part may be gone on with: only under a validator that tells versions apart."""
    return validator is not None and validator.last_modified is not None and held > 0


def looks_like_a_page(first_bytes: bytes) -> bool:
    """Whether a body that claims to be media is a web page, such as a login form."""
    return _HTML.match(first_bytes) is not None


def login_page(host: str) -> Failure:
    """Return the failure for a web page in place of the file."""
    text = f"{host} sent a web page in place of the file: something stands before Jellyfin"
    return Failure(FailureClass.BLOCKED, "html", text)


def length_of(headers: Headers) -> int | None:
    """Return the body's length; None if the server gave none that can be believed."""
    text = headers.get("content-length", "").strip()
    if not text.isascii() or not text.isdigit():
        return None
    length = int(text) if len(text) < 20 else LARGEST_FILE  # noqa: PLR2004 - more than 64 bits
    return length if length < LARGEST_FILE else None


def retry_after(headers: Headers) -> float | None:
    """Return the seconds the server asks us to wait, an hour at most; None if it did not."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_RETRY_AFTER_S)
    until, now = _date(text), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)


def _whole(headers: Headers) -> Body:
    return Body(0, Validator(_strong(headers), length_of(headers)), _mime_type(headers))


def _piece(headers: Headers, asked: Asked) -> Body | FromZero:
    known = asked.validator
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if known is None or match is None:
        raise _mixed_up(asked, "did not say which part of the file it sent")
    start, end, total = int(match[1]), int(match[2]), match[3]
    if start != asked.start or end < start:
        raise _mixed_up(asked, f"sent the part from byte {start} in place of {asked.start}")
    length = length_of(headers)
    if length is not None and length != end - start + 1:
        raise _mixed_up(asked, "contradicted itself about the length")
    whole = known.total if total == "*" else int(total)
    if headers.get("last-modified") != known.last_modified or whole != known.total:
        raise _changed(asked)
    if total != "*" and end + 1 != whole:
        raise _mixed_up(asked, "sent only a part of what was asked for")
    return Body(start, known, _mime_type(headers))


def _past_the_end(headers: Headers, asked: Asked) -> AlreadyWhole | FromZero:
    match = _UNSATISFIED.fullmatch(headers.get("content-range", "").strip())
    known = asked.validator
    if match is None or known is None:
        return FromZero()
    same = headers.get("last-modified", known.last_modified) == known.last_modified
    is_whole = int(match[1]) == asked.start and known.total in {None, asked.start}
    return AlreadyWhole() if same and is_whole else FromZero()


def _refuse_what_is_no_media(headers: Headers, asked: Asked) -> None:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        text = f"Something between here and {asked.host} compresses downloads ({encoding})"
        raise TransferFailed(Failure(FailureClass.BLOCKED, "compressed", text))
    mime_type = _mime_type(headers) or ""
    if mime_type in {"text/html", "application/xhtml+xml"}:
        raise TransferFailed(login_page(asked.host))
    if mime_type == "multipart/byteranges":
        raise _mixed_up(asked, "sent several parts at once")


def _refusal(status: int, headers: Headers, asked: Asked) -> Failure:
    code, wait = f"http-{status}", retry_after(headers)
    host = asked.host
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        target = headers.get("location", "another address")[:200]
        text = f"{host} sends us on to {target}, where the sign-in must not go"
        return Failure(FailureClass.BLOCKED, code, text)
    kind, text = _REFUSALS.get(status, _SOME_ERROR)
    return Failure(kind, code, text.format(host=host, status=status), wait)


def _changed(asked: Asked) -> TransferFailed:
    text = f"The file on {asked.host} has changed: it is fetched from the start"
    return TransferFailed(Failure(FailureClass.CHANGED, "changed", text))


def _mixed_up(asked: Asked, what: str) -> TransferFailed:
    text = f"{asked.host} {what}: it is fetched from the start"
    return TransferFailed(Failure(FailureClass.CHANGED, "mixed-up", text))


def _strong(headers: Headers) -> str | None:
    """Return the validator if it tells versions apart.

    One younger than a second when the response was made may stand for two versions.
    """
    text = headers.get("last-modified")
    modified, now = _date(text or ""), _date(headers.get("date", ""))
    if modified is None:
        return None
    is_young = now is not None and (now - modified).total_seconds() < 1
    return None if is_young else text


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return found if found.tzinfo is not None else None


def _mime_type(headers: Headers) -> str | None:
    return headers.get("content-type", "").partition(";")[0].strip().lower() or None
