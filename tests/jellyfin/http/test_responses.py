from __future__ import annotations

import pytest
from pydantic import TypeAdapter
from requests.structures import CaseInsensitiveDict

from sidecar.errors import (
    JellyfinError,
    NotAllowed,
    NotFound,
    ServerAway,
    TooSlow,
    UnexpectedAnswer,
)
from sidecar.jellyfin.http.responses import (
    Answer,
    RefusedBefore,
    Unconfirmed,
    Unsaid,
    check_answer,
    read,
    retry_after,
)

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json"
TEXT = "text/plain"
HTML = "text/html; charset=utf-8"


def answer(status: int, kind: str = "", body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = CaseInsensitiveDict({"Content-Type": kind, **named} if kind else named)
    return Answer("http://nas", "GET /Items", status, found, body)


@pytest.mark.parametrize(
    ("status", "kind", "meaning"),
    [
        (503, HTML, ServerAway),
        (503, "", ServerAway),
        (502, HTML, ServerAway),
        (504, HTML, TooSlow),
        (429, TEXT, ServerAway),
        (401, "", Unconfirmed),
        (401, JSON, Unconfirmed),
        (403, "", Unsaid),
        (403, TEXT, NotAllowed),
        (403, HTML, RefusedBefore),
        (404, JSON, NotFound),
        (404, PROBLEM, NotFound),
        (404, HTML, RefusedBefore),
        (404, TEXT, RefusedBefore),
        (404, "", RefusedBefore),
        (301, HTML, UnexpectedAnswer),
        (302, "", UnexpectedAnswer),
        (304, "", UnexpectedAnswer),
        (400, JSON, UnexpectedAnswer),
        (405, "", RefusedBefore),
        (414, "", RefusedBefore),
        (500, TEXT, UnexpectedAnswer),
        (206, JSON, UnexpectedAnswer),
        (999, "", UnexpectedAnswer),
    ],
)
def test_each_status_means_one_thing(status: int, kind: str, meaning: type[JellyfinError]) -> None:
    with pytest.raises(meaning) as caught:
        check_answer(answer(status, kind))

    assert caught.type is meaning


@pytest.mark.parametrize("status", [200, 204])
def test_a_success_is_let_through(status: int) -> None:
    check_answer(answer(status))


@pytest.mark.parametrize(
    ("kind", "headers", "is_jellyfin"),
    [
        ("", {}, True),
        (JSON, {}, True),
        (HTML, {}, False),
        ("", {"WWW_Authenticate": 'Basic realm="nas"'}, False),
    ],
)
def test_a_sign_in_wanted_by_a_proxy_is_told_apart(
    kind: str, headers: dict[str, str], *, is_jellyfin: bool
) -> None:
    with pytest.raises(Unconfirmed) as caught:
        check_answer(answer(401, kind, b"", **headers))

    assert caught.value.is_jellyfin is is_jellyfin


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("005", 5.0),
        ("120", 120.0),
        ("999999999999999999999", 3600.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-3", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_the_servers_wish_to_wait_is_read(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_a_starting_server_says_how_long_to_wait() -> None:
    with pytest.raises(ServerAway) as caught:
        check_answer(answer(503, HTML, Retry_After="005"))

    assert caught.value.retry_after_s == 5.0


@pytest.mark.parametrize(
    ("odd", "names"),
    [
        (answer(302, "", Location="https://login.example/auth?token=abc"), "login.example/auth"),
        (
            answer(302, "", Location="http://ann:pw@nas:8096/?a=b"),
            "redirect to http://nas:8096/ for",
        ),
        (answer(302, "", Location="/web/"), "a redirect to /web/"),
        (answer(200, HTML, b"<html>"), "a web page"),
        (answer(200, "image/png", b"x"), "image/png"),
        (answer(200, "", b"x"), "of type nothing"),
        (answer(200, JSON, b"{"), "JSON that is not Jellyfin's"),
        (answer(200, JSON, b'{"a": "x"}'), "JSON that is not Jellyfin's"),
    ],
)
def test_an_odd_answer_is_named_without_its_secrets(odd: Answer, names: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=names) as caught:
        read(odd, TypeAdapter(dict[str, int]))

    assert "abc" not in str(caught.value)


def test_a_body_that_fits_is_read() -> None:
    assert read(answer(200, JSON, b'{"a": 1}'), TypeAdapter(dict[str, int])) == {"a": 1}
