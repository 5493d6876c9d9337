"""Counts files by owner, as far as the viewer may know them.

Only an admin sees the names of other owners; for everybody else their files are only counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sidecar.messages import msg

# The name of an account that was forgotten.
FORMER_ACCOUNT = msg("a former account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Numbers of files by owner.

    Attributes:
        total: How many there are.
        yours: Owned by the viewer alone.
        shared: Owned by the viewer and others.
        others: Owned by others, by name, if the viewer may see that; a file of two counts twice.
        hidden: Owned by others whose names the viewer may not see.
    """

    total: int = 0
    yours: int = 0
    shared: int = 0
    others: tuple[tuple[str, int], ...] = ()
    hidden: int = 0

    @property
    def concerns_others(self) -> bool:
        """Whether others own any of them."""
        return self.total > self.yours


NO_FILES = Share()


def count_shares(
    owners: Iterable[Collection[str]], user_id: str, names: Mapping[str, str] | None
) -> Share:
    """Count files by their owners.

    Args:
        owners: The user ids of the owners of each file.
        user_id: The viewer.
        names: Of all accounts, if the viewer may see them; else None.
    """
    total = yours = shared = hidden = 0
    by_name: Counter[str] = Counter()
    for one in map(frozenset, owners):
        total += 1
        if one == {user_id}:
            yours += 1
        elif user_id in one:
            shared += 1
        elif names is None:
            hidden += 1
        else:
            by_name.update({names.get(owner, FORMER_ACCOUNT) for owner in one})
    others = tuple(sorted(by_name.items(), key=lambda pair: (-pair[1], pair[0])))
    return Share(total=total, yours=yours, shared=shared, others=others, hidden=hidden)
