"""Judges a response before one byte of it is written: compare and append, start over, or failed.

    200                        start over with this very body
    206, same start and total  compare what is there once more, then append
    416                        ask for all of it
    anything else              a failure, with its class and a sentence for people

A resume asks for the last 64 KiB that are held once more (for all where there is less): headers
alone do not prove that the bytes belong together.

What is complete is decided by what the responses of one transfer agree on. A length that the
server's last scan does not confirm is believed only after a second answer, to a request for a part,
that tells the same length and the same date. Such a file is then looked into: a shorter one must
prove whole, a longer one must not be cut (`is_believed`), unless a person has accepted exactly this
one. An empty body is no file.

What this cannot notice: a middle that consistently sends another file as if it were the server's;
one that cuts a file which has grown to exactly the length of the last scan; and one that, with
headers that agree, joins two versions of the same length whose bytes are the same for 64 KiB
before the joint.

Jellyfin sends a `Last-Modified` and no `ETag`. Headers come in by their lower-case names; nothing
here reads a body, and nothing knows what comes next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from sidecar.domain.downloads.states import EMPTY, UNPROVED, Validator
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

ENOUGH_TO_TELL = 64  # bytes: a web page shows itself within these
OVERLAP = 64 * 1024  # bytes at the end of a part that are fetched once more and compared
# A file that came within it is not asked about once more: that would cost small ones half again.
LONG_ENOUGH_TO_CHANGE_S = 1.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HTML = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)[\s>]", re.IGNORECASE)
_PAGES = frozenset({"text/html", "application/xhtml+xml"})

# A 404 says that there is no file: whoever knows the item asks whether the item is gone as well.
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
        validator: What these bytes belong to.
    """

    count: int
    validator: Validator

    @property
    def asks_from(self) -> int:
        """The first byte that is asked for: the end of what is held comes once more."""
        return max(0, self.count - OVERLAP)


@dataclass(frozen=True, slots=True)
class WriteBody:
    """Write the body from `start` on.

    Attributes:
        start: Where its first new byte belongs; 0 means that nothing held before counts.
        again: Bytes before `start` that the body begins with: to be compared, not written.
        validator: What every byte of the part belongs to from now on.
        mime_type: Without parameters; None if the server named none.
        said: The `Last-Modified` as it was sent, also if it is too young to tell versions apart.
    """

    start: int
    again: int
    validator: Validator
    mime_type: str | None
    said: str | None


class Doubt(Enum):
    """Why a file that came to its end is asked about once more.

    `late`: it may have been replaced while it was sent. `length`: nobody else has said how long
    it is, so only the answer to a request for a part of it will do.
    """

    NONE = "none"
    LATE = "late"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body that came to its end.

    Attributes:
        count: Bytes of the file.
        validator: What they belong to.
        said: The `Last-Modified` of the answers as it was sent.
        scanned: Bytes by the server's last scan; None if unknown.
        accepted: What a person has accepted as it is; None if nothing was.
    """

    count: int
    validator: Validator
    said: str | None
    scanned: int | None
    accepted: Validator | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether a person has accepted exactly this: its length and its date."""
        return self.accepted == Validator(self.validator.last_modified, self.count)


@dataclass(frozen=True, slots=True)
class FromZero:
    """What is held cannot be gone on with, and this response has no body to use: ask for all."""


def judge_whole(status: int, headers: Headers, host: str) -> WriteBody:
    """Say what the answer to a request for the whole file means.

    Raises:
        TransferFailed: It cannot be used.
    """
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
    """Say what the answer to a request for the rest of a file means.

    Raises:
        TransferFailed: It cannot be used.
    """
    if status == PARTIAL:
        _refuse_what_is_no_media(headers, host)
        return _read_rest(headers, host, held)
    if status == NOT_SATISFIABLE:
        # What is asked for lies within what is held: the file is another one, or the answer wrong.
        return FromZero()
    if status == PRECONDITION_FAILED:
        raise changed_file_failure(host)
    return judge_whole(status, headers, host)


def find_doubt(fetched: Fetched, *, took_s: float) -> Doubt:
    """Say whether and why a file that came to its end must be asked about once more.

    Args:
        fetched: What came.
        took_s: Seconds since it was asked for.

    Raises:
        TransferFailed: It is no file at all.
    """
    if not fetched.count:
        raise TransferFailed(empty())
    if fetched.count != fetched.scanned and not fetched.is_accepted:
        return Doubt.LENGTH
    return Doubt.LATE if took_s >= LONG_ENOUGH_TO_CHANGE_S else Doubt.NONE


def confirm(status: int, headers: Headers, host: str, fetched: Fetched, doubt: Doubt) -> None:
    """Make sure, with a second answer, that a fetched file is what the server has, all of it.

    Args:
        status: The answer to a request for the first byte alone.
        headers: The answer's.
        host: The server's name.
        fetched: What was fetched.
        doubt: Why it was asked about. Where the length is in doubt, only a 206 is believed: a
            middle that once sent a wrong length with a 200 sends it twice. Both answers must
            tell the same `Last-Modified`, or both none.

    Raises:
        TransferFailed: It is not, or the answer does not tell.
    """
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
    """Whether a confirmed file must besides be looked into: the last scan says another length."""
    return fetched.count != fetched.scanned and not fetched.is_accepted


def is_believed(verdict: Verdict, count: int, scanned: int | None) -> bool:
    """Whether a file whose length is not the scanned one counts, by what its own bytes tell.

    A shorter one must prove whole. Of another it is enough that nothing shows it to be cut.
    """
    if scanned is not None and count < scanned:
        return verdict is Verdict.WHOLE
    return verdict is not Verdict.CUT


def may_be_resumed(validator: Validator | None, held: int) -> bool:
    """Whether a part may be gone on with: only under a validator that tells versions apart."""
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
    return Failure(FailureClass.BLOCKED, "html", text)


def empty() -> Failure:
    """Return the failure for a body of no bytes: no media file is empty."""
    text = msg("The file is empty on the server: it is looked for again by itself until it is not")
    return Failure(FailureClass.EMPTY, EMPTY, text)


def unproved_length_failure(count: int, scanned: int | None) -> Failure:
    """Return the failure for a file whose length nothing else confirms, with both lengths."""
    if scanned is None:
        text = msg(
            "The server sends {size} and confirms it in no second answer, and its "
            "library does not say how long the file is: scan the library, or accept "
            "it as it is",
            size=Size(count),
        )
        return Failure(FailureClass.UNPROVED, UNPROVED, text)
    sent, known = str(Size(count)), str(Size(scanned))
    if sent == known:
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


def unverified_length_failure(host: str) -> Failure:
    """Return the failure for a file whose length nobody tells: its end proves nothing."""
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
        # Nobody has told so far how long the file is: nothing would tell when it is whole.
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
    """Return the failure of a file that is another one than what is held of it."""
    text = msg("The file on {host} has changed: it is fetched from the start", host=host)
    return TransferFailed(Failure(FailureClass.CHANGED, "changed", text))


def _wrong_range_failure(host: str, what: str) -> TransferFailed:
    text = msg("{host} {what}: the file is fetched from the start", host=host, what=what)
    return TransferFailed(Failure(FailureClass.CHANGED, "mixed-up", text))
