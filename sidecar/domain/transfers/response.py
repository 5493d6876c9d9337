"""Decides from a response's headers what to do with its body: append, start over, or fail.

    200                        start over with this body
    206, same start and total  compare the overlap, then append
    416                        request the whole file
    anything else              a failure, with its class and a message

A resume requests the last 64 KiB that are there once more (or all, if there is less): headers alone
do not prove that the bytes belong to the same version.

A file is complete when it has the length on which the responses agree. A length that the
server's last scan does not confirm is accepted only after a second response, to a range request,
with the same length and the same date. Such a file is then examined: a shorter one must
prove whole, a longer one must not be cut (`is_believed`), unless a person has accepted this very
one. An empty body is a failure.

What this cannot detect: a proxy that consistently sends another file as if it were the server's;
one that cuts a file which has grown to exactly the length of the last scan; and one that, with
headers that agree, joins two versions of the same length whose bytes are the same for 64 KiB
before the join.

Jellyfin sends a `Last-Modified` and no `ETag`. Headers are keyed by their lower-case names. No body
is read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from sidecar.domain.downloads.download import EMPTY, LARGER, UNPROVED, Validator
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.domain.transfers.headers import (
    NOT_SATISFIABLE,
    OK,
    PARTIAL,
    PRECONDITION_FAILED,
    Headers,
    parse_content_range,
    read_host,
    read_length,
    read_mime_type,
    read_strong_validator,
    read_total,
    retry_after,
)
from sidecar.domain.transfers.wholeness import Verdict
from sidecar.messages import Size, msg

ENOUGH_TO_TELL = 64  # bytes that are enough to recognise a web page
OVERLAP = 64 * 1024  # bytes at the end of a part that are fetched once more and compared
# A file that came faster needs no second request: that would cost small ones half again.
LONG_ENOUGH_TO_CHANGE_S = 1.0

# Codes of failures for what stands before Jellyfin.
PAGE, REFUSED_BEFORE = "html", "refused-before"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSED = range(400, 500)
_HTML = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)[\s>]", re.IGNORECASE)
_PAGES = frozenset({"text/html", "application/xhtml+xml"})

# A 404 means that there is no file; the caller finds out whether the item is gone as well.
_NO_FILE = (FailureClass.FILE_AWAY, msg("Jellyfin at {host} has no file for it now"))
_SOME_ERROR = (FailureClass.TRANSIENT, msg("{host} answered with an error ({status})"))
_REFUSALS = {
    400: (FailureClass.REFUSED, msg("Jellyfin does not offer this item as a file")),
    401: (FailureClass.SIGNED_OUT, msg("Jellyfin at {host} does not accept the sign-in")),
    403: (FailureClass.REFUSED, msg("Jellyfin does not let this account download it")),
    404: _NO_FILE,
    410: _NO_FILE,
    429: (FailureClass.TRANSIENT, msg("{host} asks us to come back later")),
    503: (FailureClass.SERVER_AWAY, msg("Jellyfin at {host} is not ready")),
}


@dataclass(frozen=True, slots=True)
class Held:
    """What a resumed transfer has so far.

    Attributes:
        count: Bytes at the start of the part file.
        validator: The version of these bytes.
    """

    count: int
    validator: Validator

    @property
    def asks_from(self) -> int:
        """The first byte to request: the end of what is there is fetched once more."""
        return max(0, self.count - OVERLAP)


@dataclass(frozen=True, slots=True)
class WriteBody:
    """Write the body from `start` on.

    Attributes:
        start: Offset of its first new byte; 0 means that nothing fetched before counts.
        again: Bytes before `start` that the body begins with: to be compared, not written.
        validator: The version of all bytes of the part file from now on.
        mime_type: Without parameters; None if the server named none.
        said: The `Last-Modified` as sent, even if it is too recent to distinguish versions.
    """

    start: int
    again: int
    validator: Validator
    mime_type: str | None
    said: str | None


class Doubt(Enum):
    """Why a fetched file needs a second request.

    `late`: it may have been replaced while it was sent. `length`: nothing else confirms how long
    it is, so only the response to a range request will do.
    """

    NONE = "none"
    LATE = "late"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body that was read to its end.

    Attributes:
        count: Bytes of the file.
        validator: Its version.
        said: The `Last-Modified` of the responses as sent.
        scanned: Bytes by the server's last scan; None if unknown.
        accepted: The version that a person has accepted; None if none.
    """

    count: int
    validator: Validator
    said: str | None
    scanned: int | None
    accepted: Validator | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether a person has accepted this length and date."""
        return self.accepted == Validator(self.validator.last_modified, self.count)


@dataclass(frozen=True, slots=True)
class FromZero:
    """The part file cannot be resumed, and this response has no body to use: request all."""


def judge_whole(status: int, headers: Headers, host: str) -> WriteBody:
    """Decide what to do with the response to a request for the whole file means.

    Raises:
        TransferFailed: It cannot be used.
    """
    _refuse_pages(status, headers, host)
    if status == PARTIAL:
        raise _wrong_range_failure(host, msg("sent a part of a file that was asked for as a whole"))
    if status != OK:
        raise TransferFailed(_read_refusal(status, headers, host))
    _refuse_what_is_no_media(headers, host)
    length = read_length(headers)
    if length == 0:
        raise TransferFailed(empty())
    validator = Validator(read_strong_validator(headers), length)
    return WriteBody(0, 0, validator, read_mime_type(headers), headers.get("last-modified"))


def judge_rest(status: int, headers: Headers, host: str, held: Held) -> WriteBody | FromZero:
    """Decide what to do with the response to a request for the rest of a file means.

    Raises:
        TransferFailed: It cannot be used.
    """
    _refuse_pages(status, headers, host)
    if status == PARTIAL:
        _refuse_what_is_no_media(headers, host)
        return _read_rest(headers, host, held)
    if status == NOT_SATISFIABLE:
        # The requested range is within what is there: another file, or a wrong response.
        return FromZero()
    if status == PRECONDITION_FAILED:
        raise changed_file_failure(host)
    return judge_whole(status, headers, host)


def find_doubt(fetched: Fetched, *, took_s: float) -> Doubt:
    """Decide whether and why a fetched file needs a second request.

    Args:
        fetched: The file.
        took_s: Seconds since the request.

    Raises:
        TransferFailed: It is empty.
    """
    if not fetched.count:
        raise TransferFailed(empty())
    if fetched.count != fetched.scanned and not fetched.is_accepted:
        return Doubt.LENGTH
    return Doubt.LATE if took_s >= LONG_ENOUGH_TO_CHANGE_S else Doubt.NONE


def confirm(status: int, headers: Headers, host: str, fetched: Fetched, doubt: Doubt) -> None:
    """Check with a second response that a fetched file is complete and current.

    Args:
        status: Of the response to a request for the first byte alone.
        headers: Of the response.
        host: The server's name.
        fetched: The file.
        doubt: The reason of the request. If it is the length, only a 206 is accepted: a
            proxy that once sent a wrong length with a 200 sends it twice. Both responses must
            have the same `Last-Modified`, or both none.

    Raises:
        TransferFailed: It is not, or the response does not show it.
    """
    _refuse_pages(status, headers, host)
    if status == PRECONDITION_FAILED:
        raise changed_file_failure(host)
    if status not in {OK, PARTIAL, NOT_SATISFIABLE}:
        raise TransferFailed(_read_refusal(status, headers, host))
    if status != NOT_SATISFIABLE:
        _refuse_what_is_no_media(headers, host)
    total, said = read_total(status, headers), headers.get("last-modified")
    is_another_date = None not in {said, fetched.said} and said != fetched.said
    if total not in {None, fetched.count} or is_another_date:
        raise changed_file_failure(host)
    is_part = status == PARTIAL and _begins_at_zero(headers)
    is_answer = is_part or (status == OK and doubt is not Doubt.LENGTH)
    if total is not None and said == fetched.said and is_answer:
        return
    if doubt is Doubt.LENGTH:
        raise TransferFailed(unproved_length_failure(fetched.count, fetched.scanned))
    raise TransferFailed(unverified_length_failure(host))


def is_unlike_scan(fetched: Fetched) -> bool:
    """Whether a confirmed file must be examined as well: its length differs from the scan's."""
    return fetched.count != fetched.scanned and not fetched.is_accepted


def is_believed(verdict: Verdict, count: int, scanned: int | None) -> bool:
    """Whether a file whose length differs from the scan's is accepted, by what it contains.

    A shorter one must prove whole; a longer one must only not be cut.
    """
    if scanned is not None and count < scanned:
        return verdict is Verdict.WHOLE
    return verdict is not Verdict.CUT


def may_be_resumed(validator: Validator | None, held: int) -> bool:
    """Whether a part file may be resumed: only with a validator that distinguishes versions."""
    return (
        validator is not None
        and validator.last_modified is not None
        and 0 < held <= (held if validator.total is None else validator.total)
    )


def looks_like_a_page(first_bytes: bytes) -> bool:
    """Whether a body that claims to be media is a web page, such as a login form."""
    return _HTML.match(first_bytes) is not None


def login_page_failure(host: str) -> Failure:
    """Return the failure for a web page in place of the file."""
    text = msg(
        "{host} sent a web page in place of the file: something stands before Jellyfin", host=host
    )
    return Failure(FailureClass.BLOCKED, PAGE, text)


def refused_before_failure(host: str, status: str, wait: float | None = None) -> Failure:
    """Return the failure for a refusal that is not Jellyfin's: by a proxy or a filter before it."""
    text = msg(
        "Something before Jellyfin at {host} refuses files ({status}), such as a proxy or a "
        "filter: it is tried again by itself",
        host=host,
        status=status,
    )
    return Failure(FailureClass.BLOCKED, REFUSED_BEFORE, text, wait)


def empty() -> Failure:
    """Return the failure for a body of no bytes: no media file is empty."""
    text = msg("The file is empty on the server: it is looked for again by itself until it is not")
    return Failure(FailureClass.EMPTY, EMPTY, text)


def unproved_length_failure(count: int, scanned: int | None) -> Failure:
    """Return the failure for a file whose length nothing confirms, with both lengths."""
    if scanned is None:
        text = msg(
            "The server sends {size} and confirms it in no second answer, and its "
            "library does not say how long the file is: scan the library, or accept "
            "it as it is",
            size=Size(count),
        )
        return Failure(FailureClass.UNPROVED, UNPROVED, text)
    sent: str | Size = Size(count)
    known: str | Size = Size(scanned)
    if str(sent) == str(known):
        sent, known = (
            msg("{count} bytes", count=f"{count:,}"),
            msg("{count} bytes", count=f"{scanned:,}"),
        )
    text = msg(
        "The server sends {sent}, its library says {known}: scan the library, or "
        "accept it as it is",
        sent=sent,
        known=known,
    )
    return Failure(FailureClass.UNPROVED, UNPROVED, text)


def larger_failure(count: int, scanned: int) -> Failure:
    """Return the failure for a file that is larger than known, with no room for so much."""
    text = msg(
        "The server sends {sent}, its library says {known}, and the device has no space for it: "
        "scan the library, or free some space",
        sent=Size(count),
        known=Size(scanned),
    )
    return Failure(FailureClass.UNPROVED, LARGER, text)


def unverified_length_failure(host: str) -> Failure:
    """Return the failure for a file without a stated length: its end proves nothing."""
    text = msg(
        "{host} does not tell how long the file is, so nobody can tell whether it is whole",
        host=host,
    )
    return Failure(FailureClass.TRANSIENT, "unverified", text)


def _read_rest(headers: Headers, host: str, held: Held) -> WriteBody | FromZero:
    known, first = held.validator, held.asks_from
    there = parse_content_range(headers)
    if there is None:
        raise _wrong_range_failure(host, msg("did not say which part of the file it sent"))
    if there.first != first:
        what = msg(
            "sent the part from byte {first} in place of {wanted}",
            first=f"{there.first:,}",
            wanted=f"{first:,}",
        )
        raise _wrong_range_failure(host, what)
    length = read_length(headers)
    if length is not None and length != there.last - there.first + 1:
        raise _wrong_range_failure(host, msg("contradicted itself about the length"))
    whole = known.total if there.total is None else there.total
    said = headers.get("last-modified")
    if said != known.last_modified or known.total not in {None, whole}:
        raise changed_file_failure(host)
    if whole is None:
        # The length of the file is not known yet: its completeness could not be checked.
        return FromZero()
    if there.last >= whole:
        raise _wrong_range_failure(host, msg("sent more than there is"))
    validator = Validator(known.last_modified, whole)
    return WriteBody(held.count, held.count - first, validator, read_mime_type(headers), said)


def _begins_at_zero(headers: Headers) -> bool:
    there = parse_content_range(headers)
    return there is not None and there.first == 0


def _refuse_what_is_no_media(headers: Headers, host: str) -> None:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        text = msg(
            "Something between here and {host} compresses downloads: a proxy's setting", host=host
        )
        raise TransferFailed(Failure(FailureClass.BLOCKED, "compressed", text))
    found = read_mime_type(headers)
    if found in _PAGES:
        raise TransferFailed(login_page_failure(host))
    if found == "multipart/byteranges":
        raise _wrong_range_failure(host, msg("sent several parts at once"))


def _refuse_pages(status: int, headers: Headers, host: str) -> None:
    """Refuse a web page with a refusal: Jellyfin sends none, so it concerns no account or item."""
    if status in _REFUSED and read_mime_type(headers) in _PAGES:
        raise TransferFailed(refused_before_failure(host, str(status), retry_after(headers)))


def _read_refusal(status: int, headers: Headers, host: str) -> Failure:
    code, wait = f"http-{status}", retry_after(headers)
    if status in _REDIRECTS:
        target = read_host(headers.get("location", "")) or msg("another page")
        text = msg(
            "{host} sends us on to {target}, where the sign-in must not go",
            host=host,
            target=target,
        )
        return Failure(FailureClass.BLOCKED, code, text)
    kind, text = _REFUSALS.get(status, _SOME_ERROR)
    return Failure(kind, code, text.format(host=host, status=status), wait)


def changed_file_failure(host: str) -> TransferFailed:
    """Return the failure for a file that is another version than the part file."""
    text = msg("The file on {host} has changed: it is downloaded from the start", host=host)
    return TransferFailed(Failure(FailureClass.CHANGED, "changed", text))


def _wrong_range_failure(host: str, what: str) -> TransferFailed:
    text = msg("{host} {what}: the file is downloaded from the start", host=host, what=what)
    return TransferFailed(Failure(FailureClass.CHANGED, "mixed-up", text))
