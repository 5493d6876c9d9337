from __future__ import annotations

import pytest

from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.address import Address


@pytest.mark.parametrize(
    ("typed", "url", "live"),
    [
        ("http://nas:8096", "http://nas:8096/Users/Me", "ws://nas:8096/socket"),
        ("http://nas:8096/", "http://nas:8096/Users/Me", "ws://nas:8096/socket"),
        (
            " https://films.example/jellyfin// ",
            "https://films.example/jellyfin/Users/Me",
            "wss://films.example/jellyfin/socket",
        ),
        ("http://nas//a//b/", "http://nas/a/b/Users/Me", "ws://nas/a/b/socket"),
        ("http://[::1]:8096", "http://[::1]:8096/Users/Me", "ws://[::1]:8096/socket"),
        (
            "HTTPS://[2001:db8::7]/jf",
            "https://[2001:db8::7]/jf/Users/Me",
            "wss://[2001:db8::7]/jf/socket",
        ),
    ],
)
def test_paths_are_joined_to_every_kind_of_address(typed: str, url: str, live: str) -> None:
    address = Address.of(typed)

    assert address.url("Users", "Me") == url
    assert address.socket == live


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "nas:8096",
        "ftp://nas",
        "http://",
        "http://nas:99999",
        "http://[::1",
        "http://ann:pw@nas",
        "http://nas/?x=1",
        "http://nas/#a",
    ],
)
def test_what_is_not_a_plain_web_address_is_refused(typed: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="must look like http"):
        Address.of(typed)


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    assert Address.of("http://nas").url("Items", "../../x?y#z") == (
        "http://nas/Items/..%2F..%2Fx%3Fy%23z"
    )
