from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.web.app import web_files
from sidecar.web.i18n.numbers import LocalFormat, clock, percent
from sidecar.web.live.news import Throttle

WORDS = LocalFormat()
SIZES = [0, 1, 999, 999.6, 1000, 1499, 52_400, 999_949, 999_950, 7_400_000, 9_949_999, 10**7]
SIZES += [12_345_678_901, 999_999_999_999, 5 * 10**17]
TIMES = [0, 0.4, 1, 59.6, 119, 120, 3599, 7199, 7200, 7800, 172_799, 172_800, 10**6]


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (0, "0 B"),
        (-5, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (52_400, "52 kB"),
        (999_960, "1.0 MB"),
        (7_400_000, "7.4 MB"),
        (12_345_678_901, "12 GB"),
    ],
)
def test_sizes_are_short(octets: float, said: str) -> None:
    assert WORDS.size(octets) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0.2, "1 s"), (90, "90 s"), (150, "2 min"), (7800, "2 h 10 min"), (7200, "2 h")],
)
def test_times_are_rough(amount: float, said: str) -> None:
    assert WORDS.seconds(amount) == said


def test_times_are_told_from_now() -> None:
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    assert WORDS.ago(now, now) == "just now"
    assert WORDS.ago(now - timedelta(minutes=5), now) == "5 min ago"
    assert WORDS.ahead(now + timedelta(seconds=40), now) == "in 40 s"
    assert WORDS.ahead(now - timedelta(seconds=40), now) == "now"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00"), (-3, "0:00"), (65.9, "1:05"), (3723, "1:02:03")]
)
def test_a_place_in_a_track_is_said_as_players_say_it(seconds: float, said: str) -> None:
    assert clock(seconds) == said


def test_only_what_is_whole_is_a_hundred_percent() -> None:
    assert [percent(one) for one in (0, 0.999, 1)] == [0, 99, 100]


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_browser_says_the_same() -> None:
    module = Path(web_files().static, "js", "words.js").as_uri()
    script = (
        f"import {{size, seconds}} from {json.dumps(module)};"
        f"console.log(JSON.stringify([{SIZES}.map(size), {TIMES}.map(seconds)]))"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, check=True, timeout=30
    ).stdout

    assert json.loads(said) == [
        [WORDS.size(one) for one in SIZES],
        [WORDS.seconds(one) for one in TIMES],
    ]


def test_a_pacer_lets_the_first_through_and_keeps_the_last() -> None:
    pacer: Throttle[str] = Throttle(0.5)
    pacer.put("first")
    assert pacer.take(10.0) == "first"
    pacer.put("second")
    pacer.put("third")

    assert pacer.take(10.4) is None
    assert pacer.due_in(10.4) == pytest.approx(0.1)
    assert pacer.take(10.5) == "third"
    assert pacer.take(11.0) is None
    assert pacer.due_in(11.0) is None
