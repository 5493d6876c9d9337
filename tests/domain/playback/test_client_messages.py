"""Which client is told what about what a person did in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.playback.client_messages import (
    ACTIVE_WITHIN,
    GIVEN_UP_S,
    JOINED_S,
    LONGEST_BURST_S,
    Act,
    ActKind,
    Burst,
    DeviceOutcome,
    OpenClient,
    choose_client,
    count_outcome,
    may_show,
    write_message,
)
from sidecar.messages import translate
from sidecar.web.i18n.sentences import words_of
from tests.domain.examples import ROW

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ANN, BEN = "a" * 32, "b" * 32
SONG, ALBUM = "1" * 32, "2" * 32
GB = 1_000_000_000
QUEUED = replace(ROW, status=Status.PENDING, file_size=None, completed_at=None)


def act(kind: ActKind = ActKind.HEART, *, title: str | None = "First Light", at: float = 0) -> Act:
    return Act(user_id=ANN, kind=kind, item_ids=(ALBUM,), title=title, at=at, began=NOW)


def client(name: str, *, minutes_ago: float | None = 0, **more: object) -> OpenClient:
    active_at = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    there = OpenClient(session_id=name, user_id=ANN, active_at=active_at)
    return replace(there, **more)  # type: ignore[arg-type]


def chosen(kind: ActKind, *clients: OpenClient) -> str | None:
    found = choose_client(clients, act(kind), NOW)
    return found.session_id if found else None


@pytest.mark.parametrize("kind", ActKind)
def test_the_client_that_was_active_last_is_told(kind: ActKind) -> None:
    ben = client("ben's", minutes_ago=0, user_id=BEN)

    assert chosen(kind, client("web", minutes_ago=0.2), client("phone", minutes_ago=0.4)) == "web"
    assert chosen(kind, client("phone", minutes_ago=0.4), ben) == "phone"
    assert chosen(kind, ben) is None
    assert chosen(kind) is None


def test_a_heart_on_what_plays_belongs_to_the_client_that_plays_it() -> None:
    player = client("phone", minutes_ago=5, plays=ALBUM)

    assert chosen(ActKind.HEART, client("web"), player) == "phone"
    assert chosen(ActKind.CAST, client("web"), player) == "web"
    assert chosen(ActKind.HEART, client("web"), player, replace(player, session_id="tv")) == "web"


def test_who_was_active_long_ago_is_told_only_if_nobody_else_can_be_meant() -> None:
    old = ACTIVE_WITHIN / timedelta(minutes=1) + 1
    web, silent = client("web", minutes_ago=old), client("tv", minutes_ago=None)

    assert chosen(ActKind.HEART, web) == "web"
    assert chosen(ActKind.HEART, web, silent) is None
    assert chosen(ActKind.HEART, web, replace(silent, is_connected=False)) == "web"
    assert chosen(ActKind.CAST, web) is None, "a cast is a request of the session just now"


def test_nothing_is_sent_to_who_cannot_show_it_or_watches_a_film() -> None:
    web = client("web")

    assert may_show(web)
    assert not may_show(replace(web, shows_messages=False))
    assert not may_show(replace(web, is_connected=False))
    assert not may_show(replace(web, plays_film=True))


def test_acts_that_follow_each_other_are_told_together() -> None:
    burst = Burst("web", [act(at=0)])
    assert burst.due_at() == JOINED_S
    burst.acts.append(act(at=3))
    assert burst.due_at() == 3 + JOINED_S
    burst.acts += [act(at=6), act(at=9), act(at=12), act(at=15), act(at=18)]
    assert burst.due_at() == LONGEST_BURST_S
    burst.unfinished = 1
    assert burst.due_at() == GIVEN_UP_S
    slow = Burst("web", [act(ActKind.PLAYLIST)])
    assert JOINED_S < slow.due_at() <= LONGEST_BURST_S


ON_THE_WAY = DeviceOutcome(device="Car stick", coming=10)


@pytest.mark.parametrize(
    ("acts", "outcomes", "told", "german"),
    [
        (
            [act()],
            [ON_THE_WAY],
            "First Light: 10 tracks are on their way to Car stick",
            "First Light: 10 Titel sind unterwegs zu Car stick",
        ),
        (
            [act(), act(title="Far Out"), act(title="Night")],
            [replace(ON_THE_WAY, coming=1)],
            "First Light and 2 more: 1 track is on its way to Car stick",
            "First Light und 2 weitere: 1 Titel ist unterwegs zu Car stick",
        ),
        (
            [act()],
            [DeviceOutcome(device="Car stick", there=10)],
            "First Light is on Car stick",
            "First Light ist auf Car stick",
        ),
        (
            [act()],
            [DeviceOutcome(device="Car stick", refused=1, too_big=2 * GB)],
            "First Light does not fit on Car stick: 2.0 GB too big",
            "First Light passt nicht auf Car stick: 2,0 GB zu groß",
        ),
        (
            [act()],
            [replace(ON_THE_WAY, refused=2, too_big=GB)],
            (
                "First Light: 10 tracks are on their way to Car stick."
                " 2 files do not fit on Car stick: 1.0 GB too big"
            ),
            (
                "First Light: 10 Titel sind unterwegs zu Car stick."
                " 2 Dateien passen nicht auf Car stick: 1,0 GB zu groß"
            ),
        ),
        (
            [replace(act(ActKind.CAST, title=None), is_running_queue=True)],
            [replace(ON_THE_WAY, coming=4, there=6)],
            "You cast what was playing: 10 tracks pinned on Car stick",
            "Du hast übertragen, was gerade lief: 10 Titel auf Car stick angepinnt",
        ),
        (
            [act(ActKind.CAST, title=None)],
            [replace(ON_THE_WAY, coming=2, are_tracks=False)],
            "2 files are on their way to Car stick",
            "2 Dateien sind unterwegs zu Car stick",
        ),
        (
            [act()],
            [ON_THE_WAY, DeviceOutcome(device="Phone", there=10)],
            "First Light: 10 tracks are on their way to Car stick. First Light is on Phone",
            "First Light: 10 Titel sind unterwegs zu Car stick. First Light ist auf Phone",
        ),
        ([act()], [DeviceOutcome(device="Car stick")], None, None),
        ([act()], [], None, None),
    ],
)
def test_one_short_sentence_says_what_comes_of_it(
    acts: list[Act], outcomes: list[DeviceOutcome], told: str | None, german: str | None
) -> None:
    message = write_message(acts, outcomes)

    assert message == told
    assert message is None or translate(message, words_of("de")) == german


def test_a_message_stays_short() -> None:
    everywhere = [DeviceOutcome(device=f"Stick {one}", coming=1) for one in range(20)]
    message = write_message([act(title="x" * 4000)], everywhere)

    assert message is not None
    assert len(message) < 400


def test_what_becomes_of_each_download_is_counted() -> None:
    coming, there, waiting = (replace(QUEUED, id=one) for one in (1, 2, 3))
    there = replace(there, status=Status.COMPLETED, file_size=5)
    waiting = replace(waiting, expected_size=3 * GB)
    failed = replace(QUEUED, id=4, status=Status.FAILED, error_code="too-big", expected_size=GB)
    other = replace(QUEUED, id=5, status=Status.FAILED, error_code="http-403")
    rows = [coming, there, waiting, failed, other]

    found = count_outcome("Car stick", rows, not_fitting={3}, room=2 * GB)

    assert found == DeviceOutcome(device="Car stick", coming=1, there=1, refused=2, too_big=2 * GB)
    since = coming.queued_at + timedelta(seconds=1)
    late = replace(coming, queued_at=since)
    found = count_outcome("Car stick", [*rows, late], not_fitting=(), room=0, since=since)
    assert found == DeviceOutcome(device="Car stick", coming=1)
