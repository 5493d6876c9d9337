"""Asks all other processes to look again soon at something that somebody wants or has changed here.

A call says no more than that: whoever misses one looks at its usual time. It is found within two
seconds, with Redis and without.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from sidecar.store.meta import Meta

PREFIX = "call:"
# Have the rules of an account run, or of all: the process that watches does.
RULES = "rules"
# Try at once what waits for its next try.
TRY_NOW = "try-now"
# Do at once what is done regularly: whoever does it.
TASK = "task"


class Calls:
    """Makes calls and hears those of others. Safe for many threads; one of them calls `step`."""

    def __init__(self, meta: Meta, *, is_alone: bool) -> None:
        self._meta = meta
        self._is_alone = is_alone
        self._heard: Mapping[str, str] | None = None
        self._own: dict[str, str] = {}
        self._answers: dict[str, Callable[[str], object]] = {}

    def answer(self, name: str, act: Callable[[str], object]) -> None:
        """Have `act` called with what another process says when it calls this name."""
        self._answers[name] = act

    def make(self, name: str, about: str = "") -> None:
        """Call all other processes, if there may be any.

        The next call of the same name and about takes its place.
        """
        if self._is_alone:
            return
        key, mark = f"{PREFIX}{name}:{about}", secrets.token_hex(8)
        self._own[key] = mark
        self._meta.set(key, mark)

    def step(self) -> None:
        """Answer the calls of other processes since the last step; at the first one there are none.

        Whoever has just started looks at everything.
        """
        calls, before = self._meta.list_all(PREFIX), self._heard
        self._heard = calls
        for key, mark in calls.items():
            if before is None or before.get(key) == mark or self._own.get(key) == mark:
                continue
            _, name, about = key.split(":", 2)
            if (act := self._answers.get(name)) is not None:
                act(about)
