"""Which push services browsers have: messages for a browser go to one of these, and nowhere else.

A subscription comes from a browser, so from anybody who is signed in; without this list it would be
a door into the local network.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sidecar.messages import msg

LONGEST = 1000
# Of Chromium and its relatives; of Firefox; of Edge on Windows; of Safari.
HOSTS = frozenset({"fcm.googleapis.com", "android.googleapis.com", "web.push.apple.com"})
DOMAINS = (".push.services.mozilla.com", ".notify.windows.com", ".push.apple.com")


def check_endpoint(url: str) -> str | None:
    """Return why nothing may be sent to the address of a subscription; None if it may."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    known = host in HOSTS or host.endswith(DOMAINS)
    is_plain = url.isascii() and url.isprintable() and "\\" not in url and len(url) <= LONGEST
    is_plain = is_plain and port in {None, 443} and "@" not in url
    if known and is_plain and url.startswith("https://"):
        return None
    return msg("The push service of this browser is none that is known here")
