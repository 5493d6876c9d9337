"""Desks of people and of the machinery in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sidecar.services.accounts.person import Person
from sidecar.services.accounts.users import AccountView, SessionView
from sidecar.services.system_status import LogLine, SystemStatusView
from tests.fakes.desk import ANN, BEN, EVE

EVENING = datetime(2026, 11, 1, 19, 30, tzinfo=UTC)
IDS = {one.name: f"{number:064x}" for number, one in enumerate((ANN, BEN, EVE), 1)}


@dataclass
class FakePeople:
    """Implements `PeopleDesk`.

    Unlike the real one everybody has one session and a file, nothing is ended for real, and no
    Jellyfin is told.
    """

    ended: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def accounts(self, person: Person) -> Sequence[AccountView]:
        return [
            AccountView(
                user_id=one.user_id,
                name=one.name,
                is_admin=one.is_admin,
                is_signed_in=one != BEN,
                signed_in_at=EVENING,
                last_seen_at=None,
                files=1,
                bytes=7_400_000,
            )
            for one in self._seen(person)
        ]

    def sessions(self, person: Person, secret: str | None) -> Sequence[SessionView]:
        return [
            SessionView(
                id=IDS[one.name],
                account=one.name,
                created_at=EVENING,
                last_used_at=EVENING,
                address="192.168.1",
                is_this=one == person and secret is not None,
            )
            for one in self._seen(person)
        ]

    def end_session(self, person: Person, session_id: str) -> bool:
        found = [one for one in self.sessions(person, None) if one.id == session_id]
        self.ended += [one.account for one in found]
        return bool(found)

    def end_sessions(self, person: Person) -> int:
        self.ended.append(person.name)
        return 1

    def forget(self, person: Person, user_id: str) -> bool:
        found = [one.name for one in self._seen(person) if one.user_id == user_id]
        self.forgotten += found
        return bool(found)

    def _seen(self, person: Person) -> list[Person]:
        return [one for one in (ANN, BEN, EVE) if person.is_admin or one == person]


@dataclass
class FakeHood:
    """Implements `HoodDesk`; unlike the real one it asks nobody."""

    lines: list[LogLine] = field(
        default_factory=lambda: [
            LogLine(EVENING, "WARNING", "worker-1", "Car stick is not there <b>"),
            LogLine(EVENING, "INFO", "http", "ann signed in"),
        ]
    )

    def view(self) -> SystemStatusView:
        return SystemStatusView(
            version="0.1.0",
            server_name="Attic",
            server_version="12.0.0",
            server_trouble=None,
            engine="builtin",
            workers=3,
            running=1,
            database_bytes=1_200_000,
            is_healthy=True,
        )

    def log(self, level: str | None, text: str) -> Sequence[LogLine]:
        return [
            one for one in self.lines if level in {None, "INFO", one.level} and text in one.text
        ]
