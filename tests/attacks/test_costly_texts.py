"""Texts that are made to take long: reading one must not cost much more than its length.

A pattern of `re` runs to its end while no other thread does: one that takes hours for a line that
anybody may send stops the whole sidecar.
"""

from __future__ import annotations

import io
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from time import thread_time
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

import sidecar
from sidecar.web.live.socketio import _cookie
from sidecar.web.request.ranges import ServedFile, part_of, to_the_second
from sidecar.web.server.request_head import Refused, read_headers
from tests.web.house import WebHouse

# Seconds of the processor: far more than any of these takes, and far less than any that is wrong.
MOST_S = 0.3
PIECES = (" ", "a", "0", "(", '"', "\\", "-", "/")
BEGINNINGS = ("", "x", "A:", "A: x", "bytes=", "[00:00", "token", "-part1")
ENDS = ("", "\0")
# Packages whose patterns see nothing from outside, or which start something when imported.
LEFT_OUT = ("sidecar.demo", "sidecar.__main__", "sidecar.confined.child", "sidecar.cli")


def least_taken(act: Callable[[], object], most: float = MOST_S) -> float:
    """Return the least seconds of the processor that something takes, at up to three attempts.

    Only what took too long is done again: the garbage collector may run in between by chance, but
    not each time.
    """
    least = most
    for _ in range(3):
        began = thread_time()
        act()
        least = min(least, thread_time() - began)
        if least < most:
            break
    return least


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for found in pkgutil.walk_packages(sidecar.__path__, "sidecar."):
        if not found.name.startswith(LEFT_OUT):
            for name, value in vars(import_module(found.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{found.name}.{name}", value


def costly(length: int) -> Iterator[str]:
    for beginning in BEGINNINGS:
        for piece in PIECES:
            for end in ENDS:
                yield beginning + piece * length + end


def taken(pattern: re.Pattern[Any], text: str) -> float:
    given: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
    return least_taken(lambda: (pattern.fullmatch(given), pattern.match(given)), MOST_S / 10)


def test_no_pattern_takes_longer_for_a_longer_text_than_it_must() -> None:
    every = dict(patterns())
    # Short ones first: a pattern with three loops in one another takes hours for the long ones.
    slow = [
        (name, text[:20], length)
        for name, pattern in every.items()
        for length in (300, 3000)
        for text in costly(length)
        if taken(pattern, text) >= MOST_S / 10
    ]

    assert slow == []
    assert len(every) > 50


@pytest.mark.parametrize("line", [b"A:%s\0", b"A: x%sy", b"A:%s", b"%s: x", b"A: x%s\r"])
def test_a_header_of_spaces_is_read_or_refused_at_once(line: bytes) -> None:
    def read() -> None:
        for count in (1000, 30_000):
            lines = io.BytesIO(line.replace(b"%s", b" " * count) + b"\r\n\r\n")
            with suppress(Refused):
                read_headers(lines, {})

    assert least_taken(read) < MOST_S


COOKIES = ('sidecar_session="' + '\\"' * 3000 + '"', "a=b; " * 1500, "=" * 8000, '"' * 8000)


@pytest.mark.parametrize("sent", COOKIES)
def test_cookies_of_the_live_connection_are_read_at_once_and_as_those_of_pages(sent: str) -> None:
    environ = {"HTTP_COOKIE": f"{sent}; sidecar_session=mine", "wsgi.url_scheme": "http"}

    assert least_taken(lambda: _cookie(environ)) < MOST_S
    assert _cookie(environ) == Request(environ).cookies.get("sidecar_session")


@pytest.mark.parametrize("text", [f"x{' ' * 15_000}y", '"' * 15_000, "a," * 7500, 'W/"' * 5000])
def test_conditions_are_read_at_once(text: str) -> None:
    facts = ServedFile(5, "tag", to_the_second(0))
    names = ("If-Match", "If-None-Match", "If-Range", "Range", "If-Modified-Since")

    assert least_taken(lambda: [part_of(facts, {name: text}) for name in names]) < MOST_S


PATHS = (
    *("/" + piece * 5000 for piece in ("a/", "%2e", "/a", "..;/", "static/", "<", "ä")),
    "/static/" + "a/" * 7000,
    "/downloads?" + "q=a&" * 7000,
    "/sign-in?next=" + "//" * 7000,
)
HEADERS = (
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Authorization",
    "Content-Type",
    "Origin",
)
TEXTS = (" " * 15_000, '"' * 15_000, "a," * 7500, "a;q=" * 3700, "a;b*0*=x;" * 1600, "[" * 15_000)


def test_whatever_a_stranger_asks_is_answered_at_once(house: WebHouse) -> None:
    asking = Client(house.web.wsgi)
    asking.get("/sign-in")
    asked: list[tuple[str, dict[str, str]]] = [(path, {}) for path in PATHS]
    asked += [("/sign-in", {name: f"x{text}y"}) for name in HEADERS for text in TEXTS]
    posted = [{name: "a b" * 15_000} for name in ("username", "csrf", "a" * 1000)]
    sent = [partial(asking.get, path, headers=headers) for path, headers in asked]
    sent += [partial(asking.post, "/sign-in", data=data) for data in posted]

    slow = [str(one)[:300] for one in sent if least_taken(one) >= MOST_S]
    failed = [str(one)[:300] for one in sent if one().status_code >= 500]

    assert (slow, failed) == ([], [])
