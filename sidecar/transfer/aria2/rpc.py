"""Calls aria2 by JSON-RPC, one or many calls in a request. Never logs the secret or retries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

from sidecar.bounded_json import read_json
from sidecar.errors import SidecarError
from sidecar.messages import msg

CONNECT_S = 2.0
# The status of a hundred downloads is about 100 KB.
LARGEST_ANSWER = 4 * 1024 * 1024
MOST_VALUES = 200_000
BLOCK_BYTES = 64 * 1024
LONGEST_TEXT = 1000
UNAUTHORIZED = "Unauthorized"
_SOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_HTTP_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


@dataclass(frozen=True, slots=True)
class RpcError:
    """aria2's answer to a call that failed.

    Attributes:
        code: JSON-RPC error code; aria2 gives 1 for most errors.
        message: aria2's own message.
    """

    code: int
    message: str


class Aria2Refused(SidecarError):
    """aria2 answered a call with an error.

    Attributes:
        error: Its answer.
    """

    def __init__(self, error: RpcError) -> None:
        super().__init__(msg("aria2 refuses: {reason}", reason=error.message))
        self.error = error


class Aria2Away(SidecarError):
    """Nothing answers at aria2's address, or something that is not aria2.

    Attributes:
        is_silent: The connection was made, but the answer did not come in time.
    """

    def __init__(self, message: str, *, is_silent: bool = False) -> None:
        super().__init__(message)
        self.is_silent = is_silent


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the method without `aria2.`, and its parameters without the secret."""

    method: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Rpc:
    """A connection to one aria2. Thread-safe.

    Attributes:
        url: With the scheme `http` or `ws` (or with TLS) and the path, normally `/jsonrpc`.
        secret: The RPC secret; empty for none.
        answer_within_s: Time-out of an answer; aria2 gives none while it writes to a slow device.
    """

    url: str
    secret: str = field(repr=False)
    answer_within_s: float = 2.0

    @property
    def socket_url(self) -> str:
        """The WebSocket address of its notifications, which needs no secret."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(scheme=_SOCKET_SCHEMES[parts.scheme]))

    def call(self, method: str, *parameters: object) -> object:
        """Make one call and return its result.

        Raises:
            Aria2Refused: aria2 answered with an error.
            Aria2Away: It did not answer.
        """
        answer = self._post(self._request(0, Call(method, parameters)))
        result = _read_result(answer)
        if isinstance(result, RpcError):
            raise Aria2Refused(result)
        return result

    def call_many(self, calls: Sequence[Call]) -> list[object]:
        """Make all calls in one request; return a result or an `RpcError` for each, in order.

        Raises:
            Aria2Refused: aria2 refused the request as a whole.
            Aria2Away: It did not answer.
        """
        if not calls:
            return []
        answer = self._post([self._request(number, one) for number, one in enumerate(calls)])
        if not isinstance(answer, list):
            result = _read_result(answer)
            if isinstance(result, RpcError):
                raise Aria2Refused(result)
            raise _unexpected_answer()
        found = {str(one.get("id")): _read_result(one) for one in answer if isinstance(one, dict)}
        missing = RpcError(0, "no answer")
        return [found.get(str(number), missing) for number in range(len(calls))]

    def _request(self, number: int, call: Call) -> dict[str, object]:
        secret = [f"token:{self.secret}"] if self.secret else []
        return {
            "jsonrpc": "2.0",
            "id": str(number),
            "method": f"aria2.{call.method}",
            "params": [*secret, *call.parameters],
        }

    def _post(self, body: object) -> object:
        parts = urlsplit(self.url)
        url = urlunsplit(parts._replace(scheme=_HTTP_SCHEMES[parts.scheme]))
        headers = {"Content-Type": "application/json", "Connection": "close"}
        request = requests.Request("POST", url, data=json.dumps(body), headers=headers)
        adapter = HTTPAdapter(pool_connections=1)
        try:
            # A session would add credentials from ~/.netrc and proxies of the environment.
            timeout = (CONNECT_S, self.answer_within_s)
            with adapter.send(request.prepare(), stream=True, timeout=timeout) as response:
                return _read(response)
        except requests.RequestException as error:
            silent = isinstance(error, requests.ReadTimeout)
            text = msg("aria2 does not answer at {host}", host=parts.netloc)
            raise Aria2Away(text, is_silent=silent) from error
        finally:
            adapter.close()


def _read(response: requests.Response) -> object:
    if response.status_code not in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}:
        raise _unexpected_answer()
    content = bytearray()
    for block in response.iter_content(BLOCK_BYTES):
        content += block
        if len(content) > LARGEST_ANSWER:
            raise _unexpected_answer()
    try:
        return read_json(content, most_bytes=LARGEST_ANSWER, most_values=MOST_VALUES)
    except ValueError as error:
        raise _unexpected_answer() from error


def _read_result(answer: object) -> object:
    if not isinstance(answer, Mapping):
        raise _unexpected_answer()
    error = answer.get("error")
    if isinstance(error, Mapping):
        code, text = error.get("code", 0), error.get("message", "")
        if not isinstance(code, int) or not isinstance(text, str):
            raise _unexpected_answer()
        return RpcError(code, text[:LONGEST_TEXT])
    return answer.get("result")


def _unexpected_answer() -> Aria2Away:
    return Aria2Away(msg("What answers at the address of aria2 is not aria2"))
