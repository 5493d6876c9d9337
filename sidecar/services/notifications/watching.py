"""Tells everybody that rules rest, while no process of the installation watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.health.notices import Notice

RESTS = msg(
    "No rule runs, and nobody is notified of anything: none of the sidecars that run has the role "
    "watch. It goes on when one has"
)


class WatchingStatus:
    """Makes a notice of a missing watcher. Safe for many threads."""

    def __init__(self, is_missing: Callable[[], bool]) -> None:
        self._is_missing = is_missing

    def notices(self, _person: Person) -> Sequence[Notice]:
        """Return the notice, if there is to be one."""
        return [Notice("processes", "error", RESTS)] if self._is_missing() else []
