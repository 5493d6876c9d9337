"""What a year came to, in bytes and broken promises."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Outcome:
    """What a year came to.

    Attributes:
        fetched: Bytes that were fetched, again and again included.
        wanted: Bytes of everything that was ever wanted, each file once.
        granted: Bytes of every file that was fetched, once for each time it came to be wanted:
            what was wanted without a break and is fetched again is the sidecar's own waste.
        too_soon: Items that a rule fetched within a week of their eviction.
        over: Moments when the device held more than it might, though something might go.
        evicted: Files that made room.
        unsettled: Plans that, once carried out, were followed by one that changed something.
    """

    fetched: int = 0
    wanted: int = 0
    granted: int = 0
    too_soon: int = 0
    over: int = 0
    evicted: int = 0
    unsettled: int = 0

    @property
    def waste(self) -> float:
        """Bytes fetched for each byte that came to be wanted and was fetched."""
        return self.fetched / self.granted if self.granted else 1.0

    @property
    def share(self) -> float:
        """Bytes fetched for each byte that was ever wanted, heard again months later or not."""
        return self.fetched / self.wanted if self.wanted else 1.0
