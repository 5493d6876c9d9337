"""Sends a body to an address by POST and says what came of it. Follows no redirection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import requests
from pydantic import SecretStr

from sidecar.bounded_http import open_session
from sidecar.messages import msg

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        status: Of the answer; None if there was none.
        text: For people.
    """

    status: int | None
    text: str

    @property
    def is_taken(self) -> bool:
        """Whether it arrived."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus(300)


def post(url: SecretStr, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Send a body; nothing of the answer but its status is read."""
    with open_session() as session:
        try:
            with session.post(
                url.get_secret_value(),
                data=body,
                headers=dict(headers),
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
        except requests.exceptions.SSLError:
            return Outcome(None, msg("Its certificate cannot be trusted"))
        except requests.exceptions.Timeout:
            return Outcome(None, msg("It did not answer in time"))
        except (requests.RequestException, OSError, ValueError):
            return Outcome(None, msg("It does not answer"))
    return Outcome(status, msg("It answered {status}", status=status))
