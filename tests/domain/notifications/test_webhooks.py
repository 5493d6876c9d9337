from __future__ import annotations

import pytest

from sidecar.domain.notifications.webhooks import (
    LONGEST_PAUSE_S,
    check_url,
    find_pause,
    is_refused_for_good,
    name_host,
    sign,
)


@pytest.mark.parametrize(
    "url", ["http://homeassistant.local:8123/api/webhook/x", "https://example.org", "http://[::1]/"]
)
def test_events_may_go_to_an_admins_own_network_too(url: str) -> None:
    assert check_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/hook",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http:///path",
        "http://host:0/",
        "http://host:port/",
        "http://[::1/",
        "https://host/a b",
        "https://host/\r\nX: y",
        "https://host\\@other/",
        "https://host/#part",
        "https://ann:secret@host/",
        "https://host/" + "a" * 2000,
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    reason = check_url(url)

    assert reason is not None
    assert "secret@" not in reason


def test_only_the_host_is_shown() -> None:
    assert name_host("https://host:8123/api/webhook/secret?key=secret") == "host:8123"


def test_the_signature_is_what_everybody_computes() -> None:
    # The example of GitHub's documentation, whose scheme it is.
    assert sign("It's a Secret to Everybody", b"Hello, World!") == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def test_pauses_grow_and_only_no_is_for_good() -> None:
    assert [find_pause(number) for number in (1, 2, 3)] == [10, 20, 40]
    assert find_pause(50) == LONGEST_PAUSE_S
    for_good = [
        one for one in (None, 301, 400, 404, 408, 410, 425, 429, 500) if is_refused_for_good(one)
    ]
    assert for_good == [400, 404, 410]
