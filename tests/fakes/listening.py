"""A desk of plays in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sidecar.domain.downloads.states import Status
from sidecar.services.accounts.person import Person
from sidecar.services.playback.history import NowView, PlaysPage, PlayView, UpcomingView

EVENING = datetime(2026, 11, 1, 19, 30, tzinfo=UTC)


def a_play(number: int) -> PlayView:
    return PlayView(
        item_id=f"{number:032x}",
        title=f"Track {number}",
        client="Finamp",
        started_at=EVENING + timedelta(minutes=number),
        seconds_heard=171.26,
        is_counted=True,
    )


def plays_now(account: str) -> NowView:
    return NowView(
        account=account,
        item_id="f" * 32,
        title="Now",
        artist="The Quiet Hour",
        album="Evenings",
        item_type="Audio",
        client="Finamp",
        device_name="Phone",
        started_at=EVENING,
        position=12.345,
        seconds=180.0,
        seconds_heard=12.04,
        is_paused=False,
        queued=3,
        coming=(
            UpcomingView(
                "Next", "The Quiet Hour", "next in your queue", (("Car stick", Status.PENDING),)
            ),
        ),
    )


@dataclass
class FakeListening:
    """Imitates `PlayHistory`; what was heard is given by account name.

    Unlike the real one it keeps nothing, and knows names by their exact spelling alone.
    """

    heard: dict[str, list[PlayView]] = field(default_factory=dict)
    hearing: list[NowView] = field(default_factory=list)

    def plays(self, person: Person, account: str | None, page: int, page_size: int) -> PlaysPage:
        allowed = person.is_admin or account in {None, person.name}
        found = self.heard.get(account or person.name, []) if allowed else []
        first = (page - 1) * page_size
        return PlaysPage(found[::-1][first : first + page_size], len(found), page, page_size)

    def now(self, person: Person) -> Sequence[NowView]:
        return [one for one in self.hearing if person.is_admin or one.account == person.name]
