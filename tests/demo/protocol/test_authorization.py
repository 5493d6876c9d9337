from __future__ import annotations

import pytest

from sidecar.demo.protocol.authorization import Claim, parse_claim
from sidecar.demo.protocol.version import Version

NOBODY = Claim()


def claim(
    header: str = "", *, speaks: Version = Version.V12_0, query: str = "", **headers: str
) -> Claim:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named["Authorization"] = header
    name, _, value = query.partition("=")
    return parse_claim(named.get, {name: value}.get, speaks=speaks)


def test_all_parts_are_read_and_decoded() -> None:
    written = (
        'MediaBrowser Client="My%20App", Device="K%C3%BCche, a=b",'
        ' DeviceId=x+y,Version="1", Token="t"'
    )

    assert claim(written) == Claim("My App", "Küche, a=b", "x y", "1", "t")


@pytest.mark.parametrize("scheme", ["MediaBrowser", "mediabrowser", "MEDIABROWSER"])
def test_the_scheme_is_in_any_case(scheme: str) -> None:
    assert claim(f"{scheme} Token=t").token == "t"


@pytest.mark.parametrize(
    "written",
    ["Bearer t", "MediaBrowser token=t", "MediaBrowser", "", "Basic dDp0", "MediaBrowserToken=t"],
)
def test_what_is_not_the_header_claims_nothing(written: str) -> None:
    assert claim(written) == NOBODY


def test_there_are_no_escapes() -> None:
    assert claim(r'MediaBrowser Device="a\", Token="t"').device == "a\\"


def test_the_older_scheme_is_known_only_before_version_12() -> None:
    assert claim("Emby Token=t", speaks=Version.V10_11).token == "t"
    assert claim("Emby Token=t") == NOBODY


@pytest.mark.parametrize("query", ["ApiKey=t"])
def test_the_key_in_the_address_is_known_to_both(query: str) -> None:
    assert claim(query=query).token == "t"
    assert claim(query=query, speaks=Version.V10_11).token == "t"


def test_the_older_key_is_known_only_before_version_12() -> None:
    assert claim(query="api_key=t").token == ""
    assert claim(query="api_key=t", speaks=Version.V10_11).token == "t"


def test_the_header_outweighs_the_others() -> None:
    both = claim("MediaBrowser Token=a", X_Emby_Token="b", speaks=Version.V10_11)

    assert both.token == "a"


def test_a_sign_in_needs_all_four_words_of_the_device() -> None:
    assert Claim("a", "b", "c", "d").names_a_device
    assert not Claim("a", "b", "", "d").names_a_device
