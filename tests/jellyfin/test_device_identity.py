from __future__ import annotations

from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from sidecar.jellyfin.device_identity import DeviceIdentity, build_authorization

TOKEN = SecretStr("0123456789abcdef0123456789abcdef")


def as_jellyfin_reads(header: str) -> dict[str, str]:
    """Read the header by the rules of Jellyfin's own parser: no escapes, then form decoding."""
    scheme, _, rest = header.partition(" ")
    assert scheme == "MediaBrowser"
    values: dict[str, str] = {}
    key, value, quoted, in_value = "", "", False, False
    for character in rest + ",":
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            values[key.strip()] = unquote_plus(value)
            key, value, in_value = "", "", False
        elif character == "=" and not quoted:
            in_value = True
        elif in_value:
            value += character
        else:
            key += character
    return values


def test_the_header_is_the_one_form_that_every_version_reads() -> None:
    identity = DeviceIdentity(device_id="sc-4f1c", version="1.0.0", device="nas 01")

    assert build_authorization(identity, TOKEN) == (
        'MediaBrowser Client="Jellyfin%20Sidecar", Device="nas%2001", DeviceId="sc-4f1c", '
        'Version="1.0.0", Token="0123456789abcdef0123456789abcdef"'
    )


def test_before_sign_in_there_is_no_token_in_it() -> None:
    assert "Token" not in build_authorization(DeviceIdentity(device_id="x", version="1"), None)


@given(st.text(min_size=1))
def test_any_device_name_arrives_as_it_was(name: str) -> None:
    identity = DeviceIdentity(device_id="sc-1", version="1", device=name)

    header = build_authorization(identity, TOKEN)

    assert header.isascii()
    assert as_jellyfin_reads(header) == {
        "Client": "Jellyfin Sidecar",
        "Device": name,
        "DeviceId": "sc-1",
        "Version": "1",
        "Token": TOKEN.get_secret_value(),
    }


@pytest.mark.parametrize("name", ['a"b', "a+b", "a, Token=", "Küche", "a%20b", "a\nb"])
def test_no_device_name_can_forge_a_value(name: str) -> None:
    header = build_authorization(DeviceIdentity(device_id="sc-1", version="1", device=name), None)

    assert as_jellyfin_reads(header)["Device"] == name
    assert "Token" not in as_jellyfin_reads(header)
