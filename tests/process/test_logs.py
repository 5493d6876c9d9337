from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator

import pytest

from sidecar.process.logs import (
    MOST_A_MINUTE,
    LineFormatter,
    RepeatFilter,
    mask,
    set_form,
    start_logging,
)

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        f'Authorization: MediaBrowser Client="Jellyfin", Token="{SECRET}"',
        f"http://nas:8096/socket?ApiKey={SECRET}&x=1",
        f"?api_key={SECRET}",
        f"X-Emby-Token: {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"{{'Cookie': '{SECRET}'}}",
        f'{{"Username": "ann", "Pw": "{SECRET}"}}',
        f"password={SECRET}",
    ],
)
def test_no_credential_passes(text: str) -> None:
    assert SECRET not in mask(text)


def test_plain_words_stay() -> None:
    line = "download 7: downloading -> completed, 41.2 MB, the token of ann was refused"

    assert mask(line) == line


def test_a_title_cannot_forge_a_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "title %s", ("a\nb\x1b[31m\u202ec",), None)

    line = LineFormatter().format(record)

    assert "\n" not in line
    assert "a\\nb\\u001b[31m\\u202ec" in line


def test_what_visitors_cause_is_written_a_few_times_a_minute_and_then_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    repeats = RepeatFilter(lambda: now[0])

    def said(name: str, text: str) -> bool:
        return repeats.filter(
            logging.LogRecord(name, logging.WARNING, "", 0, text, ("somebody",), None)
        )

    first_minute = [said("sidecar.web.security", "%s may not") for _ in range(100)]
    others = [said("sidecar.services", "%s may not"), said("sidecar.web.live", "%s is odd")]
    now[0] = 61.0
    later = said("sidecar.web.security", "%s may not")

    assert first_minute == [True] * MOST_A_MINUTE + [False] * (100 - MOST_A_MINUTE)
    assert others == [True, True]
    assert later
    assert f"{100 - MOST_A_MINUTE} lines like the next one were left out" in caplog.text


def test_a_traceback_is_masked_too() -> None:
    try:
        int(f'Token="{SECRET}"')
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "oh", (), sys.exc_info())

    text = LineFormatter().format(record)

    assert "Traceback" in text
    assert SECRET not in text


@pytest.fixture
def started() -> Iterator[io.StringIO]:
    """What the log says from `start_logging` on; everything is put back afterwards."""
    stream = io.StringIO()
    root = logging.getLogger()
    ours = logging.getLogger("sidecar")
    before, level, ours_level = root.handlers[:], root.level, ours.level
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        # Whoever captured them before and never stopped would keep them.
        logging.captureWarnings(capture=False)
        start_logging("INFO", stream=stream)
        yield stream
        logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)
    ours.setLevel(ours_level)


def test_the_log_starts_with_our_words_and_only_the_warnings_of_others(
    started: io.StringIO,
) -> None:
    logging.getLogger("sidecar.store").info("ours")
    logging.getLogger("some.library").info("theirs")

    assert "ours" in started.getvalue()
    assert "theirs" not in started.getvalue()


def test_as_json_each_record_is_one_line_without_secrets(started: io.StringIO) -> None:
    ours = logging.getLogger("sidecar.store")
    set_form("INFO", "json")
    try:
        int(f'Token="{SECRET}"')
    except ValueError:
        ours.exception("a\nb\u202ec password=%s", SECRET)
    set_form("INFO", "text")
    ours.info("as before")

    first, second = started.getvalue().splitlines()
    said = json.loads(first)
    assert SECRET not in first
    assert (said["level"], said["logger"]) == ("ERROR", "sidecar.store")
    assert said["message"] == "a\nb\u202ec password=********"
    assert "ValueError" in said["traceback"]
    assert "\u202e" not in first
    assert second.endswith("sidecar.store: as before")
