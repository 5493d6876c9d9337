"""Decides which files of a device would be named otherwise today, and how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sidecar.domain.files.folders import PlannedFolders, find_paths, owner_id
from sidecar.domain.files.groups import ALONE, Group
from sidecar.domain.files.naming import (
    NameLimits,
    get_extension,
    make_path_key,
    with_extension,
)
from sidecar.domain.items.item import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file, or the place that a download keeps for one.

    Attributes:
        item: None if it is not known what it is, or if it is to keep its path.
    """

    id: int
    path: str
    item: Item | None = None
    group: Group = ALONE
    owner: str | None = None


def plan_renames(files: Iterable[NamedFile], shape: NameLimits) -> Mapping[int, str]:
    """Return the new paths of files, by their ids; what keeps its path is left out.

    Args:
        files: All on one device, those that came first before the others: a folder belongs to
            the album that had it first.
        shape: The player's limits.
    """
    there, taken, movable = PlannedFolders(), set[str](), []
    for one in files:
        if one.item is None:
            there.add(one.path, one.owner)
            taken.add(make_path_key(one.path))
        else:
            movable.append((one, one.item))
    renamed: dict[int, str] = {}
    for one, item in movable:
        paths = (
            with_extension(path, get_extension(one.path))
            for path in find_paths(item, there, shape, one.group)
        )
        path = next((path for path in paths if make_path_key(path) not in taken), one.path)
        taken.add(make_path_key(path))
        there.add(path, owner_id(item.type, item.id, item.album_id, item.series_id))
        if path != one.path:
            renamed[one.id] = path
    return renamed


def make_plan_id(renamed: Mapping[int, str]) -> str:
    """Return a text that is another one for every other plan."""
    return hashlib.sha256(json.dumps(sorted(renamed.items())).encode()).hexdigest()[:16]
