"""Passes a file on while Jellyfin sends it: nothing is stored and nothing retried.

The account's own rights decide: `/Items/{id}/File` answers only for what it may see, and needs no
permission to download. The token stays in our request's header. No redirect is followed.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

import requests
from urllib3.exceptions import HTTPError

from sidecar.domain.items.media_types import restrict_media_type
from sidecar.errors import NotFound, ServerAway, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, certificate_error
from sidecar.jellyfin.responses import Answer, Unconfirmed, check_answer, unexpected_answer
from sidecar.messages import msg

log = logging.getLogger(__name__)

BLOCK_BYTES = 256 * 1024
PASSED_ON = ("Range", "If-Range")
PASSED_BACK = ("Accept-Ranges", "Content-Length", "Content-Range", "Last-Modified", "ETag")
PARTS = frozenset(
    {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}
)


class FileUnavailable(NotFound):
    """The item is known, but its file is not on the server's disk now."""


@dataclass(frozen=True, slots=True)
class FileStream:
    """An answer whose body is still to come. Must be closed.

    Attributes:
        status: 200, 206 or 416.
        headers: Those that say which bytes these are.
        mime_type: Of sound or video, or unknown.
    """

    status: HTTPStatus
    headers: Mapping[str, str]
    mime_type: str
    response: requests.Response

    def blocks(self) -> Iterator[bytes]:
        """Yield the body.

        Raises:
            errors.ServerAway: It broke off.
        """
        try:
            yield from self.response.raw.stream(BLOCK_BYTES, decode_content=False)
        except (HTTPError, OSError) as error:
            raise ServerAway(msg("Jellyfin broke off in the middle of a file")) from error

    def abort(self) -> None:
        """Let whoever waits for the next block wait no longer; from any thread."""
        connection = getattr(self.response.raw, "connection", None)
        sock = getattr(connection, "sock", None)
        if isinstance(sock, socket.socket):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the connection of a stream was closed already")

    def close(self) -> None:
        """Let go of the connection; what has not come yet is not fetched."""
        self.response.close()


def open_stream(client: Jellyfin, item_id: str, asked: Mapping[str, str]) -> FileStream:
    """Ask for an item's file, or the part of it that the headers in `asked` name.

    Raises:
        errors.NotFound: There is no such item for this account.
        FileUnavailable: Its file is not on the server's disk now.
        errors.JellyfinError: As every call of `Jellyfin`.
    """
    wanted = {name: value for name in PASSED_ON if (value := asked.get(name)) is not None}
    response = _send(client, ("Items", item_id, "File"), wanted)
    try:
        return _check(client, f"GET /Items/{item_id}/File", response)
    except BaseException:
        response.close()
        raise


def _send(client: Jellyfin, path: tuple[str, ...], wanted: Mapping[str, str]) -> requests.Response:
    address = client.connection.address
    headers = {**client.authorization_header(), "Accept-Encoding": "identity", **wanted}
    ca_file = client.connection.ca_file
    # One of its own: a session of the client would wait for the whole body before it goes on.
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(
                address.url(*path),
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
                verify=True if ca_file is None else str(ca_file),
            )
        except requests.exceptions.SSLError as error:
            raise certificate_error(address) from error
        except (requests.RequestException, OSError) as error:
            raise ServerAway(
                msg("Jellyfin at {address} does not answer", address=address)
            ) from error


def _check(client: Jellyfin, asked: str, response: requests.Response) -> FileStream:
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
    headers = {name: response.headers[name] for name in PASSED_BACK if name in response.headers}
    status = HTTPStatus(answer.status)
    return FileStream(
        status, MappingProxyType(headers), restrict_media_type(answer.mime_type), response
    )


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
