"""Limits how many requests wait for Jellyfin, and how long: it may be slow without blocking us."""

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
    """Apply the limits for waiting for Jellyfin to all requests of an application.

    Args:
        app: The application; its authentication must be registered already.
        account: Returns the account of the current request; None counts it by its address.
        resting: A context that a worker enters while it waits.
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
