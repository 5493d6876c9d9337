"""Counts files by owner, as far as the person who looks may know it.

A file that a person does not own is somebody's by name for an admin alone; for everybody else it
only counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sidecar.messages import msg

# What an account is called that has signed in once and is not known any more.
FORMER_ACCOUNT = msg("a former account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Whose files they are.

    Attributes:
        total: How many there are.
        yours: Those that are the person's alone.
        shared: Those that others want as well.
        others: Those of others, by name, for who may see them; a file of two counts for both.
        hidden: Those of others, of which the person may see no more than that they are there.
    """

    total: int = 0
    yours: int = 0
    shared: int = 0
    others: tuple[tuple[str, int], ...] = ()
    hidden: int = 0

    @property
    def concerns_others(self) -> bool:
        """Whether anything of somebody else is among them."""
        return self.total > self.yours


NO_FILES = Share()


def count_shares(
    owners: Iterable[Collection[str]], user_id: str, names: Mapping[str, str] | None
) -> Share:
    """Count files by their owners.

    Args:
        owners: The user ids of the owners of each file.
        user_id: Who looks.
        names: Of all accounts, for who may see whose files they are; None for everybody else.
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
