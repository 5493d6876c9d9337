"""A desk of other devices with one stick that Syncthing carries to Ann's phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sidecar.errors import DeviceError, NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.syncthing.status import ArrivalView, IgnoreView, PeerView, SharedView
from tests.fakes.desk import ANN

SEEN = datetime(2026, 3, 1, 18, 42, tzinfo=UTC)
OF_ANN = 1


class FakePeers:
    """Keeps one device of Ann's in memory.

    Unlike the real desk it asks no Syncthing, and knows one download.
    """

    def __init__(self) -> None:
        self.is_away = False
        self.is_there = False

    def shared(self, person: Person, device_id: str) -> SharedView:
        self._check(person, device_id)
        phone = PeerView(
            id="PHONE",
            name="Ann's phone",
            is_connected=True,
            is_paused=False,
            last_seen=SEEN,
            completion=99.94,
            need_bytes=3_000_000,
            need_items=1,
        )
        return SharedView(
            device_id="stick",
            device_name="Car stick",
            is_asked=True,
            folder="Music",
            waits="what may go waits until Ann's phone has 1 newer file",
            peers=(phone,),
        )

    def of_file(self, person: Person, download_id: int) -> Sequence[ArrivalView]:
        if download_id != OF_ANN:
            raise NotVisible
        self._check(person, "stick")
        return [ArrivalView("Ann's phone", SEEN), ArrivalView("Car", None)]

    def ignoring(self, person: Person, device_id: str) -> IgnoreView:
        self._check(person, device_id)
        if self.is_away:
            raise DeviceError("missing", "Car stick is not there: plug it in and it goes on")
        return IgnoreView("stick", self.is_there)

    def ignore(self, person: Person, device_id: str) -> IgnoreView:
        self.ignoring(person, device_id)
        self.is_there = True
        return self.ignoring(person, device_id)

    @staticmethod
    def _check(person: Person, device_id: str) -> None:
        if device_id != "stick" or not (person.is_admin or person.user_id == ANN.user_id):
            raise NotVisible
