"""What the server groups: albums, seasons and books, as far as they decide the names of files.

    album item ─▶ title, artist and year of the folder, whatever the tags of one track say
    its tracks ─▶ how many digits the numbers need, and whether there are discs

Without the album item the file's own tags are used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sidecar.domain.items.item import Item, ItemType

T = TypeVar("T")

# A larger number is an error in the tags: it does not decide how many digits the others get.
LARGEST_NUMBER = 9999
SEVERAL_ARTISTS = "Various Artists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An album, or the folder of a book.

    Attributes:
        artist: Who it is filed under; for a book the author.
        path: Of a folder, on the server; None if unknown.
    """

    title: str
    artist: str | None = None
    year: int | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How the files of an album, a season or a book are named.

    Attributes:
        title, artist, year: Of the album or book; without a title the file's own tags are used.
        digits, disc_digits: Of the numbers of its files and of its discs.
        has_discs: Whether any of its files has a disc number.
    """

    title: str | None = None
    artist: str | None = None
    year: int | None = None
    digits: int = 2
    disc_digits: int = 1
    has_discs: bool = False


ALONE = Group()


def group_id(item: Item) -> str | None:
    """Return the id of the album, season or book that a file is part of."""
    match item.type:
        case ItemType.AUDIO | ItemType.AUDIO_BOOK:
            return item.album_id
        case ItemType.EPISODE:
            return item.season_id
        case _:
            return None


def make_groups(
    items: Collection[Item],
    fellows: Iterable[Item] = (),
    containers: Mapping[str, Container] | None = None,
) -> dict[str, Group]:
    """Return the group of each item that is part of one, by the item's id.

    Args:
        items: The files.
        fellows: What else is known of their albums, seasons and books.
        containers: Albums and folders of books, by id.
    """
    members: dict[str, dict[str, Item]] = {}
    for one in (*fellows, *items):
        if (its_id := group_id(one)) is not None:
            members.setdefault(its_id, {})[one.id] = one
    known = containers or {}
    return {
        one.id: _make_group(one, list(members[its_id].values()), known.get(its_id))
        for one in items
        if (its_id := group_id(one)) is not None
    }


def fit_into_group(item: Item, group: Group) -> Item:
    """Return the item with its album, artist, year and disc as its group has them."""
    if item.type not in {ItemType.AUDIO, ItemType.AUDIO_BOOK}:
        return item
    if group.title is not None:
        item = replace(
            item,
            album=group.title,
            album_artist=group.artist or item.album_artist,
            year=group.year,
        )
    return replace(item, disc=1) if group.has_discs and not has_disc(item) else item


def has_disc(item: Item) -> bool:
    """Whether a disc number is known."""
    return item.disc is not None and item.disc > 0


def _make_group(item: Item, members: Collection[Item], container: Container | None) -> Group:
    if item.type is ItemType.AUDIO_BOOK:
        members = [one for one in members if _folder(one) == _folder(item)]
    numbers = [n for one in members for n in (one.number, one.number_end) if _is_number(n)]
    is_music = item.type is ItemType.AUDIO
    discs = [one.disc for one in members if is_music and has_disc(one) and _is_number(one.disc)]
    group = Group(
        digits=_count_digits(numbers, least=2),
        disc_digits=_count_digits(discs, least=1),
        has_discs=bool(discs),
    )
    if container is None:
        return group
    if item.type is ItemType.AUDIO_BOOK:
        title, artist = _name_book(item, members, container)
        return replace(group, title=title, artist=artist, year=_only(one.year for one in members))
    if is_music:
        artist = container.artist or _name_artist(members)
        return replace(group, title=container.title, artist=artist, year=container.year)
    return group


def _name_book(item: Item, members: Collection[Item], folder: Container) -> tuple[str, str | None]:
    """Return the title and author of a book: from the tags of its parts, else from its folders."""
    author = _only(one.album_artist or one.artist for one in members)
    told = _only(one.album for one in members if one.album)
    if folder.path is not None and _folder(item) not in {None, folder.path}:
        # The only file of its folder, which the server takes for the book itself.
        return told or item.title, author or folder.title
    return told or folder.title, author or folder.artist or item.album_artist or item.artist


def _name_artist(members: Iterable[Item]) -> str | None:
    names = {name for one in members if (name := one.album_artist or one.artist)}
    return SEVERAL_ARTISTS if len(names) > 1 else next(iter(names), None)


def _only(values: Iterable[T | None]) -> T | None:
    """Return the value that all have; None if they differ."""
    different = set(values)
    return different.pop() if len(different) == 1 else None


def _folder(item: Item) -> str | None:
    if item.source_path is None:
        return None
    return item.source_path.replace("\\", "/").rpartition("/")[0]


def _is_number(number: int | None) -> bool:
    return number is not None and 0 <= number <= LARGEST_NUMBER


def _count_digits(numbers: Iterable[int | None], *, least: int) -> int:
    return max([least, *(len(f"{one}") for one in numbers if one is not None)])
