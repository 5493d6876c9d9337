"""Checks the `Host` and `Origin` headers, and whether an address is a trusted proxy.

A page of another site can make a browser send requests here under the site's own name (DNS
rebinding), but not under `localhost` or one of our names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class HostList:
    """The host names that are accepted in a `Host` header.

    Attributes:
        names: Lower case; one that begins with a dot includes all its subdomains.
        any_address: Accept every IP address, as the server is bound to all of the machine's; DNS
            rebinding needs a name, so this is safe.
    """

    names: frozenset[str]
    any_address: bool

    @classmethod
    def of(cls, bound: str, allowed: Iterable[str]) -> HostList:
        """Create the list for a server bound to `bound`, with the names from the settings."""
        names = {one.strip().lower().strip("[]") for one in (*LOOPBACK, bound, *allowed)}
        return cls(frozenset(names - EVERYWHERE - {""}), bound in EVERYWHERE)

    def admits(self, header: str) -> bool:
        """Whether a request with this `Host` header is accepted."""
        parts = split_host(header)
        if parts is None:
            return False
        name, _ = parts
        if name in self.names or (self.any_address and _is_address(name)):
            return True
        return any(one.startswith(".") and name.endswith(one) for one in self.names)


def split_host(header: str) -> tuple[str, int | None] | None:
    """Split a `Host` header into the name (lower case, no brackets) and port; None if malformed."""
    match = _HOST.fullmatch(header)
    if match is None:
        return None
    return (match[1] or match[2]).lower().removesuffix("."), int(match[3]) if match[3] else None


def is_own_origin(origin: str, host: str) -> bool:
    """Whether an `Origin` header has the same host and port as the `Host` header.

    The scheme is not compared: a proxy that terminates TLS need not tell us.
    """
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default = DEFAULT_PORTS.get(parts.scheme)
    theirs, ours = split_host(parts.netloc), split_host(host)
    if default is None or theirs is None or ours is None:
        return False
    return (theirs[0], theirs[1] or default) == (ours[0], ours[1] or default)


def networks(addresses: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Parse addresses and networks, such as `10.0.0.2` and `172.16.0.0/12`.

    Raises:
        ValueError: One is invalid.
    """
    return tuple(ip_network(one.strip(), strict=False) for one in addresses)


def is_in(address: str, among: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether an address is in one of the networks."""
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped
    return any(peer in one for one in among)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
