"""Decides which item a known file is now, when its id has changed on the server.

    same kind, same bytes ─┬─ same version mark ──────────┐ alone, on both sides ─▶ the same
                           ├─ same tags ──────────────────┘ more than one ─▶ a person is asked
                           ├─ same name or title, no more ─▶ a person is asked
                           └─ else ─▶ none

Both sides are compared alike and all at once: the result does not depend on their order.
A file of another size is never the same, and an equal size alone is never enough.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.files.naming import file_stem, make_path_key
from sidecar.domain.files.presets import possible_paths
from sidecar.domain.items.comparison import name_key, split_artists
from sidecar.domain.items.item import Item, ItemType
from sidecar.messages import msg

# All scans of one file give the same length.
LENGTH_TOLERANCE_S = 1.0
# They have few tags: length and size matter more.
FILMS = frozenset({ItemType.MOVIE, ItemType.EPISODE, ItemType.MUSIC_VIDEO, ItemType.VIDEO})
# The smallest first.
CONTAINER_KINDS = (ItemType.ALBUM, ItemType.SEASON, ItemType.SERIES, ItemType.ARTIST)
# The most candidates to show to a person.
MOST_ASKED = 20

BY_VERSION = msg("its size and the mark of its version are the same")
BY_TAGS = msg("its size and its tags are the same")
MORE_THAN_ONE = msg("{count} of them fit equally well")
TOO_LITTLE = msg("its size is the same, and of the rest only its name or its title")
OTHER_SIZE = msg("nothing in the library has its size")
OTHER_FILE = msg("what has its size is another version and has other tags")


class MatchVerdict(StrEnum):
    """The kind of a decision."""

    SAME = "same"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What identifies a file, from our database, a manifest or the server.

    Attributes:
        id: The item's id.
        artists: Names of its artists, each alone and all joined.
        size: Bytes of the original; None if unknown: then it is never matched.
        version: The server's mark for this version of the file.
        names: The file's names on the server and here, without folders.
        devices: With a file of it: each can have only one.
    """

    id: str
    kind: str
    title: str
    artists: frozenset[str] = frozenset()
    album: str | None = None
    size: int | None = None
    version: str | None = None
    seconds: float | None = None
    names: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """Which item a known file is now.

    Attributes:
        ids: The item, the candidates that a person chooses from, or none.
        why: The reason, as a clause for people.
    """

    verdict: MatchVerdict
    ids: tuple[str, ...]
    why: str


def facts_of(item: Item, *, devices: Collection[str] = ()) -> Facts:
    """Return the facts of an item of the server."""
    return Facts(
        id=item.id,
        kind=item.type,
        title=item.title,
        artists=names_of(item.artist, item.album_artist, item.series),
        album=item.album,
        size=item.size,
        version=item.source_etag,
        seconds=item.seconds,
        names=frozenset({*map(own_name, possible_paths(item)), *source_names(item.source_path)}),
        devices=frozenset(devices),
    )


def names_of(*artists: str | None) -> frozenset[str]:
    """Return the names of artists, each alone and as given."""
    return frozenset(name for one in artists if one for name in split_artists(one))


def own_name(path: str) -> str:
    """Return our name of a file, without folder and extension."""
    return file_stem(path).rpartition("/")[2]


def source_names(path: str | None) -> frozenset[str]:
    """Return the server's names of a file, marked to differ from ours."""
    name = (path or "").replace("\\", "/").rpartition("/")[2]
    return frozenset({f"/{make_path_key(name)}"}) if name else frozenset()


def identify(
    before: Iterable[Facts],
    now: Iterable[Facts],
    *,
    different: Collection[tuple[str, str]] = frozenset(),
) -> Mapping[str, MatchDecision]:
    """Decide which item each known file is now; the keys are the old ids.

    Args:
        before: Files whose items the server does not have any more.
        now: Candidates; each is matched to one file at most.
        different: Pairs that a person has said are different files.
    """
    old = {one.id: one for one in before}
    new = {one.id: one for one in now}
    pairs = _pairs(old, new, different)
    same: dict[str, MatchDecision] = {}
    for holds, why in ENOUGH:
        found = _alone([pair for pair in pairs if holds(old[pair[0]], new[pair[1]])])
        same |= {one: MatchDecision(MatchVerdict.SAME, (other,), why) for one, other in found}
        gone = {one for one, _ in found}, {other for _, other in found}
        pairs = [pair for pair in pairs if pair[0] not in gone[0] and pair[1] not in gone[1]]
    rest: dict[str, list[str]] = {one: [] for one in old if one not in same}
    for one, other in pairs:
        rest[one].append(other)
    sizes = {one.size for one in new.values()}
    return MappingProxyType(
        same
        | {one: _doubt(old[one], [new[id_] for id_ in ids], sizes) for one, ids in rest.items()}
    )


def _doubt(one: Facts, candidates: Sequence[Facts], sizes: Collection[int | None]) -> MatchDecision:
    """Decide for a file without a certain match."""
    fitting = [other for other in candidates if is_enough(one, other)]
    likely = fitting or [other for other in candidates if _is_worth_asking(one, other)]
    ids = tuple(sorted(other.id for other in likely))[:MOST_ASKED]
    if fitting:
        return MatchDecision(
            MatchVerdict.AMBIGUOUS, ids, MORE_THAN_ONE.format(count=max(len(fitting), 2))
        )
    if likely:
        return MatchDecision(MatchVerdict.AMBIGUOUS, ids, TOO_LITTLE)
    known = one.size is not None and one.size in sizes
    return MatchDecision(MatchVerdict.NONE, (), OTHER_FILE if known else OTHER_SIZE)


def moved_containers(
    albums: Iterable[tuple[str, Item]], held: Iterable[tuple[str, str | None, Item]]
) -> Mapping[str, str]:
    """Return the new ids of albums, series and the like, by their old ids.

    Only for those whose matched items are all in one and the same container now.

    Args:
        albums: For each matched file its old album, and the item that it is now.
        held: The same for the sources of its holds, with their type if known.
    """
    seen: dict[str, list[tuple[str | None, Item]]] = {}
    for old, item in albums:
        seen.setdefault(old, []).append((ItemType.ALBUM, item))
    for old, kind, item in held:
        if old not in seen or seen[old][0][0] != ItemType.ALBUM:
            seen.setdefault(old, []).append((kind, item))
    moved: dict[str, str] = {}
    for old, members in seen.items():
        kind = next((one for one, _ in members if one is not None), None)
        new = _common(kind, [item for _, item in members])
        if new is not None and new != old:
            moved[old] = new
    return moved


def _common(kind: str | None, items: Sequence[Item]) -> str | None:
    """Return the container of a type that all items are in; without a type, the smallest."""
    for one in CONTAINER_KINDS if kind is None else (kind,):
        found = {_container(one, item) for item in items}
        if len(found) == 1 and (only := found.pop()) is not None:
            return only
    return None


def _container(kind: str, item: Item) -> str | None:
    match kind:
        case ItemType.ALBUM:
            return item.album_id
        case ItemType.SEASON:
            return item.season_id
        case ItemType.SERIES:
            return item.series_id
        case ItemType.ARTIST:
            return item.artist_id
    return None


def is_enough(one: Facts, other: Facts) -> bool:
    """Whether two are the same file, provided that neither matches any other."""
    return _can_be(one, other) and any(holds(one, other) for holds, _ in ENOUGH)


def _is_worth_asking(one: Facts, other: Facts) -> bool:
    return _has_name(one, other) or name_key(one.title) == name_key(other.title)


def _pairs(
    old: Mapping[str, Facts], new: Mapping[str, Facts], different: Collection[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the pairs worth comparing: of one size there may be thousands."""
    by_trait: dict[tuple[object, ...], list[str]] = {}
    for other in new.values():
        for trait in _traits(other):
            by_trait.setdefault(trait, []).append(other.id)
    return [
        (one.id, id_)
        for one in old.values()
        for id_ in sorted({id_ for trait in _traits(one) for id_ in by_trait.get(trait, ())})
        if (one.id, id_) not in different and _can_be(one, new[id_])
    ]


def _traits(one: Facts) -> Iterator[tuple[object, ...]]:
    """Yield traits; two files are compared only if they share one."""
    if not one.size:
        return
    if one.version is not None:
        yield one.kind, one.size, "version", one.version
    yield one.kind, one.size, "title", name_key(one.title)
    for name in one.names:
        yield one.kind, one.size, "name", name


def _can_be(one: Facts, other: Facts) -> bool:
    """Whether nothing excludes that two are the same."""
    if not one.size or (one.kind, one.size) != (other.kind, other.size):
        return False
    if one.devices & other.devices or one.id == other.id:
        return False
    if not one.seconds or not other.seconds:
        return True
    return abs(one.seconds - other.seconds) <= LENGTH_TOLERANCE_S


def _alone(pairs: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs whose sides are in no other pair."""
    olds: dict[str, int] = {}
    news: dict[str, int] = {}
    for one, other in pairs:
        olds[one] = olds.get(one, 0) + 1
        news[other] = news.get(other, 0) + 1
    return [(one, other) for one, other in pairs if olds[one] == news[other] == 1]


def _has_version(one: Facts, other: Facts) -> bool:
    return one.version is not None and one.version == other.version


def _has_name(one: Facts, other: Facts) -> bool:
    return bool(one.names & other.names)


def _has_tags(one: Facts, other: Facts) -> bool:
    if name_key(one.title) != name_key(other.title):
        return False
    if name_key(one.album or "") != name_key(other.album or ""):
        return False
    if one.artists or other.artists:
        if not one.artists & other.artists:
            return False
    elif one.kind not in FILMS:
        # A title alone is not enough: it may be the file's name.
        return False
    return bool(one.seconds and other.seconds) or one.kind not in FILMS


Holds = Callable[[Facts, Facts], bool]


def _all(*needed: Holds) -> Holds:
    return lambda one, other: all(holds(one, other) for holds in needed)


# Best first: files that match by a better rule are not matched by a weaker one.
ENOUGH: tuple[tuple[Holds, str], ...] = (
    (_all(_has_version, _has_tags, _has_name), BY_VERSION),
    (_all(_has_version, _has_tags), BY_VERSION),
    (_all(_has_version, _has_name), BY_VERSION),
    (_has_version, BY_VERSION),
    (_all(_has_tags, _has_name), BY_TAGS),
    (_has_tags, BY_TAGS),
)
