"""Reads the authorization of a request: Jellyfin's header, its older forms, the query.

    Authorization: MediaBrowser Client="My%20App", Device="phone", DeviceId="x", Token="y"

Whether a token is good is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from sidecar.demo.protocol.version import Version

# A quoted value may hold commas and equals signs; a bare one ends at a comma. No escapes exist.
_PART = re.compile(r'\s*([^=,\s]+)=(?:"([^"]*)"|([^,=]*))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Claim:
    """The identity that a request claims; empty where it says nothing."""

    client: str = ""
    device: str = ""
    device_id: str = ""
    version: str = ""
    token: str = ""

    @property
    def names_a_device(self) -> bool:
        """Whether it names a device, which a sign-in needs."""
        return all((self.client, self.device, self.device_id, self.version))


def parse_claim(
    header: Callable[[str], str | None],
    query: Callable[[str], str | None],
    *,
    speaks: Version,
) -> Claim:
    """Read the claim of a request.

    Args:
        header: Returns a header's first value by its name in any case.
        query: The same for query parameters.
        speaks: Decides whether the older forms count.
    """
    schemes = {"mediabrowser"}
    written = header("Authorization")
    if speaks.takes_legacy_authorization:
        schemes.add("emby")
        written = written or header("X-Emby-Authorization")
    parts = dict(_parts(written or "", schemes))
    return Claim(
        client=parts.get("Client", ""),
        device=parts.get("Device", ""),
        device_id=parts.get("DeviceId", ""),
        version=parts.get("Version", ""),
        token=parts.get("Token") or _other_token(header, query, speaks),
    )


def _other_token(
    header: Callable[[str], str | None],
    query: Callable[[str], str | None],
    speaks: Version,
) -> str:
    if not speaks.takes_legacy_authorization:
        return query("ApiKey") or ""
    return (
        header("X-Emby-Token")
        or header("X-MediaBrowser-Token")
        or query("ApiKey")
        or query("api_key")
        or ""
    )


def _parts(header: str, schemes: set[str]) -> Iterator[tuple[str, str]]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() not in schemes:
        return
    for found in _PART.finditer(rest):
        quoted, bare = found[2], found[3]
        yield found[1], unquote_plus(quoted if quoted is not None else bare)
