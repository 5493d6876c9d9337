from __future__ import annotations

import pytest

from sidecar.domain.accounts.browser_names import name_browser, name_network

CHROME = "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0 {end}"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME.format(system="Linux; Android 14; Pixel 8", end="Mobile"), "Chrome on Android"),
        (CHROME.format(system="X11; Linux x86_64", end="Safari/537.36"), "Chrome on Linux"),
        (CHROME.format(system="Windows NT 10.0", end="Safari/537.36 Edg/125"), "Edge on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:126.0) Gecko/20100101 Firefox/126.0",
            "Firefox on Mac",
        ),
        ("curl/8.7.1", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_browser_is_named_as_people_know_it(agent: str, name: str) -> None:
    assert name_browser(agent) == name


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("127.0.0", "this machine"),
        ("0000:0000:0000", "this machine"),
        ("192.168.1", "home network"),
        ("fe80:0000:0000", "home network"),
        ("203.1.112", "from 203.1.112"),
        ("", "an unknown network"),
    ],
)
def test_a_network_is_named_by_what_it_is_to_this_machine(prefix: str, name: str) -> None:
    assert name_network(prefix) == name
