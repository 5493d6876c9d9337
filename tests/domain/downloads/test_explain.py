from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import FORBIDDEN, NOT_ALLOWED, TOO_BIG, Download, Status
from sidecar.domain.downloads.explain import ExplainFacts, WantedBecause, explain, format_span
from sidecar.domain.downloads.waits import Wait, WaitKind
from tests.domain import examples
from tests.fakes.clock import START

FAVOURITE = WantedBecause(who=None, rule="favourites", text="your favourite")
ENDING = replace(FAVOURITE, release_at=START + timedelta(hours=2, minutes=1))
ROW = replace(examples.ROW, expected_size=1000, bytes_downloaded=430)
FAILED = replace(ROW, status=Status.FAILED, error_message="The server sent a web page.")
PAUSED = "Car stick is paused: nothing is downloaded to it until somebody resumes it"
SOON = START + timedelta(seconds=45)
IN_SIX_DAYS = START + timedelta(days=5, hours=1)


def about(download: Download | None = None, **more: object) -> ExplainFacts:
    values: dict[str, object] = {"device": "Car stick", "now": START, "download": download}
    return ExplainFacts(**{**values, **more})  # type: ignore[arg-type]  # any field, by name


def at(status: Status, **facts: object) -> Download:
    return replace(ROW, status=status, **facts)  # type: ignore[arg-type]  # any field, by name


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            about(ROW, wanted=(FAVOURITE,)),
            ["It is on Car stick.", "Needed for you: your favourite."],
        ),
        (
            about(ROW, wanted=(ENDING, replace(FAVOURITE, who="ben", text="new"))),
            [
                "It is on Car stick.",
                "Was needed for you (your favourite), and is kept for another 3 hours.",
                "Needed for ben: new.",
            ],
        ),
        (
            about(ROW),
            [
                "It is on Car stick.",
                "No longer needed; removed when space runs out.",
            ],
        ),
        (
            about(ROW, wanted=(FAVOURITE,), is_away=True),
            [
                "It was on Car stick when Car stick was last seen.",
                "Needed for you: your favourite.",
            ],
        ),
        (
            about(at(Status.DOWNLOADING)),
            ["It is being downloaded to Car stick now: 43% is there."],
        ),
        (
            about(at(Status.DOWNLOADING, finalizing=True)),
            ["It is just being put in its place on Car stick."],
        ),
        (
            about(at(Status.DOWNLOADING, finalizing=True), is_away=True),
            ["It is put in its place on Car stick when Car stick is back."],
        ),
        (
            about(at(Status.PENDING)),
            [
                "It is not on Car stick yet: it waits in the queue.",
                "It is downloaded when it is its turn.",
            ],
        ),
        (
            about(at(Status.PENDING), waits=(Wait(WaitKind.PAUSED, PAUSED),)),
            [
                "It is not on Car stick yet: it waits in the queue.",
                f"{PAUSED}.",
            ],
        ),
        (
            about(
                at(Status.PENDING),
                waits=(
                    Wait(WaitKind.ROOM, "Car stick is full."),
                    Wait(WaitKind.SERVER, "Jellyfin is away"),
                ),
            ),
            [
                "It is not on Car stick yet: it waits in the queue.",
                "Car stick is full.",
                "Jellyfin is away.",
            ],
        ),
        (
            about(at(Status.PENDING, retry_next_at=SOON, error_message="It was cut off")),
            [
                "It is not on Car stick yet: it waits in the queue.",
                "The last try failed: It was cut off. The next one is in a minute.",
            ],
        ),
        (
            about(at(Status.PENDING), waits=(Wait(WaitKind.NETWORK, "It waits for Wi-Fi"),)),
            ["It is not on Car stick yet: it waits in the queue.", "It waits for Wi-Fi."],
        ),
        (
            about(at(Status.PAUSED)),
            ["It is not on Car stick: its download is paused until somebody resumes it."],
        ),
        *(
            (
                about(replace(FAILED, error_message="No.", error_code=code)),
                [
                    (
                        "It is not on Car stick: No. "
                        "As soon as that changes, it is downloaded by itself."
                    )
                ],
            )
            for code in (FORBIDDEN, NOT_ALLOWED, TOO_BIG)
        ),
        (
            about(FAILED),
            [
                (
                    "It is not on Car stick: The server sent a web page. "
                    "It is not tried again until somebody says so."
                )
            ],
        ),
        (
            about(replace(FAILED, retry_next_at=SOON)),
            ["It is not on Car stick: The server sent a web page. It is tried again in a minute."],
        ),
        (
            about(at(Status.REMOVED), was_removed=True, wanted=(FAVOURITE,)),
            [
                "It was on Car stick and was removed.",
                "Needed for you: your favourite.",
                "You removed it from Car stick: it won't be downloaded automatically again.",
            ],
        ),
        (
            about(at(Status.REMOVED), resting_until=IN_SIX_DAYS),
            [
                "It was on Car stick and was removed.",
                (
                    "It was removed to make space: it is not downloaded automatically for another "
                    "6 days."
                ),
            ],
        ),
        (
            about(at(Status.REMOVED), wanted=(FAVOURITE,), resting_until=START),
            [
                "It was on Car stick and was removed.",
                "Needed for you: your favourite.",
                "It comes back when there is a new reason for it, or when you download it.",
            ],
        ),
        (
            about(wanted=(FAVOURITE,)),
            [
                (
                    "It is needed on Car stick and is not in the queue: Jellyfin did not show its "
                    "file. It is tried again by itself."
                ),
                "Needed for you: your favourite.",
            ],
        ),
        (
            about(),
            ["You have not downloaded it to Car stick, and no rule of yours does."],
        ),
        (
            about(speaks_for_all=True, switched_off=("Next up", "Newly added")),
            [
                "It is not on Car stick: nobody has downloaded it, and no rule does.",
                "Switched off for Car stick: Next up and Newly added.",
            ],
        ),
        (
            about(was_removed=True, excluded_from=("Albums you like",)),
            [
                "You have not downloaded it to Car stick, and no rule of yours does.",
                "You removed it from Car stick: it won't be downloaded automatically again.",
                "You excluded it, or what it is part of, from the rule “Albums you like”.",
            ],
        ),
    ],
)
def test_every_state_has_its_true_answer(facts: ExplainFacts, told: list[str]) -> None:
    assert list(explain(facts)) == told


def test_there_is_always_an_answer_and_it_is_sentences() -> None:
    for status in (None, *Status):
        for wanted in ((), (FAVOURITE,), (ENDING,)):
            for removed in (False, True):
                row = None if status is None else at(status)
                told = explain(about(row, wanted=wanted, was_removed=removed))
                assert told
                assert all(one.endswith(".") and ".." not in one for one in told)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=-5), "a minute"),
        (timedelta(seconds=59), "a minute"),
        (timedelta(seconds=61), "2 minutes"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1, seconds=1), "2 hours"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(days=6, hours=5), "7 days"),
    ],
)
def test_a_time_to_come_is_told_in_one_unit(time: timedelta, words: str) -> None:
    assert format_span(time) == words
