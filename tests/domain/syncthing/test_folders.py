from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.domain.syncthing.folders import FolderFacts, FolderFault, find_faults

WELL = FolderFacts(
    is_paused=False,
    type="sendonly",
    error="",
    failing=0,
    keeps_versions=False,
    peers=1,
    peers_paused=(),
    unknown=0,
    is_left_alone=True,
)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, []),
        ({"failing": 2}, [FolderFault.FAILING]),
        ({"type": "receiveencrypted"}, [FolderFault.SENDS_NOTHING]),
        ({"is_left_alone": False, "unknown": 1}, [FolderFault.HIDDEN, FolderFault.TRAVELLING]),
        ({"is_paused": True, "is_left_alone": False}, [FolderFault.PAUSED]),
        ({"error": "gone", "peers": 0}, [FolderFault.STOPPED]),
    ],
)
def test_what_is_wrong_is_told_but_not_what_follows_from_it(
    changed: dict[str, object], faults: list[FolderFault]
) -> None:
    assert find_faults(replace(WELL, **changed)) == faults  # type: ignore[arg-type]
