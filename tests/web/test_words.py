"""Numbers in words that people use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.web import places, words

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, "unknown size"),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_600, "1.0 MB"),
        (12_400_000, "12.4 MB"),
        (118_000_000_000, "118 GB"),
        (10**19, "10000 PB"),
    ],
)
def test_sizes_are_said_as_on_a_package(count: int | None, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 second"), (59, "59 seconds"), (90, "2 minutes"), (86400, "1 day")],
)
def test_spans_are_said_by_their_largest_unit(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


def test_moments_are_said_as_seen_from_now() -> None:
    assert words.when(NOW + timedelta(minutes=4), NOW) == "in 4 minutes"
    assert words.when(NOW - timedelta(seconds=5), NOW) == "just now"
    assert words.when(NOW - timedelta(hours=3), NOW) == "3 hours ago"


def test_nothing_is_said_of_what_nobody_knows() -> None:
    assert (words.speed(0), words.time_left(None)) == ("", "")


def test_templates_and_static_files_are_found_in_the_source_tree() -> None:
    assert (places.find("templates") / "layout.html").is_file()
    assert (places.find("static") / "build.mjs").is_file()
