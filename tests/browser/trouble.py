"""What goes wrong in a browser while a test drives it: every context of every test is listened to.

console error or warning · exception · content refused by the policy · request that failed
                     └────────────▶ the test fails, unless it announced it
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

TROUBLE = frozenset({"error", "warning", "assert"})
# The page went elsewhere, or a newer search replaced this one.
GIVEN_UP = "net::ERR_ABORTED"
# Playwright's own line.
NO_WORKER = "Service Worker registration blocked by Playwright"
# The browser's own line about an answer or a failed request, which are noted with their address.
ABOUT_A_REQUEST = "Failed to load resource:"
# What a page says and asks in vain while its server is gone: to be announced.
SERVER_GONE = (
    "WebSocket connection to",
    r"^(net::ERR_[A-Z_]+|503) GET .*/(socket\.io/|alerts|api/v1/session)",
)
BLOCKED = """addEventListener("securitypolicyviolation", (event) => console.error(
    `blocked by the policy: ${event.blockedURI || "inline"} (${event.effectiveDirective})`));"""


@dataclass
class BrowserTrouble:
    """Collects what goes wrong in the contexts that it watches."""

    found: list[str] = field(default_factory=list)
    announced: list[re.Pattern[str]] = field(default_factory=list)

    def announce(self, *patterns: str) -> None:
        """Say what this test provokes: patterns of `STATUS VERB ADDRESS`, or of what is said."""
        self.announced += [re.compile(one) for one in patterns]

    def watch(self, context: BrowserContext) -> None:
        """Listen to all pages of a context, from their first byte."""
        context.on("console", self._said)
        context.on("weberror", self._thrown)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.add_init_script(BLOCKED)

    @property
    def unannounced(self) -> list[str]:
        """What went wrong and was not expected."""
        return [one for one in self.found if not any(two.search(one) for two in self.announced)]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in TROUBLE and not message.text.startswith((ABOUT_A_REQUEST, NO_WORKER)):
            self.found.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _thrown(self, error: WebError) -> None:
        self.found.append(f"exception: {error.error}")

    def _failed(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self.found.append(f"{request.failure} {request.method} {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            request = response.request
            self.found.append(f"{response.status} {request.method} {response.url}")
