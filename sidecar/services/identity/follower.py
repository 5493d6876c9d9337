"""Decides when the library is checked for items with new ids; one follower for each account.

an item vanished from the library ─▶ soon ┐
the live connection is back ──────────────┼─▶ check, before the rules queue anything new
every six hours ──────────────────────────┘
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.errors import JellyfinError, ServerAway, SignedOut
from sidecar.jellyfin.live.events import Connected, LibraryChanged, News
from sidecar.process.threads import Wakeup
from sidecar.services.accounts.following import follow, rest_until
from sidecar.services.health.tasks import TaskKind, Tasks
from sidecar.services.identity.look import LibraryLook

log = logging.getLogger(__name__)

EVERY_S = 6 * 3600.0
# An unstable connection must not cause a check at each reconnect.
CONNECTED_REST_S = 600.0
# A library scan sends many messages.
SETTLE_S, LIBRARY_REST_S = 1.0, 15.0
RETRY_S = 60.0
# Changed items of one message; renames of the rest are missed until they change again.
MOST_CHANGED = 5000
# With more new items the whole library is listed.
MOST_ADDED = 50_000


class IdentityFollower:
    """Checks one account's library when due. One thread runs it; any may call `deliver`."""

    def __init__(
        self,
        looking: LibraryLook,
        *,
        user_id: str,
        name: str,
        tell: Callable[[JellyfinError], object],
        is_server_there: Callable[[], bool],
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        """Prepare; the first check is due at once.

        Args:
            looking: Does the check.
            user_id: The account.
            name: The account's name, for the log.
            tell: Called with each error of Jellyfin.
            is_server_there: Whether Jellyfin can be asked now.
            clock: For all waits.
            tasks: Are told of each check.
        """
        self._tasks = tasks
        self._looking = looking
        self._user_id = user_id
        self._name = name
        self._tell = tell
        self._is_server_there = is_server_there
        self._clock = clock
        self._lock = Lock()
        self.wakeup = Wakeup()
        self._due = clock.monotonic()
        self._looked_at = -math.inf
        self._added: set[str] | None = None
        self._changed: set[str] = set()
        self._is_awaited = True

    @property
    def is_settled(self) -> bool:
        """Whether no check is pending that the rules should wait for.

        An item that is queued before the check may be on the device already, under another id.
        A failed check is not waited for: each item is compared before it is queued anyway.
        """
        with self._lock:
            return not self._is_awaited

    def deliver(self, news: News) -> None:
        """Handle news of the live connection."""
        now = self._clock.monotonic()
        match news:
            case Connected() if now >= self._looked_at + CONNECTED_REST_S:
                self._note(None)
                self._wake(now)
            case LibraryChanged(added=added, updated=updated, removed=removed):
                self._note(added)
                with self._lock:
                    self._changed.update(updated[:MOST_CHANGED])
                if removed:
                    self._wake(max(now + SETTLE_S, self._looked_at + LIBRARY_REST_S))
                self.wakeup.set()
            case _:
                pass

    def look_through_soon(self) -> None:
        """Do nothing: a change of devices or choices does not change the library."""

    def run_soon(self) -> None:
        """Have the whole library checked in the next step."""
        self._wake(self._clock.monotonic())

    def run(self, stop: Event) -> None:
        """Check when it is due until `stop` is set or the account is signed out."""
        what = f"looking for what moved in the library of {self._name}"
        follow(self._go_on, stop, self.wakeup, self.rest_s, what=what, on_failure=self._fail)

    def rest_s(self) -> float:
        """Return the seconds until the next step, unless it is woken."""
        with self._lock:
            due = self._due
        now = self._clock.monotonic()
        return rest_until(due, now, is_server_there=self._is_server_there())

    def step(self) -> None:
        """Check the names of changed items, and the whole library if that is due.

        Raises:
            errors.JellyfinError: Jellyfin cannot be asked; the check is due again in a minute.
        """
        self._look_at_names()
        now = self._clock.monotonic()
        with self._lock:
            if now < self._due or not self._is_server_there():
                return
            added, self._added = self._added, set()
            self._due = now + EVERY_S
        try:
            with self._tasks.run(
                TaskKind.IDENTITY, self._user_id, again_s=EVERY_S, retry_s=RETRY_S
            ):
                self._looking.look(self._user_id, added)
        except Exception:
            with self._lock:
                # The server does not repeat which items were new.
                self._added = None if added is None else added | (self._added or set())
                self._due = min(self._due, now + RETRY_S)
                self._is_awaited = False
            raise
        with self._lock:
            self._looked_at = self._clock.monotonic()
            # News during the check needs another one.
            self._is_awaited = self._due <= self._looked_at + SETTLE_S + LIBRARY_REST_S

    def _look_at_names(self) -> None:
        if not self._is_server_there():
            return
        with self._lock:
            changed, self._changed = self._changed, set()
            added = frozenset((self._added or ()) if len(self._added or ()) <= MOST_CHANGED else ())
        try:
            self._looking.look_at_names(self._user_id, changed, added)
        except ServerAway:
            with self._lock:
                self._changed |= changed
            raise

    def _note(self, added: Iterable[str] | None) -> None:
        """Remember new items; None if it is not known which are new."""
        with self._lock:
            if added is None or self._added is None or len(self._added) > MOST_ADDED:
                self._added = None
            else:
                self._added.update(added)

    def _wake(self, at: float) -> None:
        with self._lock:
            self._due = min(self._due, at)
            self._is_awaited = True
        self.wakeup.set()

    def _go_on(self) -> bool:
        """Step; return False if the account is signed out."""
        try:
            self.step()
        except SignedOut as trouble:
            self._tell(trouble)
            return False
        except JellyfinError as trouble:
            log.info("what moved in the library of %s is looked for later: %s", self._name, trouble)
            self._tell(trouble)
        return True

    def _fail(self) -> bool:
        with self._lock:
            self._due = self._clock.monotonic() + RETRY_S
            self._is_awaited = False
        return True
