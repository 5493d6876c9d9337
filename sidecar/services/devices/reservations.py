"""Reserves space on devices for downloads in progress, so that it is not used twice."""

from __future__ import annotations

from functools import partial
from threading import RLock

from sidecar.domain.space.space import SpaceRefusal, check_space, round_to_blocks, sum_in_blocks
from sidecar.services.devices.attached import AttachedDevice, Reservation
from sidecar.store.downloads.queue import Downloads


class Reservations:
    """All reservations, by download. Safe for many threads."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads
        self._lock = RLock()
        self._reserved: dict[int, tuple[str, Reservation]] = {}

    def reserve(
        self,
        device: AttachedDevice,
        download_id: int,
        *,
        remaining: int,
        size: int,
        source: int = 0,
    ) -> SpaceRefusal | None:
        """Reserve space for a download, until `unreserve`; return why there is none, or None.

        What was reserved for it before is kept if there is none.

        Args:
            device: Where the file goes.
            download_id: The download.
            remaining: Bytes that are still to be written.
            size: Bytes of the whole file.
            source: Bytes of the original that is converted to the file, deleted afterwards.
        """
        with self._lock:
            refusal = self.refusal(device, remaining, size, of=download_id)
            if refusal is None:
                self._reserved[download_id] = (device.id, Reservation(size, source))
            return refusal

    def unreserve(self, download_id: int) -> None:
        """End the reservation of a download."""
        with self._lock:
            self._reserved.pop(download_id, None)

    def on(self, device_id: str) -> dict[int, Reservation]:
        """Return the reservations on a device, by download id."""
        with self._lock:
            return {
                download_id: promise
                for download_id, (of, promise) in self._reserved.items()
                if of == device_id
            }

    def refusal(
        self, device: AttachedDevice, remaining: int, size: int, *, of: int | None = None
    ) -> SpaceRefusal | None:
        """Return why there is no space for a file, that of a download; None if there is."""
        others, space, settings = self.on(device.id), device.folder.space(), device.settings
        if of is not None:
            others.pop(of, None)
        used = 0
        if settings.budget is not None:
            running = sum_in_blocks([one.size for one in others.values()], space.block)
            enough = settings.budget - running - round_to_blocks(size, space.block)
            used = running + self._count_used(device, space.block, enough=enough)
        room = partial(
            check_space,
            remaining=remaining,
            size=size,
            space=space,
            used=used,
            budget=settings.budget,
            reserve=settings.reserve,
            name=settings.name,
        )
        # A list of plain sums: a dozen files wait for their names while the next one is begun.
        refusal = room(promised=sum([one.size + one.source for one in others.values()]))
        if refusal is None or not others:
            return refusal
        # Bytes that running downloads have written are not free any more: do not count them twice.
        there = {one: device.taken_by(one) for one in others}
        left = (max(0, it.size + it.source - there[one]) for one, it in others.items())
        return room(promised=sum(left))

    def _count_used(self, device: AttachedDevice, block: int, *, enough: int) -> int:
        """Return what our files take; it may be some more, but not above `enough`.

        To count them in whole blocks, all are looked at: that is for a device that is nearly full.
        """
        own = device.folder.own_files.count_bytes(block)
        at_most = own + self._downloads.queries.most_bytes_on_device(device.id, block=block)
        if at_most <= enough:
            return at_most
        return own + self._downloads.queries.bytes_on_device(device.id, block=block)
