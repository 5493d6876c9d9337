"""Decides the eviction class of each file, and the order of evictions.

    nothing ── filling ── pre-cached ── affinity ── other passing rules ── lasting
    goes first, within each the one used longest ago                           never goes

Each rule has its class in the registry. Pins, favourites and chosen playlists are lasting, until
their hold is about to end. So are the holds of a rule that does not exist any more, after an
upgrade: in doubt a file stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from types import MappingProxyType

from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.rules.registry import RULE_OF
from sidecar.domain.wishes import EvictionClass
from sidecar.messages import msg

REST = timedelta(days=7)
_eviction_key = attrgetter("eviction_class", "last_used", "download_id")


_WORDS: Mapping[EvictionClass, str] = MappingProxyType(
    {
        EvictionClass.NOTHING: msg("No longer needed"),
        EvictionClass.FILLING: msg("Here because there was room"),
        EvictionClass.PRE_CACHED: msg("Downloaded ahead of a queue"),
        EvictionClass.AFFINITY: msg("Here because its album is played"),
        EvictionClass.PASSING: msg("Needed for a while"),
        EvictionClass.LASTING: msg("It stays"),
    }
)


@dataclass(frozen=True, slots=True)
class HoldStrength:
    """What matters of a hold for the eviction class.

    Attributes:
        is_ending: It was released and lasts for its grace only.
    """

    rule: str
    is_ending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file on a device.

    Attributes:
        download_id: Its download.
        size: Bytes of the file.
        last_used: A counter: larger means used later.
        is_in_use: It plays now, or is next in a queue.
        is_missing: The last scan did not find it: its eviction frees nothing, and its space is kept
            until people have said what became of it.
    """

    download_id: int
    item_id: str
    size: int
    last_used: int
    eviction_class: EvictionClass
    is_in_use: bool = False
    is_missing: bool = False

    @property
    def may_go(self) -> bool:
        """Whether it may be evicted at all."""
        is_free = not self.is_in_use and not self.is_missing
        return self.eviction_class is not EvictionClass.LASTING and is_free


def classify(grips: Iterable[HoldStrength]) -> EvictionClass:
    """Return the eviction class of a file with these holds: the highest counts."""
    return max((_class_of_hold(one) for one in grips), default=EvictionClass.NOTHING)


def sort_for_eviction(files: Iterable[Stored]) -> list[Stored]:
    """Return the files that may be evicted, in eviction order."""
    return sorted((one for one in files if one.may_go), key=_eviction_key)


class EvictionOrder:
    """The files that may be evicted, in eviction order; a class is sorted once it is its turn.

    Most plans reach few classes, and on a full device the firmer ones are the largest.

    Attributes:
        by_class: The files of each class that may be evicted, when it was made.
    """

    def __init__(self, files: Iterable[Stored]) -> None:
        self.by_class: list[list[Stored]] = [[] for _ in EvictionClass]
        for one in files:
            if one.may_go:
                self.by_class[one.eviction_class].append(one)
        self._classes = iter(self.by_class)
        # Of the classes that were reached, the next one last.
        self._reached: list[Stored] = []

    def pop(self) -> Stored:
        """Take the next one; there must be one."""
        while not self._reached:
            self._reached = sorted(next(self._classes), key=_eviction_key, reverse=True)
        return self._reached.pop()

    def put_back(self, files: Iterable[Stored]) -> None:
        """Put some back that were taken, the next one last."""
        self._reached += files


def explain_eviction(eviction_class: EvictionClass) -> str:
    """Return why a file of this class is evicted rather than another."""
    return _WORDS[eviction_class]


def list_items_in_use(playing: Iterable[NowPlaying]) -> frozenset[str]:
    """Return the items that play, and the next one in each reported queue."""
    playing = tuple(playing)
    coming = {entry.item_id for one in playing for entry in one.queue[1:2]}
    return frozenset({one.item.id for one in playing} | coming)


def is_cooling_down(rule: str) -> bool:
    """Return whether a rule must not fetch evicted items again for a while.

    Rules with lasting holds may: favourites and chosen playlists.
    """
    return _class_of_rule(rule) is not EvictionClass.LASTING


def may_return_if_played(rule: str) -> bool:
    """Return whether a rule may fetch an evicted item again at once if it was played since.

    Only one whose files are the first to go: what it fetches pushes nothing else away.
    """
    return _class_of_rule(rule) is EvictionClass.FILLING


def _class_of_hold(hold: HoldStrength) -> EvictionClass:
    firm = _class_of_rule(hold.rule)
    return min(firm, EvictionClass.PASSING) if hold.is_ending else firm


def _class_of_rule(rule: str) -> EvictionClass:
    """Return the eviction class of a rule's holds; a pin, which has no rule, is lasting."""
    known = RULE_OF.get(rule)
    return EvictionClass.LASTING if known is None else known.strength
