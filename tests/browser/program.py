"""Which browser the tests and pictures use, and how it is started."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

# The same engine without a window takes a third less of the processor's time.
PROGRAM = "chromium-headless-shell"
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


def start_chromium(playwright: Playwright) -> Browser:
    """Start Debian's Chromium.

    Raises:
        AssertionError: It is not installed.
    """
    program = shutil.which(PROGRAM)
    assert program, f"these tests drive Debian's Chromium: apt-get install {PROGRAM}"
    return playwright.chromium.launch(executable_path=program, args=list(FLAGS))
