"""Asks the page of an installation for what another machine needs to join it."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from sidecar.bounded_http import open_session
from sidecar.config.local_url import is_loopback
from sidecar.errors import SidecarError
from sidecar.messages import msg

TIMEOUT_S = 10.0
LARGEST = 64 * 1024


class JoinFailed(SidecarError):
    """This machine has not joined; says why and what to do."""


class Joined(BaseModel):
    """What the installation answers."""

    model_config = ConfigDict(frozen=True)

    database_url: SecretStr
    redis_url: SecretStr | None
    token_key: SecretStr
    jellyfin_url: str | None


def join(
    url: str, code: str, machine: str, *, ca_file: Path | None = None, without_tls: bool = False
) -> Joined:
    """Join the installation whose page is at an address; its certificate is checked.

    Args:
        url: The address of the page.
        code: What an admin has made there.
        machine: What this machine is called.
        ca_file: The certificate authority, if it is one of your own.
        without_tls: Whether everybody on the way may read along.

    Raises:
        JoinFailed: It has not joined.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise JoinFailed(
            msg("{url} is no web address such as https://sidecar.example.org", url=url)
        )
    if parts.scheme == "http" and not without_tls and not is_loopback(parts.hostname):
        raise JoinFailed(
            msg(
                "Everybody on the way to {host} could read the passwords: use https://, or say "
                "--without-tls if you trust the whole network",
                host=parts.hostname,
            )
        )
    status, content = _ask(
        f"{url.rstrip('/')}/api/v1/machines/join", {"code": code, "machine": machine}, ca_file
    )
    try:
        told = json.loads(content)
        if status == HTTPStatus.OK:
            return Joined.model_validate(told)
        reason = str(told["detail"])[:300]
    except (ValueError, TypeError, KeyError, ValidationError):
        raise JoinFailed(
            msg(
                "What answers at {host} is no Jellyfin Sidecar that can be joined",
                host=parts.hostname,
            )
        ) from None
    raise JoinFailed(msg("{host} refuses: {reason}", host=parts.hostname, reason=reason))


def _ask(url: str, body: dict[str, str], ca_file: Path | None) -> tuple[int, bytes]:
    host = urlsplit(url).hostname
    with open_session(ca_file) as session:
        try:
            with session.post(
                url, json=body, timeout=TIMEOUT_S, allow_redirects=False, stream=True
            ) as answer:
                content = b""
                for part in answer.iter_content(LARGEST):
                    content += part
                    if len(content) > LARGEST:
                        break
                return answer.status_code, content
        except requests.exceptions.SSLError:
            reason = msg(
                "its certificate cannot be trusted; --ca-file names an authority of your own"
            )
        except requests.exceptions.Timeout:
            reason = msg("it did not answer in time")
        except (requests.RequestException, OSError, ValueError):
            reason = msg("it does not answer")
    raise JoinFailed(msg("{host} cannot be asked: {reason}", host=host, reason=reason))
