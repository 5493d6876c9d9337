"""Recognises browsers that have signed in before, by a signed mark that each keeps.

A mark names a browser and is signed together with the account's name. It grants no access: a
browser that shows it has sign-in tries of its own, which nobody else can use up.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from hmac import compare_digest

from sidecar.domain.accounts.sign_in_limit import name_key
from sidecar.jellyfin.tokens import TokenBox

# Several accounts may share a browser; each has its mark.
MOST_MARKS = 4
LONGEST = 400


class KnownBrowsers:
    """Issues and verifies marks. Safe for many threads."""

    def __init__(self, box: TokenBox) -> None:
        self._box = box

    def browser(self, shown: str, name: str) -> str | None:
        """Return the browser that these marks name; None if none is valid for this account."""
        for browser, signature in _marks(shown):
            if compare_digest(signature, self._signature(browser, name)):
                return browser
        return None

    def remember(self, shown: str, name: str) -> str:
        """Return the marks for a browser that has just signed in, the latest account first."""
        browser = self.browser(shown, name) or secrets.token_urlsafe(16)
        others = [f"{one}~{signature}" for one, signature in _marks(shown) if one != browser]
        mark = f"{browser}~{self._signature(browser, name)}"
        return ".".join([mark, *others][:MOST_MARKS])

    def _signature(self, browser: str, name: str) -> str:
        return self._box.sign("known browser", browser, name_key(name))


def _marks(shown: str) -> Iterator[tuple[str, str]]:
    if len(shown) <= LONGEST and shown.isascii():
        for mark in shown.split(".")[:MOST_MARKS]:
            browser, _, signature = mark.partition("~")
            if browser and signature:
                yield browser, signature
