"""Bounds what each request asks of Jellyfin: a slow Jellyfin must not make the sidecar slow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Flask, g, request

from sidecar.jellyfin import patience
from sidecar.limits import JELLYFIN, JELLYFIN_AN_ACCOUNT
from sidecar.shares import Shares


def bound(
    app: Flask,
    account: Callable[[], str | None],
    resting: Callable[[], AbstractContextManager[None]],
) -> None:
    """Let the requests of an application wait for Jellyfin only so many, and so long.

    Args:
        app: After whoever finds out who asks.
        account: Who asks; None for nobody, who is counted by address.
        resting: What is entered while a worker waits.
    """
    shares = Shares(JELLYFIN, JELLYFIN_AN_ACCOUNT)

    def begin() -> None:
        who = account() or request.remote_addr or ""
        g.end_patience = patience.begin(patience.Patience(shares, who, resting))

    def end(_error: BaseException | None) -> None:
        end_patience: Callable[[], None] | None = g.pop("end_patience", None)
        if end_patience is not None:
            end_patience()

    app.before_request(begin)
    app.teardown_request(end)
