"""Decides which evictions wait until other devices have received newer files by Syncthing.

    our folder:    old ── old ── old ── new ── new
    Ann's phone:   old ── old ── old ── (on its way)
                   └── stays here until the new ones are there

What is removed here is removed on the phone as well, perhaps just before it goes offline. So a file
stays until what came after it has arrived there. That wait is limited in three ways: by a device
that has not been seen for a week, by a file that is a week old, and by a file that was passed over,
because the device has one that came an hour later, or that Syncthing does not sync at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.messages import counted, listed, msg

# A device that was not seen for so long is not waited for.
FORGOTTEN_AFTER = timedelta(days=7)
# A file that has not arrived after so long is not waited for.
LONGEST_WAIT = timedelta(days=7)
# A peer with a file that came so much later has skipped this one.
PASSED_OVER = timedelta(hours=1)
# Syncthing may need so long to notice a file.
UNNOTICED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another device that a folder is shared with.

    Attributes:
        id: Syncthing's own.
        last_seen: None if it never was.
        completion: Percent of the folder's bytes that it has; None if unknown.
        need_bytes, need_items: What it still lacks; None if unknown.
        needs: Paths of files of ours that it lacks, below our folder.
    """

    id: str
    name: str
    is_connected: bool = False
    is_paused: bool = False
    last_seen: datetime | None = None
    completion: float | None = None
    need_bytes: int | None = None
    need_items: int | None = None
    needs: frozenset[str] = frozenset()

    def counts(self, now: datetime) -> bool:
        """Whether it is waited for: connected, or seen not long ago."""
        if self.is_paused:
            return False
        if self.is_connected:
            return True
        return self.last_seen is not None and now - self.last_seen < FORGOTTEN_AFTER


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that a peer is not known to have.

    Attributes:
        completed_at: When it was completed here.
    """

    peer_id: str
    path: str
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class PeerWait:
    """Files that were completed before a certain one may not be evicted now.

    Attributes:
        before: When that file was completed here.
        names: The devices that are waited for.
        files: How many files they still lack.
        until: When the wait ends in any case.
    """

    before: datetime
    names: tuple[str, ...]
    files: int
    until: datetime

    @property
    def text(self) -> str:
        """The cause of the wait, as the end of a sentence."""
        what = counted("{count} newer file", "{count} newer files", self.files)
        who = listed(self.names)
        if len(self.names) > 1:
            return msg("what can be removed waits until {who} have {what}", who=who, what=what)
        return msg("what can be removed waits until {who} has {what}", who=who, what=what)


def wait_for(
    peers: Iterable[Peer],
    missing: Collection[Missing],
    newest: Mapping[str, datetime],
    now: datetime,
) -> PeerWait | None:
    """Return which evictions must wait for other devices; None if none must.

    Args:
        peers: All devices that the folder is shared with.
        missing: Files that are complete here and not known to be there, of all peers.
        newest: For each peer, when the newest of our files that it has was completed here.
        now: The time.
    """
    counting = {one.id: one for one in peers if one.counts(now)}
    awaited = [
        one
        for one in missing
        if one.peer_id in counting
        and _is_on_its_way(one, counting[one.peer_id], newest.get(one.peer_id), now)
    ]
    if not awaited:
        return None
    last = max(one.completed_at for one in awaited)
    names = sorted({counting[one.peer_id].name for one in awaited})
    files = len({one.path for one in awaited})
    return PeerWait(last, tuple(names), files, last + LONGEST_WAIT)


def _is_on_its_way(file: Missing, peer: Peer, newest: datetime | None, now: datetime) -> bool:
    age = now - file.completed_at
    if age >= LONGEST_WAIT:
        return False
    if newest is not None and newest - file.completed_at >= PASSED_OVER:
        return False
    return file.path in peer.needs or age < UNNOTICED
