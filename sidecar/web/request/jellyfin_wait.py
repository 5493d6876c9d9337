"""Limits how many requests wait for Jellyfin, and how long: it may be slow without blocking us."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Flask, g, request

from sidecar.jellyfin.http import wait_limit
from sidecar.process.limits import JELLYFIN, JELLYFIN_AN_ACCOUNT
from sidecar.process.shares import Shares


def shares() -> Shares:
    """Return what counts who waits, for all applications together."""
    return Shares(JELLYFIN, JELLYFIN_AN_ACCOUNT)


def apply_limits(
    app: Flask,
    account: Callable[[], str | None],
    resting: Callable[[], AbstractContextManager[None]],
    shares: Shares,
) -> None:
    """Apply the limits for waiting for Jellyfin to all requests of an application.

    Args:
        app: The application; its authentication must be registered already.
        account: Returns the account of the current request; None counts it by its address.
        resting: A context that a worker enters while it waits.
        shares: Who waits now; see `shares`.
    """

    def begin() -> None:
        who = account() or request.remote_addr or ""
        g.end_wait_limit = wait_limit.begin(wait_limit.WaitLimit(shares, who, resting))

    def end(_error: BaseException | None) -> None:
        end_wait_limit: Callable[[], None] | None = g.pop("end_wait_limit", None)
        if end_wait_limit is not None:
            end_wait_limit()

    app.before_request(begin)
    app.teardown_request(end)
