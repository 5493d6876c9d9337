"""Sends HTTP requests to Syncthing and reads the responses.

It follows no redirect and obeys no proxy variable, so that the key goes to this address only. It
never logs the key. An untrusted certificate is refused, unless it is the one in the settings.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import requests
from pydantic import SecretStr

from sidecar.bounded_http import BoundedAdapter, open_session
from sidecar.bounded_json import read_json
from sidecar.errors import SyncthingError
from sidecar.messages import msg

CONNECT_TIMEOUT_S = 2.0
# Syncthing speaks plain http on a connection whose first bytes it has not read within a second, as
# happens some times in a row on a busy machine. The key is not sent then; others are tried.
ANSWERED_PLAINLY = "WRONG_VERSION_NUMBER"
MOST_TRIES = 8
READ_TIMEOUT_S = 30.0
# A page of ten thousand files that a phone still needs is 4 MB, with a hundred thousand values; a
# folder may have some more.
LARGEST_BODY_BYTES = 32 * 1024 * 1024
MOST_VALUES = 400_000
BLOCK_BYTES = 256 * 1024
KEY_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

Query = Mapping[str, str | int]


class ReadKey(Protocol):
    """Returns the current API key."""

    def __call__(self) -> SecretStr:
        """Return the key.

        Raises:
            SyncthingError: `wrong-key` if it cannot be read.
        """


class SyncthingConnection:
    """A connection to one Syncthing. For one thread."""

    def __init__(self, url: str, *, key: ReadKey, certificate: Path | None = None) -> None:
        """Prepare; nothing is requested yet.

        Args:
            url: Its address, without a path.
            key: Called for every request: the key may change while we run.
            certificate: The file of the only certificate that is accepted.
        """
        self._url = url
        self._key = key
        self._certificate = certificate
        self._session: requests.Session | None = None

    def get(self, path: str, query: Query | None = None, *, wait_s: float = 0.0) -> Any:  # noqa: ANN401 - JSON
        """Send a GET request and return the parsed JSON.

        Args:
            path: Below `/rest/`.
            query: What follows the `?`.
            wait_s: How long the query lets Syncthing wait before it answers.

        Raises:
            SyncthingError: With a sentence for people.
        """
        for tries_left in reversed(range(MOST_TRIES)):
            try:
                status, content = self._send(path, query, wait_s)
                break
            except requests.exceptions.SSLError as error:
                if not tries_left or ANSWERED_PLAINLY not in str(error):
                    raise self._certificate_error() from error
            except (requests.RequestException, OSError) as error:
                text = msg(
                    "Syncthing at {url} does not answer: is it running, at this address?",
                    url=self._url,
                )
                raise SyncthingError("away", text) from error
        return self._check_status(path, status, content)

    def close(self) -> None:
        """Close what is open; a later request opens it again."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _send(self, path: str, query: Query | None, wait_s: float) -> tuple[int, bytes]:
        with self._open().get(
            f"{self._url}/rest/{path}",
            params=query,
            headers={"X-API-Key": self._key().get_secret_value()},
            timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S + wait_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            return response.status_code, self._read_body(response)

    def _open(self) -> requests.Session:
        if self._session is None:
            session = open_session()
            if self._certificate is not None:
                session.mount("https://", _OnlyThisCertificate(self._read_fingerprint()))
                session.verify = False  # its fingerprint says more than any name in it
            self._session = session
        return self._session

    def _read_fingerprint(self) -> str:
        try:
            text = (self._certificate or Path()).read_text(encoding="ascii")
            return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text.strip())).hexdigest()
        except (OSError, ValueError) as error:
            text = msg(
                "The certificate {certificate} cannot be read as one "
                "(settings: syncthing.certificate)",
                certificate=self._certificate,
            )
            raise SyncthingError("untrusted", text) from error

    def _certificate_error(self) -> SyncthingError:
        if self._certificate is None:
            text = msg(
                "Nobody vouches for the certificate of Syncthing at {url}: if it is "
                "your own, name its file https-cert.pem in the settings "
                "(syncthing.certificate)",
                url=self._url,
            )
        else:
            text = msg(
                "Syncthing at {url} shows another certificate than {certificate} "
                "(settings: syncthing.certificate), or speaks plain http: it is not "
                "asked",
                url=self._url,
                certificate=self._certificate,
            )
        return SyncthingError("untrusted", text)

    def _read_body(self, response: requests.Response) -> bytes:
        content = bytearray()
        for block in response.iter_content(BLOCK_BYTES):
            content += block
            if len(content) > LARGEST_BODY_BYTES:
                raise SyncthingError(
                    "odd", msg("Syncthing at {url} sent far too much", url=self._url)
                )
        return bytes(content)

    def _check_status(self, path: str, status: int, content: bytes) -> Any:  # noqa: ANN401 - JSON
        if status in KEY_REFUSED:
            if b"host check" in content.lower():
                text = msg(
                    "does not want to be asked under this name: use 127.0.0.1 in its address"
                )
                raise SyncthingError(
                    "away", msg("Syncthing at {url} {text}", url=self._url, text=text)
                )
            text = msg(
                "Syncthing at {url} refuses the API key (settings: syncthing.api_key)",
                url=self._url,
            )
            raise SyncthingError("wrong-key", text)
        if status == HTTPStatus.NOT_FOUND and b"folder" in content.lower():
            raise SyncthingError(
                "unknown-folder", msg("Syncthing does not know this folder any more")
            )
        if status == HTTPStatus.NOT_FOUND and b"no such object" in content.lower():
            raise SyncthingError("unknown-file", msg("Syncthing does not know this file"))
        try:
            if status == HTTPStatus.OK:
                return read_json(content, most_bytes=LARGEST_BODY_BYTES, most_values=MOST_VALUES)
        except ValueError:
            pass
        text = msg(
            "What answers at {url} is not Syncthing as we know it ({status} for {path})",
            url=self._url,
            status=status,
            path=path,
        )
        raise SyncthingError("odd", text)


class _OnlyThisCertificate(BoundedAdapter):
    """Accepts only the certificate with this SHA-256, whatever host name is in it."""

    def __init__(self, fingerprint: str) -> None:
        self._wanted = fingerprint
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **further: Any) -> None:  # noqa: ANN401 - its parent's
        """Make connections check the fingerprint."""
        super().init_poolmanager(*sizes, assert_fingerprint=self._wanted, **further)
