"""Sends HTTP requests to Jellyfin and reads the responses.

It follows no redirect, obeys no proxy variable and no .netrc (which would replace our header),
keeps one session per thread, and logs the method, the path, the status and the time: never a
header, a query or a body. It retries only a GET on a kept connection that the server had closed.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock, local
from time import perf_counter
from typing import Any
from weakref import WeakSet, finalize

import requests
from pydantic import SecretStr
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from sidecar.bounded_http import at_most, open_session
from sidecar.bounded_json import UnboundedJson
from sidecar.errors import ServerAway, TooSlow, UnexpectedAnswer
from sidecar.jellyfin.address import Address
from sidecar.jellyfin.device_identity import DeviceIdentity, build_authorization
from sidecar.jellyfin.http import wait_limit
from sidecar.jellyfin.http.budget import MemoryBudget
from sidecar.jellyfin.http.decoding import ENCODINGS, Undecodable, read_blocks
from sidecar.jellyfin.http.responses import SUCCESS, Answer, too_much
from sidecar.jellyfin.http.skipping import WithoutList
from sidecar.jellyfin.http.statistics import STATISTICS
from sidecar.messages import msg

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
# How OpenSSL calls an answer that is plain http.
PLAIN_HTTP = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"})
# A page of 200 films with twenty-five streams each has 4 MB.
LARGEST_BODY_BYTES = 8 * 1024 * 1024
# Of all responses together that are held at one moment, in all threads.
MOST_AT_ONCE_BYTES = 24 * 1024 * 1024

MOST_BLOCKS_OF_AN_ERROR = 4

Query = Mapping[str, str | int]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A list in JSON that is not kept, and how long the JSON may be with it."""

    key: str
    most_bytes: int


# One for the whole process.
BUDGET = MemoryBudget(MOST_AT_ONCE_BYTES)


class JellyfinConnection:
    """Speaks to one server as one identity; may be shared by threads."""

    def __init__(
        self,
        address: Address,
        *,
        identity: DeviceIdentity,
        token: SecretStr | None = None,
        ca_file: Path | None = None,
        read_within_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.address = address
        self.identity = identity
        self.ca_file = ca_file
        self._token = token
        self._authorization: SecretStr | None = None
        self._read_within_s = read_within_s
        self._local = local()
        self._lock = Lock()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        # urllib3 writes whole addresses at DEBUG, and Quick Connect's secret is part of one.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    @property
    def authorization(self) -> str:
        """The `Authorization` header: a secret. Send it to this server only; never log it."""
        if self._authorization is None:
            self._authorization = SecretStr(build_authorization(self.identity, self._token))
        return self._authorization.get_secret_value()

    def with_identity(self, identity: DeviceIdentity) -> JellyfinConnection:
        """Return a connection with the same token and another device identity."""
        return JellyfinConnection(
            self.address, identity=identity, token=self._token, ca_file=self.ca_file
        )

    def get(self, *path: str, query: Query | None = None) -> Answer:
        """Send a GET request."""
        return self.send("GET", *path, query=query)

    def send(
        self,
        method: str,
        *path: str,
        query: Query | None = None,
        body: Body | None = None,
        most_bytes: int = LARGEST_BODY_BYTES,
        without: LeftOut | None = None,
    ) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        Args:
            method: Of the request.
            path: The parts of its path.
            query: Its parameters.
            body: Its JSON.
            most_bytes: How much of the answer's body is kept at most.
            without: A list in the answer's JSON that is not kept.

        Raises:
            ServerAway: No answer, or not in time, or it broke off.
            UnexpectedAnswer: The certificate is not trusted, or the answer is far too large.
        """
        asked = _named(method, path)
        try:
            try:
                return self._exchange(method, path, query, body, (most_bytes, without))
            except requests.ConnectionError as error:
                if method != "GET" or not _is_closed_connection(error):
                    raise
                return self._exchange(method, path, query, body, (most_bytes, without))
        except requests.exceptions.SSLError as error:
            raise insecure_error(self.address, error) from error
        except requests.exceptions.ConnectTimeout as error:
            raise ServerAway(self._says_nothing()) from error
        except (requests.exceptions.Timeout, TimeoutError, ReadTimeoutError) as error:
            raise TooSlow(self._says_nothing()) from error
        except Undecodable as error:
            raise UnexpectedAnswer(
                msg(
                    "{server} sent something unreadable for {asked}",
                    server=self.address,
                    asked=asked,
                )
            ) from error
        except (requests.RequestException, HTTPError) as error:
            raise ServerAway(
                msg("Jellyfin at {server} does not answer", server=self.address)
            ) from error
        except OSError as error:
            # requests looks for this file itself, for each new connection.
            raise ca_file_error(self.ca_file) from error

    def _says_nothing(self) -> str:
        return msg("Jellyfin at {server} does not answer in time", server=self.address)

    def close(self) -> None:
        """Close the idle connections of all threads; a later request opens another one."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def _exchange(
        self,
        method: str,
        path: tuple[str, ...],
        query: Query | None,
        body: Body | None,
        kept: tuple[int, LeftOut | None],
    ) -> Answer:
        began = perf_counter()
        answer = None
        try:
            answer = self._answer(method, path, query, body, kept)
        finally:
            taken_s, status = perf_counter() - began, answer.status if answer else None
            STATISTICS.note(method, path, status=status, seconds=taken_s)
        log.debug("%s -> %d, %.0f ms", _named(method, path), answer.status, 1000 * taken_s)
        return answer

    def _answer(
        self,
        method: str,
        path: tuple[str, ...],
        query: Query | None,
        body: Body | None,
        kept: tuple[int, LeftOut | None],
    ) -> Answer:
        asked = _named(method, path)
        with (
            wait_limit.waiting(),
            self._get_session().request(
                method,
                self.address.url(*path),
                params=query,
                json=body,
                headers={"Authorization": self.authorization},
                timeout=(
                    at_most(CONNECT_TIMEOUT_S),
                    at_most(self._read_within_s + wait_limit.more_s()),
                ),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            content = self._read_body(response, asked, *kept)
        answer = Answer(str(self.address), asked, response.status_code, response.headers, content)
        if response.status_code in SUCCESS:
            answer.when_dropped = finalize(answer, BUDGET.give_back, len(content))
        return answer

    def _read_body(
        self, response: requests.Response, asked: str, most_bytes: int, without: LeftOut | None
    ) -> bytearray:
        """Read the body; the caller gives the bytes back to the budget."""
        if response.status_code not in SUCCESS:
            # Nobody reads what an error says, only whether it says anything; and a connection can
            # be used again once all of it has come.
            return bytearray(b"".join(islice(read_blocks(response), MOST_BLOCKS_OF_AN_ERROR))[:1])
        content = bytearray()
        try:
            for block in self._read_blocks(response, asked, without):
                self._take(asked, len(block), left=most_bytes - len(content))
                content += block
        except BaseException:
            BUDGET.give_back(len(content))
            # The error may be kept, and this frame with it.
            content.clear()
            raise
        return content

    def _read_blocks(
        self, response: requests.Response, asked: str, without: LeftOut | None
    ) -> Iterator[bytes]:
        blocks = read_blocks(response)
        if without is None:
            yield from blocks
            return
        arrived, passing = 0, WithoutList(without.key)
        try:
            for block in blocks:
                arrived += len(block)
                yield passing.feed(block)
                if arrived > without.most_bytes:
                    break
            else:
                yield passing.end()
                return
        except UnboundedJson as error:
            raise too_much(self.address, asked) from error
        raise too_much(self.address, asked)

    def _take(self, asked: str, count: int, *, left: int) -> None:
        if count > left:
            raise too_much(self.address, asked)
        if not BUDGET.take(count):
            raise ServerAway(
                msg(
                    "{server} sends more at once than can be read: it is asked again",
                    server=self.address,
                )
            )

    def _get_session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = open_session(self.ca_file)
            session.headers["Accept"] = "application/json, image/*;q=0.9, text/plain;q=0.5"
            session.headers["Accept-Encoding"] = ENCODINGS
            session.headers["User-Agent"] = f"Jellyfin-Sidecar/{self.identity.version}"
            self._local.session = session
            with self._lock:
                self._sessions.add(session)
        return session


def _named(method: str, path: tuple[str, ...]) -> str:
    return f"{method} /{'/'.join(path)}"


def insecure_error(address: Address, error: BaseException) -> UnexpectedAnswer:
    """Return the error for a secure connection that cannot be made."""
    if _is_plain_http(error):
        return UnexpectedAnswer(
            msg("{address} speaks http, not https: begin its address with http://", address=address)
        )
    return UnexpectedAnswer(
        msg(
            "There is no trusted secure connection to {address}: its certificate is not "
            "valid here (settings: jellyfin.ca_file names an authority of your own)",
            address=address,
        )
    )


def _is_plain_http(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError) and error.reason in PLAIN_HTTP:
            return True
        error = error.__cause__ or error.__context__
    return False


def ca_file_error(ca_file: Path | None) -> UnexpectedAnswer:
    """Return the error for certificates that were named but cannot be read."""
    return UnexpectedAnswer(
        msg(
            "The certificates in {ca_file} cannot be read (settings: jellyfin.ca_file)",
            ca_file=ca_file,
        )
    )


def _is_closed_connection(error: requests.ConnectionError) -> bool:
    return bool(error.args) and isinstance(error.args[0], ProtocolError)
