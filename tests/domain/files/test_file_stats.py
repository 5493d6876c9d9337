from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.files.file_stats import FileStats
from sidecar.domain.files.removals import FileStat

IDS = st.integers(0, 2**63 - 1)
STATS = st.builds(
    FileStat,
    size=st.integers(0, 2**63 - 1),
    # Before 1970, and later than 64 bits of nanoseconds reach.
    modified_ns=st.integers(-(10**19), 10**20),
    inode=st.integers(0, 2**64 - 1),
)


@given(st.dictionaries(IDS, STATS, max_size=20), IDS)
def test_it_tells_what_a_dictionary_of_the_same_would(
    found: dict[int, FileStat], another: int
) -> None:
    kept = FileStats(found.items())

    assert dict(kept) == found
    assert len(kept) == len(found)
    assert list(kept) == sorted(found)
    assert kept.get(another) == found.get(another)


@given(st.dictionaries(IDS, STATS, max_size=20), st.integers(0, 20))
def test_what_comes_later_is_kept_as_well(found: dict[int, FileStat], first: int) -> None:
    in_order = sorted(found.items())
    kept = FileStats(in_order[:first])

    kept.extend(in_order[first:])

    assert list(kept.items()) == in_order
