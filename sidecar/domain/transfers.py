"""Judges a response before one byte of it is written: append, start over, whole already, or failed.

    200                        start over with this very body
    206, same start and total  append
    416 */N, N bytes held      whole already
    anything else              a failure, with its class and a sentence for people

What is complete is decided by what the responses of one transfer agree on; the size at the
server's last scan is a hint. Jellyfin sends a `Last-Modified` and no `ETag`. Headers come in by
their lower-case names; nothing here reads a body, and nothing knows what comes next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sidecar.domain.downloads import Validator
from sidecar.domain.failures import Failure, FailureClass, TransferFailed
from sidecar.domain.headers import (
    NOT_SATISFIABLE,
    OK,
    PARTIAL,
    PRECONDITION_FAILED,
    Headers,
    content_range,
    host_in,
    length_of,
    mime_type,
    retry_after,
    strong_validator,
    total_in,
)

ENOUGH_TO_TELL = 64  # bytes: a web page shows itself within these

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HTML = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)[\s>]", re.IGNORECASE)
_PAGES = frozenset({"text/html", "application/xhtml+xml"})

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
class Held:
    """What a resumed transfer has so far.

    Attributes:
        count: Bytes at the start of the part file: the first byte asked for is the next one.
        validator: What these bytes belong to.
    """

    count: int
    validator: Validator


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


def judge_whole(status: int, headers: Headers, host: str) -> Body:
    """Say what the answer to a request for the whole file means.

    Raises:
        TransferFailed: It cannot be used.
    """
    if status == PARTIAL:
        raise _mixed_up(host, "sent a part of a file that was asked for as a whole")
    if status != OK:
        raise TransferFailed(_refusal(status, headers, host))
    _refuse_what_is_no_media(headers, host)
    return Body(0, Validator(strong_validator(headers), length_of(headers)), mime_type(headers))


def judge_rest(
    status: int, headers: Headers, host: str, held: Held
) -> Body | AlreadyWhole | FromZero:
    """Say what the answer to a request for the rest of a file means.

    Raises:
        TransferFailed: It cannot be used.
    """
    if status == PARTIAL:
        _refuse_what_is_no_media(headers, host)
        return _rest(headers, host, held)
    if status == NOT_SATISFIABLE:
        return _past_the_end(headers, held)
    if status == PRECONDITION_FAILED:
        raise _changed(host)
    return judge_whole(status, headers, host)


def confirm(status: int, headers: Headers, host: str, whole: Held) -> None:
    """Make sure, with a second answer, that a fetched file is what the server has, all of it.

    Args:
        status: The answer to a request for the first byte alone.
        headers: The answer's.
        host: The server's name.
        whole: What was fetched.

    Raises:
        TransferFailed: It is not, or the answer does not tell.
    """
    if status == PRECONDITION_FAILED:
        raise _changed(host)
    if status not in {OK, PARTIAL, NOT_SATISFIABLE}:
        raise TransferFailed(_refusal(status, headers, host))
    if status != NOT_SATISFIABLE:
        _refuse_what_is_no_media(headers, host)
    total = total_in(status, headers)
    if total is None:
        raise TransferFailed(unverified(host))
    known = whole.validator.last_modified
    if total != whole.count or known not in {None, headers.get("last-modified")}:
        raise _changed(host)


def may_be_resumed(validator: Validator | None, held: int) -> bool:
    """Whether a part may be gone on with: only under a validator that tells versions apart."""
    return (
        validator is not None
        and validator.last_modified is not None
        and validator.total is not None
        and held > 0
    )


def looks_like_a_page(first_bytes: bytes) -> bool:
    """Whether a body that claims to be media is a web page, such as a login form."""
    return _HTML.match(first_bytes) is not None


def login_page(host: str) -> Failure:
    """Return the failure for a web page in place of the file."""
    text = f"{host} sent a web page in place of the file: something stands before Jellyfin"
    return Failure(FailureClass.BLOCKED, "html", text)


def unverified(host: str) -> Failure:
    """Return the failure for a file whose length nobody tells: its end proves nothing."""
    text = f"{host} does not tell how long the file is, so nobody can tell whether it is whole"
    return Failure(FailureClass.TRANSIENT, "unverified", text)


def _rest(headers: Headers, host: str, held: Held) -> Body | FromZero:
    known = held.validator
    there = content_range(headers)
    if there is None:
        raise _mixed_up(host, "did not say which part of the file it sent")
    if there.first != held.count:
        what = f"sent the part from byte {there.first:,} in place of {held.count:,}"
        raise _mixed_up(host, what)
    length = length_of(headers)
    if length is not None and length != there.last - there.first + 1:
        raise _mixed_up(host, "contradicted itself about the length")
    whole = known.total if there.total is None else there.total
    if headers.get("last-modified") != known.last_modified or whole != known.total:
        raise _changed(host)
    if whole is not None and there.last >= whole:
        raise _mixed_up(host, "sent more than there is")
    return Body(there.first, known, mime_type(headers))


def _past_the_end(headers: Headers, held: Held) -> AlreadyWhole | FromZero:
    known = held.validator
    same = headers.get("last-modified", known.last_modified) == known.last_modified
    if same and total_in(NOT_SATISFIABLE, headers) == held.count == known.total:
        return AlreadyWhole()
    return FromZero()


def _refuse_what_is_no_media(headers: Headers, host: str) -> None:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        text = f"Something between here and {host} compresses downloads: a proxy's setting"
        raise TransferFailed(Failure(FailureClass.BLOCKED, "compressed", text))
    found = mime_type(headers)
    if found in _PAGES:
        raise TransferFailed(login_page(host))
    if found == "multipart/byteranges":
        raise _mixed_up(host, "sent several parts at once")


def _refusal(status: int, headers: Headers, host: str) -> Failure:
    code, wait = f"http-{status}", retry_after(headers)
    if status in _REDIRECTS:
        target = host_in(headers.get("location", "")) or "another page"
        text = f"{host} sends us on to {target}, where the sign-in must not go"
        return Failure(FailureClass.BLOCKED, code, text)
    kind, text = _REFUSALS.get(status, _SOME_ERROR)
    return Failure(kind, code, text.format(host=host, status=status), wait)


def _changed(host: str) -> TransferFailed:
    text = f"The file on {host} has changed: it is fetched from the start"
    return TransferFailed(Failure(FailureClass.CHANGED, "changed", text))


def _mixed_up(host: str, what: str) -> TransferFailed:
    text = f"{host} {what}: the file is fetched from the start"
    return TransferFailed(Failure(FailureClass.CHANGED, "mixed-up", text))
