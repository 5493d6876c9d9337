"""Names the browser and the network of a session, as people know them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from sidecar.messages import msg

# The first that is found counts: each of them also claims to be one of those after it.
_BROWSERS = (
    (re.compile(r"Edg(e|A|iOS)?/"), "Edge"),
    (re.compile(r"OPR/|Opera"), "Opera"),
    (re.compile(r"SamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"Vivaldi/"), "Vivaldi"),
    (re.compile(r"Firefox/|FxiOS/"), "Firefox"),
    (re.compile(r"Chrom(e|ium)/|CriOS/"), "Chrome"),
    (re.compile(r"Safari/"), "Safari"),
)
_SYSTEMS = (
    (re.compile(r"iPhone"), "iPhone"),
    (re.compile(r"iPad"), "iPad"),
    (re.compile(r"Android"), "Android"),
    (re.compile(r"CrOS"), "ChromeOS"),
    (re.compile(r"Windows"), "Windows"),
    (re.compile(r"Mac OS X|Macintosh"), "Mac"),
    (re.compile(r"Linux|X11"), "Linux"),
)
_IPV4_PARTS = 3


def name_browser(user_agent: str) -> str:
    """Return the name for a user agent, such as "Chrome on Android"."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return msg("{browser} on {system}", browser=browser, system=system)
    return browser or system or msg("An unknown browser")


def name_network(prefix: str) -> str:
    """Return what the network of a session is to this machine.

    Args:
        prefix: The beginning of the address, as it is stored: "192.168.1" or "2001:db8:1".
    """
    if not prefix:
        return msg("an unknown network")
    whole = f"{prefix}.0" if len(prefix.split(".")) == _IPV4_PARTS else f"{prefix}::"
    try:
        address = ip_address(whole)
    except ValueError:
        return msg("an unknown network")
    # Of the loopback address of IPv6 only zeros are stored.
    if address.is_loopback or prefix == "0000:0000:0000":
        return msg("this machine")
    if address.is_private:
        return msg("home network")
    return msg("from {network}", network=prefix)


def _first(known: Iterable[tuple[re.Pattern[str], str]], text: str) -> str:
    return next((name for pattern, name in known if pattern.search(text)), "")
