"""Webhooks: which events there are, where they may be sent, how they are signed and tried again."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

from sidecar.messages import msg

LONGEST_URL = 2000
MOST_HOOKS = 10
# Of one webhook that takes nothing: the oldest are dropped for newer ones.
MOST_WAITING = 200
MOST_TRIES = 12
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 3600.0
SIGNATURE_HEADER = "X-Sidecar-Signature-256"
NO_URL = msg("This is no address that events can be sent to, such as https://host/path")
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
# These say "later", not "never".
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class HookEvent(StrEnum):
    """What a webhook can be told."""

    DOWNLOAD_COMPLETED = "download.completed"
    DOWNLOAD_FAILED = "download.failed"
    DOWNLOAD_REMOVED = "download.removed"
    DEVICE_READY = "device.ready"
    DEVICE_ATTACHED = "device.attached"
    DEVICE_DETACHED = "device.detached"
    PROBLEM_BEGAN = "problem.began"
    PROBLEM_ENDED = "problem.ended"
    TEST = "test"


# What can be chosen; a test is sent on demand.
CHOOSABLE = tuple(one for one in HookEvent if one is not HookEvent.TEST)


def find_events(names: Iterable[str]) -> frozenset[HookEvent]:
    """Return the events of these names that can be chosen; other names are passed over."""
    asked = frozenset(names)
    return frozenset(one for one in CHOOSABLE if one in asked)


def check_url(url: str) -> str | None:
    """Return why events may not be sent to an address; None if they may.

    The sentence does not hold the address: that may have a secret in it.
    """
    if len(url) > LONGEST_URL or _ODD.search(url):
        return NO_URL
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        return NO_URL
    if not is_whole or parts.fragment:
        return NO_URL
    if "@" in parts.netloc:
        return msg("Leave the name and password out of the address: the secret signs what is sent")
    return None


def name_host(url: str) -> str:
    """Return the host of an address, with its port if it has one, and nothing else of it."""
    return urlsplit(url).netloc


def sign(secret: str, body: bytes) -> str:
    """Return what the signature's header says of a body."""
    return f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"


def is_refused_for_good(status: int | None) -> bool:
    """Whether it is no use to send the same again after this answer; None if there was none."""
    if status is None or status in _LATER:
        return False
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def find_pause(failures: int) -> float:
    """Return for how many seconds nothing is sent after so many failures in a row."""
    return float(min(FIRST_PAUSE_S * 2 ** max(0, failures - 1), LONGEST_PAUSE_S))
