from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.sizes import format_size
from sidecar.web.app import web_files
from sidecar.web.i18n.numbers import LocalFormat, clock, percent
from sidecar.web.i18n.sentences import catalogue
from sidecar.web.live.news import Throttle
from tests.patience import PATIENCE_S

ENGLISH, GERMAN = LocalFormat(), LocalFormat("de", catalogue("de").gettext)
SIZES = [-5, 0, 1, 2, 999, 999.6, 1000, 1499, 2500, 52_400, 999_499, 999_500, 999_949, 1_250_000]
SIZES += [1_350_000, 7_400_000, 9_949_999, 10**7, 12_345_678_901, 999_999_999_999, 5 * 10**18]
TIMES = [0, 0.4, 1, 2.5, 59.6, 119, 120, 150, 3599, 7199, 7200, 7800, 172_799, 172_800, 10**6]
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("octets", "english", "german"),
    [
        (0, "0 bytes", "0 Byte"),
        (-5, "0 bytes", "0 Byte"),
        (1, "1 byte", "1 Byte"),
        (999, "999 bytes", "999 Byte"),
        (1000, "1 kB", "1 kB"),
        (52_400, "52 kB", "52 kB"),
        (999_960, "1.0 MB", "1,0 MB"),
        (7_400_000, "7.4 MB", "7,4 MB"),
        (12_345_678_901, "12.3 GB", "12,3 GB"),
        (5 * 10**18, "5,000.0 PB", "5.000,0 PB"),
    ],
)
def test_sizes_are_short(octets: float, english: str, german: str) -> None:
    assert ENGLISH.size(octets) == english
    assert GERMAN.size(octets) == german


@pytest.mark.parametrize(
    ("amount", "english", "german"),
    [
        (0.2, "1 sec", "1 Sek."),
        (90, "90 sec", "90 Sek."),
        (150, "3 min", "3 Min."),
        (7800, "2 hr 10 min", "2 Std. 10 Min."),
        (7200, "2 hr", "2 Std."),
        (260_000, "3 days", "3 Tage"),
    ],
)
def test_times_are_rough(amount: float, english: str, german: str) -> None:
    assert ENGLISH.seconds(amount) == english
    assert GERMAN.seconds(amount) == german


@pytest.mark.parametrize(
    ("passed", "english", "german"),
    [
        (timedelta(seconds=59), "just now", "gerade eben"),
        (timedelta(seconds=60), "1 minute ago", "vor 1 Minute"),
        (timedelta(minutes=90), "90 minutes ago", "vor 90 Minuten"),
        (timedelta(hours=47), "47 hours ago", "vor 47 Stunden"),
        (timedelta(days=3), "3 days ago", "vor 3 Tagen"),
        (timedelta(days=70), "2 months ago", "vor 2 Monaten"),
    ],
)
def test_what_was_is_told_from_now(passed: timedelta, english: str, german: str) -> None:
    assert ENGLISH.ago(NOW - passed, NOW) == english
    assert GERMAN.ago(NOW - passed, NOW) == german


def test_a_day_is_said_as_people_of_the_language_write_it() -> None:
    assert (ENGLISH.day(NOW.date()), GERMAN.day(NOW.date())) == ("Nov 1, 2026", "01.11.2026")


@pytest.mark.parametrize(
    ("left", "english", "german"),
    [
        (timedelta(seconds=-40), "now", "jetzt"),
        (timedelta(seconds=40), "in 40 seconds", "in 40 Sekunden"),
        (timedelta(minutes=5), "in 5 minutes", "in 5 Minuten"),
        (timedelta(days=2), "in 2 days", "in 2 Tagen"),
    ],
)
def test_what_will_be_is_told_from_now(left: timedelta, english: str, german: str) -> None:
    assert ENGLISH.ahead(NOW + left, NOW) == english
    assert GERMAN.ahead(NOW + left, NOW) == german


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00"), (-3, "0:00"), (65.9, "1:05"), (3723, "1:02:03")]
)
def test_a_place_in_a_track_is_said_as_players_say_it(seconds: float, said: str) -> None:
    assert clock(seconds) == said


def test_only_what_is_whole_is_a_hundred_percent() -> None:
    assert [percent(one) for one in (0, 0.999, 1)] == [0, 99, 100]


@pytest.mark.parametrize("octets", SIZES)
def test_sentences_of_services_say_the_same(octets: float) -> None:
    assert format_size(octets) == ENGLISH.size(octets)


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
@pytest.mark.parametrize("words", [ENGLISH, GERMAN], ids=lambda one: one.locale)
def test_the_browser_says_the_same(words: LocalFormat) -> None:
    module = Path(web_files().static, "js", "numbers.js").as_uri()
    script = (
        f"globalThis.document = {{documentElement: {{lang: {json.dumps(words.locale)}}}}};"
        f"const {{size, seconds}} = await import({json.dumps(module)});"
        f"console.log(JSON.stringify([{SIZES}.map(size), {TIMES}.map(seconds)]))"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    ).stdout

    assert json.loads(said) == [
        [words.size(one) for one in SIZES],
        [words.seconds(one) for one in TIMES],
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
