"""When it is looked for files whose items have other ids: one follower for each account.

something vanished from the library ─▶ soon ┐
the live connection stands again ───────────┼─▶ looked, before the rules queue anything new
every six hours ────────────────────────────┘
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.errors import JellyfinError, ServerAway, SignedOut
from sidecar.jellyfin.live.events import Connected, LibraryChanged, News
from sidecar.services.identity.look import LibraryLook
from sidecar.threads import attempt

log = logging.getLogger(__name__)

EVERY_S = 6 * 3600.0
# A connection that comes and goes says nothing of the library.
CONNECTED_REST_S = 600.0
# A scan tells of its finds again and again.
SETTLE_S, LIBRARY_REST_S = 1.0, 15.0
RETRY_S = 60.0
IDLE_S = 1.0
# Of one message; the rest is called as it was until it changes again.
MOST_CHANGED = 5000
# More new items than that are listed, not asked for.
MOST_ADDED = 50_000


class IdentityFollower:
    """Looks for one account. One thread runs it; whatever wakes it may be any thread."""

    def __init__(
        self,
        looking: LibraryLook,
        *,
        user_id: str,
        name: str,
        tell: Callable[[JellyfinError], object],
        is_server_there: Callable[[], bool],
        clock: Clock,
    ) -> None:
        """Prepare; nothing is asked yet, and a look is due.

        Args:
            looking: Looks.
            user_id: Whose files.
            name: For the log.
            tell: Told what stands in the way of asking Jellyfin.
            is_server_there: Whether Jellyfin can be asked now.
            clock: For all waits.
        """
        self._looking = looking
        self._user_id = user_id
        self._name = name
        self._tell = tell
        self._is_server_there = is_server_there
        self._clock = clock
        self._lock = Lock()
        self._woken = Event()
        self._due = clock.monotonic()
        self._looked_at = -math.inf
        self._added: set[str] | None = None
        self._changed: set[str] = set()
        self._is_awaited = True

    @property
    def is_settled(self) -> bool:
        """Whether nothing is known to have moved that was not looked for yet.

        What would be queued before that may be here already. A look that fails is not waited for:
        whatever is queued is looked for by itself.
        """
        with self._lock:
            return not self._is_awaited

    def deliver(self, news: News) -> None:
        """Take news from the listener."""
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
                self._woken.set()
            case _:
                pass

    def look_through_soon(self) -> None:
        """A device or a choice is no news of the library."""

    def run(self, stop: Event) -> None:
        """Look when it is due until `stop` is set or the account is signed out."""
        what = f"looking for what moved in the library of {self._name}"
        while not stop.is_set():
            self._woken.clear()
            if not attempt(self._go_on, what, self._fail):
                return
            self._woken.wait(self.rest_s())

    def rest_s(self) -> float:
        """Return how long there is nothing to do unless it is woken."""
        if not self._is_server_there():
            return IDLE_S
        with self._lock:
            return min(IDLE_S, max(0.0, self._due - self._clock.monotonic()))

    def step(self) -> None:
        """Look if it is due.

        Raises:
            errors.JellyfinError: Jellyfin cannot be asked; it is looked again in a minute.
        """
        self._look_at_names()
        now = self._clock.monotonic()
        with self._lock:
            if now < self._due or not self._is_server_there():
                return
            added, self._added = self._added, set()
            self._due = now + EVERY_S
        try:
            self._looking.look(self._user_id, added)
        except JellyfinError:
            with self._lock:
                # Which items were new is not told again.
                self._added = None if added is None else added | (self._added or set())
                self._due = min(self._due, now + RETRY_S)
                self._is_awaited = False
            raise
        with self._lock:
            self._looked_at = self._clock.monotonic()
            # What was told during the look is looked for as well.
            self._is_awaited = self._due <= self._looked_at + SETTLE_S + LIBRARY_REST_S

    def _look_at_names(self) -> None:
        if not self._is_server_there():
            return
        with self._lock:
            changed, self._changed = self._changed, set()
        try:
            self._looking.look_at_names(self._user_id, changed)
        except ServerAway:
            with self._lock:
                self._changed |= changed
            raise

    def _note(self, added: Iterable[str] | None) -> None:
        """Remember what is new; None if nobody knows."""
        with self._lock:
            if added is None or self._added is None or len(self._added) > MOST_ADDED:
                self._added = None
            else:
                self._added.update(added)

    def _wake(self, at: float) -> None:
        with self._lock:
            self._due = min(self._due, at)
            self._is_awaited = True
        self._woken.set()

    def _go_on(self) -> bool:
        """Step; return whether there is anything to go on with."""
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
