"""What comes back from devices: plays from players' logs."""

from __future__ import annotations

from functools import cached_property

from sidecar.assembly.fetching import Fetching
from sidecar.services.reach import Reach
from sidecar.services.returning import LogReturn
from sidecar.services.telling import Tables


class Returning(Fetching):
    """What comes back from devices."""

    @cached_property
    def reach(self) -> Reach:
        """Whose devices are whose."""
        return Reach(self.shelf, self._store.devices, self.accounts.all)

    @cached_property
    def log_return(self) -> LogReturn:
        """The logs of music players."""
        store = self._store
        return LogReturn(
            reach=self.reach,
            shelf=self.shelf,
            tables=Tables(store.db, store.imported, store.plays, store.downloads),
            client=self.accounts.client,
            on_plays=self.followers.play_ended,
            clock=self._clock,
        )
