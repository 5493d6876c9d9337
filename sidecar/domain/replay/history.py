"""A history of plays, and the items that it is of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

# A device is updated at this hour, when nobody listens.
UPDATED_AT = timedelta(hours=4)
# What is assumed where nothing is known: bytes for a second of sound, and of a whole file.
BYTES_A_SECOND = 32_000
USUAL_SIZE = 8_000_000
# After so many days without a play nothing changes any more until the next.
QUIET_DAYS = 60


@dataclass(frozen=True, slots=True)
class PastPlay:
    """One play of a history.

    Attributes:
        began: As the clocks showed it, in UTC for all that is done here.
        seconds: How long it was heard.
    """

    began: datetime
    user: str
    item_id: str
    seconds: float

    @property
    def day(self) -> int:
        """The day on which it was played: from one update of the device to the next."""
        return (self.began - UPDATED_AT).toordinal()


def begin_of(day: int) -> datetime:
    """Return the midnight that a day began with."""
    return datetime.combine(date.fromordinal(day), time(), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastItem:
    """What is known of an item of a history; None or 0 for what is not.

    Attributes:
        number: Its place on the album.
    """

    id: str
    title: str = ""
    artist: str | None = None
    album: str | None = None
    album_id: str | None = None
    genre: str | None = None
    size: int = 0
    length: float = 0.0
    number: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All plays in their order, and all items with their sizes."""

    plays: tuple[PastPlay, ...]
    items: Mapping[str, PastItem]

    @property
    def size(self) -> int:
        """Bytes of all items."""
        return sum(one.size for one in self.items.values())

    @property
    def users(self) -> tuple[str, ...]:
        """Who has played, the names sorted."""
        return tuple(sorted({one.user for one in self.plays}))


def list_days(plays: Sequence[PastPlay]) -> Iterator[tuple[int, list[PastPlay]]]:
    """Yield each day with its plays, also those without any, but no long time without any."""
    by_day: dict[int, list[PastPlay]] = defaultdict(list)
    for play in plays:
        by_day[play.day].append(play)
    last: int | None = None
    for day in sorted(by_day):
        if last is not None:
            yield from ((one, []) for one in range(last + 1, min(day, last + 1 + QUIET_DAYS)))
        yield day, by_day[day]
        last = day


def make_history(plays: Iterable[PastPlay], items: Iterable[PastItem]) -> History:
    """Put plays in order, and complete what is not known of items by what is usual."""
    ordered = tuple(sorted(plays, key=lambda one: (one.began, one.user, one.item_id)))
    longest: dict[str, float] = defaultdict(float)
    for play in ordered:
        longest[play.item_id] = max(longest[play.item_id], play.seconds)
    known = {one.id: one for one in items}
    for item_id in longest:
        known.setdefault(item_id, PastItem(id=item_id))
    album_ids = _name_albums(known.values())
    return History(
        ordered,
        {
            one.id: _complete(one, longest[one.id], album_ids.get(one.id))
            for one in sorted(known.values(), key=lambda one: one.id)
        },
    )


def _complete(item: PastItem, longest: float, album_id: str | None) -> PastItem:
    length = item.length or longest
    size = item.size or int(length * BYTES_A_SECOND) or USUAL_SIZE
    title = item.title or item.id
    return replace(item, title=title, length=length, size=size, album_id=item.album_id or album_id)


def _name_albums(items: Iterable[PastItem]) -> dict[str, str]:
    """Return ids for albums that have a name only.

    Albums of the same name are one if most of their tracks are by artists of their own, as on a
    compilation; else they are one for each artist.
    """
    together: dict[str, list[PastItem]] = defaultdict(list)
    for one in items:
        if one.album and not one.album_id:
            together[one.album].append(one)
    named: dict[str, str] = {}
    for album, tracks in together.items():
        artists = Counter(one.artist for one in tracks)
        is_compilation = len(artists) * 2 > len(tracks)
        for one in tracks:
            named[one.id] = album if is_compilation else f"{album}\n{one.artist or ''}"
    return named
