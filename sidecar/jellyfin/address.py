"""The address of a Jellyfin server, and the URLs below it. Opens no connection.

Everything, the live connection included, lives under the base path (`http://nas:8096/jellyfin`);
without it the server answers with a redirect to its web page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from sidecar.errors import UnexpectedAnswer
from sidecar.messages import msg


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base address, in one spelling: no trailing slash, no double slashes."""

    base: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Parse an address as a person types it.

        Raises:
            UnexpectedAnswer: It is not a plain http or https address.
        """
        try:
            parts = urlsplit(text.strip())
            is_web = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            is_web = None
        if not is_web or parts.username or parts.query or parts.fragment:
            raise UnexpectedAnswer(
                msg("The address of the server must look like http://192.168.1.10:8096")
            )
        path = re.sub(r"/+", "/", parts.path).rstrip("/")
        return cls(urlunsplit((parts.scheme, parts.netloc, path, "", "")))

    @property
    def socket(self) -> str:
        """The address of the live connection."""
        return "ws" + self.base.removeprefix("http") + "/socket"

    def url(self, *segments: str) -> str:
        """Join path segments to the base; each is quoted, so none can contain a `/`."""
        # Ids, which most are, need no look at each letter.
        quoted = [
            one if one.isascii() and one.isalnum() else quote(one, safe="") for one in segments
        ]
        return "/".join([self.base, *quoted])

    def __str__(self) -> str:
        return self.base
