"""What holds behind two proxies in a row, as docs/install.md prints them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sidecar.web.app import WebOptions
from tests.e2e.proxies.conftest import (
    BROWSER,
    FORGED,
    SETTINGS,
    leads_to,
    nginx_with_tls,
    printed,
    server_block,
)
from tests.fakes.clock import FakeClock
from tests.fakes.servers.syncthings import free_port
from tests.web.house import PASSWORD, serving, web_house


def test_the_first_is_believed_and_nobody_before_it(
    quick_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Both add to what was said, so what the browser itself says comes through to the sidecar."""
    caplog.set_level(logging.INFO)
    block, second = printed("nginx")
    adds, passes_on = second.strip().splitlines()
    near, far = free_port(), free_port()
    options = WebOptions(**SETTINGS, proxies_in_a_row=2)
    with web_house(quick_path, FakeClock(), options=options) as house, serving(house.web) as server:
        outer = leads_to(changed(block, adds), f"http://127.0.0.1:{far}")
        inner = leads_to(changed(block, adds, passes_on), server.url)
        servers = server_block(near, outer) + server_block(far, inner, tls="")
        with nginx_with_tls(quick_path, near, servers) as proxy:
            answer = proxy.sign_in(
                {"X-Forwarded-For": FORGED, "X-Forwarded-Proto": "http"}, PASSWORD
            )
            proxy.session.close()

    assert answer.ok, answer.text
    assert answer.headers["Set-Cookie"].startswith("__Host-")
    assert f"ann opened a session from {BROWSER}" in caplog.text
    assert FORGED not in caplog.text


def changed(block: str, *lines: str) -> str:
    """Return the block with each of these lines in place of the one that sets the same header."""
    for line in lines:
        (old,) = [one for one in block.splitlines() if f" {line.split()[1]} " in one]
        block = block.replace(old, line)
    return block
