"""What people do in their Jellyfin clients, from where it is noticed to where it is told.

    favourites, casting, a changed playlist ──begun, finished──▶ Acts ──▶ ClientMessages

It is news, never an order: an act that is lost is not told, and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.domain.playback.client_messages import Act, ActKind
from sidecar.process.threads import Wakeup

# More than that at once is no person; the oldest are dropped.
MOST_WAITING = 200

Place = tuple[str, str]


@dataclass(slots=True)
class Step:
    """An act that has begun, or is finished.

    Attributes:
        places: The devices and items that it is about, where the act itself knows them.
        title: What it is about, where that is only known at the end.
    """

    act: Act
    is_finished: bool
    places: tuple[Place, ...] = ()
    title: str | None = None


class Acts:
    """Takes acts from any thread, and hands them to the one that tells of them.

    Attributes:
        wakeup: Is set by each act.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.wakeup = Wakeup()
        self._steps: deque[Step] = deque(maxlen=MOST_WAITING)

    @contextmanager
    def during(
        self,
        user_id: str,
        kind: ActKind,
        item_ids: Collection[str],
        title: str | None = None,
        *,
        is_running_queue: bool = False,
    ) -> Iterator[Step]:
        """Note an act that is carried out meanwhile; what is set on the value counts at the end."""
        act = Act(
            user_id=user_id,
            kind=kind,
            item_ids=tuple(item_ids),
            title=title,
            at=self._clock.monotonic(),
            began=self._clock.now(),
            is_running_queue=is_running_queue,
        )
        self._put(Step(act, is_finished=False))
        last = Step(act, is_finished=True)
        try:
            yield last
        finally:
            self._put(last)

    def note(self, user_id: str, kind: ActKind, item_ids: Collection[str], title: str) -> None:
        """Note an act that others carry out."""
        with self.during(user_id, kind, item_ids, title):
            pass

    def take(self) -> Iterable[Step]:
        """Take what has happened since the last call, in order."""
        while self._steps:
            yield self._steps.popleft()

    def _put(self, step: Step) -> None:
        self._steps.append(step)
        self.wakeup.set()
