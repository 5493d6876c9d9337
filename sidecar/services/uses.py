"""Which files were used: once for each time somebody opens one, not for each piece they fetch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from sidecar.clock import Clock
from sidecar.errors import StoreTrouble

log = logging.getLogger(__name__)

# A player asks again and again for pieces of what it plays; after such a pause it is opened anew.
PAUSE_S = 600.0


class Uses:
    """Tells the openings from the pieces. Safe for many threads."""

    def __init__(self, used: Callable[[str], object], clock: Clock) -> None:
        """Prepare; `used` notes that an item was used last of all."""
        self._used = used
        self._clock = clock
        self._lock = Lock()
        self._asked: dict[tuple[str, int], float] = {}

    def note(self, user_id: str, download_id: int, item_id: str) -> bool:
        """Somebody fetches a piece of a file; return whether they just opened it."""
        now = self._clock.monotonic()
        with self._lock:
            self._asked = {key: at for key, at in self._asked.items() if now - at < PAUSE_S}
            is_open = (user_id, download_id) in self._asked
            self._asked[user_id, download_id] = now
        if not is_open:
            self._tell(item_id)
        return not is_open

    def _tell(self, item_id: str) -> None:
        """Playing does not fail because nobody can write down that it was played."""
        try:
            self._used(item_id)
        except StoreTrouble as trouble:
            log.warning("a use could not be noted: %s", trouble)
