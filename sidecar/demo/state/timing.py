"""Delays and timeouts of the demo server, so that tests can shorten them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds; the defaults are the real server's.

    Attributes:
        library_changed_s: From the last change of a burst to `LibraryChanged`.
        user_data_s: From the last change of a burst to `UserDataChanged`.
        keep_alive_s: How long a socket may go without saying KeepAlive.
        quick_connect_s: How long a Quick Connect code can be approved, and its token fetched.
        idle_s: How long a player may go without a report before it is stopped.
        progress_tick_s: How often the position of what plays moves on by itself.
    """

    library_changed_s: float = 31.0
    user_data_s: float = 0.5
    keep_alive_s: float = 60.0
    quick_connect_s: float = 600.0
    idle_s: float = 300.0
    progress_tick_s: float = 1.0
