"""The sidecar's device identity, and the `Authorization` header with it and the token."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIdentity:
    """The device that Jellyfin shows in its dashboard.

    Keep all four as they were at sign-in: another `device_id` would open a second session, and two
    accounts with the same one would sign each other out.
    """

    device_id: str
    version: str
    client: str = "Jellyfin Sidecar"
    device: str = "Sidecar"


def build_authorization(identity: DeviceIdentity, token: SecretStr | None) -> str:
    """Return the value of the `Authorization` header, in the form that every version reads."""
    values = {
        "Client": identity.client,
        "Device": identity.device,
        "DeviceId": identity.device_id,
        "Version": identity.version,
    }
    if token is not None:
        values["Token"] = token.get_secret_value()
    return "MediaBrowser " + ", ".join(f'{key}="{_encode(text)}"' for key, text in values.items())


def _encode(text: str) -> str:
    # Jellyfin decodes with form rules ("+" is a space) and knows no backslash escape.
    return quote(text, safe="", errors="replace")
