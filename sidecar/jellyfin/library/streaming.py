"""Streams a file from Jellyfin: nothing is stored and nothing retried.

The account's own permissions apply: `/Items/{id}/File` serves only items that it may see, and needs
no permission to download. The token stays in our request's header. No redirect is followed.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

import requests
from urllib3.exceptions import HTTPError

from sidecar.bounded_http import at_most, open_session
from sidecar.domain.items.media_types import restrict_media_type
from sidecar.errors import NotFound, ServerAway, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.http import wait_limit
from sidecar.jellyfin.http.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, insecure_error
from sidecar.jellyfin.http.responses import Answer, Unconfirmed, check_answer, unexpected_answer
from sidecar.messages import msg

log = logging.getLogger(__name__)

BLOCK_BYTES = 256 * 1024
PASSED_BACK = ("Accept-Ranges", "Last-Modified", "ETag")
LONGEST_VALUE = 200
_LENGTH = re.compile(r"[0-9]{1,18}")
_ASKED = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_PART = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_NO_PART = re.compile(r"bytes \*/[0-9]{1,18}")
PARTS = frozenset(
    {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}
)


class FileUnavailable(NotFound):
    """The item is known, but its file is not on the server's disk now."""


@dataclass(frozen=True, slots=True)
class FileStream:
    """A response whose body has not been read yet. Must be closed.

    Attributes:
        status: 200, 206 or 416.
        headers: Those that describe the bytes, such as `Content-Range`.
        mime_type: An audio or video type, or the generic one for unknown content.
        length: Bytes of the body as announced; None if it was not.
    """

    status: HTTPStatus
    headers: Mapping[str, str]
    mime_type: str
    response: requests.Response
    length: int | None = None

    def blocks(self) -> Iterator[bytes]:
        """Yield the body.

        Raises:
            errors.ServerAway: It broke off, or is longer than announced.
        """
        left = self.length
        try:
            for block in self.response.raw.stream(BLOCK_BYTES, decode_content=False):
                if left is not None:
                    left -= len(block)
                    if left < 0:
                        break
                yield block
        except (HTTPError, OSError) as error:
            raise _broken_off() from error
        if left:
            raise _broken_off()

    def abort(self) -> None:
        """End a read that waits for the next block; may be called from any thread."""
        connection = getattr(self.response.raw, "connection", None)
        sock = getattr(connection, "sock", None)
        if isinstance(sock, socket.socket):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the connection of a stream was closed already")

    def close(self) -> None:
        """Close the connection; the rest of the body is not fetched."""
        self.response.close()


def open_stream(client: Jellyfin, item_id: str, asked: Mapping[str, str]) -> FileStream:
    """Request an item's file, or the range of it that the headers in `asked` name.

    Raises:
        errors.NotFound: There is no such item for this account.
        FileUnavailable: Its file is not on the server's disk now.
        errors.JellyfinError: As every call of `Jellyfin`.
    """
    wanted = _passed_on(asked)
    response = _send(client, ("Items", item_id, "File"), wanted)
    try:
        return _check(client, f"GET /Items/{item_id}/File", response, wanted.get("Range"))
    except BaseException:
        response.close()
        raise


def _passed_on(asked: Mapping[str, str]) -> dict[str, str]:
    """Return the range headers to send on; a request for several ranges gets the whole file."""
    part, version = asked.get("Range"), asked.get("If-Range")
    if part is None or _ASKED.fullmatch(part) is None or part == "bytes=-":
        return {}
    return {"Range": part} if version is None else {"Range": part, "If-Range": version}


def _send(client: Jellyfin, path: tuple[str, ...], wanted: Mapping[str, str]) -> requests.Response:
    address = client.connection.address
    headers = {**client.authorization_header(), "Accept-Encoding": "identity", **wanted}
    # A session of its own: `JellyfinConnection` reads every body to its end.
    with open_session(client.connection.ca_file) as session:
        try:
            with wait_limit.waiting():
                return session.get(
                    address.url(*path),
                    headers=headers,
                    timeout=(at_most(CONNECT_TIMEOUT_S), READ_TIMEOUT_S),
                    allow_redirects=False,
                    stream=True,
                )
        except requests.exceptions.SSLError as error:
            raise insecure_error(address, error) from error
        except (requests.RequestException, OSError) as error:
            raise ServerAway(
                msg("Jellyfin at {address} does not answer", address=address)
            ) from error


def _check(
    client: Jellyfin, asked: str, response: requests.Response, part: str | None
) -> FileStream:
    answer = Answer(
        str(client.connection.address), asked, response.status_code, response.headers, b""
    )
    if answer.status not in PARTS:
        _raise_refusal(client, answer)
        raise unexpected_answer(answer)
    if answer.mime_type == "text/html":
        raise unexpected_answer(answer)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnexpectedAnswer(
            msg(
                "{server} sent {asked} packed, though it was asked not to",
                server=answer.server,
                asked=asked,
            )
        )
    headers = {
        name: value
        for name in PASSED_BACK
        if (value := response.headers.get(name)) is not None and _is_plain(value)
    }
    status, length = HTTPStatus(answer.status), _length(answer, response)
    if (where := response.headers.get("Content-Range")) is not None:
        if not _is_as_asked(status, where, part, length):
            raise unexpected_answer(answer)
        headers["Content-Range"] = where
    elif status == HTTPStatus.PARTIAL_CONTENT:
        raise unexpected_answer(answer)
    if length is not None:
        headers["Content-Length"] = str(length)
    return FileStream(
        status, MappingProxyType(headers), restrict_media_type(answer.mime_type), response, length
    )


def _length(answer: Answer, response: requests.Response) -> int | None:
    """Return how long the body is; None if it is chunked, whatever `Content-Length` says."""
    if "Transfer-Encoding" in response.headers:
        return None
    told = response.headers.get("Content-Length")
    if told is None:
        return None
    if _LENGTH.fullmatch(told) is None:
        raise unexpected_answer(answer)
    return int(told)


def _is_as_asked(status: HTTPStatus, where: str, asked: str | None, length: int | None) -> bool:
    """Whether the range that is sent was asked for and has the announced length."""
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _NO_PART.fullmatch(where) is not None
    sent, wanted = _PART.fullmatch(where), _ASKED.fullmatch(asked or "")
    if status != HTTPStatus.PARTIAL_CONTENT or sent is None or wanted is None:
        return False
    first, last = int(sent[1]), int(sent[2])
    if last < first or (length is not None and length != last - first + 1):
        return False
    if not wanted[1]:
        return last - first < int(wanted[2])
    return first == int(wanted[1]) and (not wanted[2] or last <= int(wanted[2]))


def _is_plain(value: str) -> bool:
    return len(value) <= LONGEST_VALUE and value.isascii() and value.isprintable()


def _broken_off() -> ServerAway:
    return ServerAway(msg("Jellyfin broke off in the middle of a file"))


def _raise_refusal(client: Jellyfin, answer: Answer) -> None:
    if answer.status == HTTPStatus.NOT_FOUND and answer.mime_type in {"", "text/plain"}:
        raise FileUnavailable(
            msg(
                "Jellyfin knows this item, but its file is not there now: the disk it is on may "
                "not be mounted, or it was moved and not yet found again"
            )
        )
    try:
        check_answer(answer)
    except Unconfirmed:
        client.me()
        raise
