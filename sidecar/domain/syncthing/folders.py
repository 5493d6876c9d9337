"""What keeps Syncthing from carrying what we put into a folder, or fills the device with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# Types of folders of which Syncthing sends nothing that changes here.
SENDS_NOTHING = frozenset({"receiveonly", "receiveencrypted"})


class FolderFault(StrEnum):
    """Something about a folder that a person should know."""

    PAUSED = "paused"
    SENDS_NOTHING = "sends-nothing"
    STOPPED = "stopped"
    FAILING = "failing"
    ALONE = "alone"
    PEERS_PAUSED = "peers-paused"
    HIDDEN = "hidden"
    TRAVELLING = "travelling"
    VERSIONS = "versions"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFacts:
    """What Syncthing says of a folder.

    Attributes:
        type: `sendreceive`, `sendonly`, `receiveonly` or `receiveencrypted`.
        error: Why it has stopped; empty if it has not.
        failing: How many files it could not bring here.
        keeps_versions: Whether it keeps what other devices replace or delete.
        peers: How many other devices share it.
        peers_paused: The names of those that are paused.
        unknown: How many of our files that were looked for it does not know.
        is_left_alone: Whether it ignores our unfinished files.
    """

    is_paused: bool
    type: str
    error: str
    failing: int
    keeps_versions: bool
    peers: int
    peers_paused: Sequence[str]
    unknown: int
    is_left_alone: bool


def find_faults(facts: FolderFacts) -> Sequence[FolderFault]:
    """Return what is wrong, the worst first; what follows from something worse is left out."""
    if facts.is_paused:
        return [FolderFault.PAUSED]
    if facts.error:
        return [FolderFault.STOPPED]
    faults = {
        FolderFault.SENDS_NOTHING: facts.type in SENDS_NOTHING,
        FolderFault.ALONE: facts.peers == 0,
        FolderFault.HIDDEN: facts.unknown > 0,
        FolderFault.PEERS_PAUSED: bool(facts.peers_paused),
        FolderFault.FAILING: facts.failing > 0,
        FolderFault.VERSIONS: facts.keeps_versions,
        FolderFault.TRAVELLING: not facts.is_left_alone,
    }
    return [fault for fault, is_so in faults.items() if is_so]
