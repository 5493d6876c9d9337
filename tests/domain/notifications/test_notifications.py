"""What is told, when, and that it is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sidecar.domain.notifications.notifications import (
    APART,
    USUAL,
    WAITS,
    Condition,
    Memory,
    NotificationKind,
    choose_due,
    look,
    name_week,
    note_told,
    pass_over,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
AWAY = Condition("server:away", NotificationKind.SERVER, "Jellyfin is away")
CAME = Condition("ready:stick", NotificationKind.READY, "31 new files", 40)
ALL = [AWAY, CAME]


def test_what_passes_soon_is_not_told_and_what_lasts_is_told_once() -> None:
    memory = look(Memory(), ALL, NOW)
    assert choose_due(memory, ALL, USUAL, NOW) == []
    later = NOW + WAITS[NotificationKind.READY]
    memory = look(memory, ALL, later)
    assert choose_due(memory, ALL, USUAL, later) == [CAME]
    memory = note_told(memory, [CAME], later)
    assert memory.marks == {CAME.key: 40}

    # The other is told with what came meanwhile, and a message is not followed by the next at once.
    soon = later + APART / 2
    assert choose_due(memory, ALL, USUAL, soon) == ()
    end = NOW + WAITS[NotificationKind.SERVER]
    memory = look(memory, ALL, end)
    assert choose_due(memory, ALL, USUAL, end) == [AWAY]
    memory = note_told(memory, [AWAY], end)
    assert choose_due(memory, ALL, USUAL, end + timedelta(days=3)) == []

    # More of what is counted is news, even if it came before anybody looked again.
    more = replace(CAME, mark=41)
    memory = look(memory, [AWAY, more], end + timedelta(days=3))
    assert choose_due(memory, [AWAY, more], USUAL, end + timedelta(days=4)) == [more]

    # Once it was over, it is news again.
    memory = look(memory, [], end)
    assert (memory.since, memory.told) == ({}, frozenset())
    again = look(memory, [AWAY], end + timedelta(hours=1))
    assert choose_due(again, [AWAY], USUAL, end + timedelta(hours=2)) == [AWAY]


def test_only_what_somebody_wants_is_told_and_the_rest_does_not_pile_up() -> None:
    memory = look(Memory(since={CAME.key: NOW - timedelta(hours=1)}), [CAME], NOW)
    assert choose_due(memory, [CAME], {NotificationKind.FAILED}, NOW) == []

    memory = pass_over(memory, [CAME], {NotificationKind.FAILED})
    assert (memory.marks, memory.sent_at) == ({CAME.key: 40}, None)
    assert pass_over(Memory(), [CAME], {NotificationKind.READY}).marks == {}


def test_a_week_ends_on_monday_morning_where_the_people_are() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 5, 4, 6, 59, tzinfo=UTC)

    assert name_week(before, berlin) == "2026-18"
    assert name_week(before + timedelta(minutes=1), berlin) == "2026-19"
    assert name_week(before + timedelta(minutes=1), UTC) == "2026-18"
    assert name_week(datetime(2027, 1, 1, tzinfo=UTC), UTC) == "2026-53"
