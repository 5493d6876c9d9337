"""What comes back from devices: plays from players' logs, files that were there before us."""

from __future__ import annotations

from functools import cached_property

from sidecar.assembly.fetching import Fetching
from sidecar.services.adoption.adopt import AdoptionService
from sidecar.services.adoption.adopter import Adopter
from sidecar.services.player_logs.importer import PlayerLogImporter
from sidecar.services.player_logs.reporter import ReporterStores


class Returning(Fetching):
    """What comes back from devices."""

    @cached_property
    def log_return(self) -> PlayerLogImporter:
        """The logs of music players."""
        store = self._store
        return PlayerLogImporter(
            access=self.access,
            registry=self.registry,
            tables=ReporterStores(store.db, store.imported, store.plays, store.downloads),
            client=self.accounts.client,
            on_plays=self.followers.play_ended,
            clock=self._clock,
        )

    @cached_property
    def adoption(self) -> AdoptionService:
        """Files that were on the devices before us."""
        store = self._store
        return AdoptionService(
            access=self.access,
            registry=self.registry,
            downloads=store.downloads,
            adopter=Adopter(store.db, store.downloads, self.planning),
            client=self.accounts.client,
            clock=self._clock,
        )
