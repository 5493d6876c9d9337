from __future__ import annotations

import io
import logging
import sys

import pytest

from sidecar.logs import LineFormatter, masked, start

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
    assert SECRET not in masked(text)


def test_plain_words_stay() -> None:
    line = "download 7: downloading -> completed, 41.2 MB, the token of ann was refused"

    assert masked(line) == line


def test_a_title_cannot_forge_a_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "title %s", ("a\nb\x1b[31m\u202ec",), None)

    line = LineFormatter().format(record)

    assert "\n" not in line
    assert "a\\nb\\u001b[31m\\u202ec" in line


def test_a_traceback_is_masked_too() -> None:
    try:
        int(f'Token="{SECRET}"')
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "oh", (), sys.exc_info())

    text = LineFormatter().format(record)

    assert "Traceback" in text
    assert SECRET not in text


def test_the_log_starts_with_our_words_and_only_the_warnings_of_others() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    ours = logging.getLogger("sidecar")
    before, level, ours_level = root.handlers[:], root.level, ours.level
    try:
        start("INFO", stream)
        logging.getLogger("sidecar.store").info("ours")
        logging.getLogger("urllib3").info("theirs")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        ours.setLevel(ours_level)
        logging.captureWarnings(capture=False)

    assert "ours" in stream.getvalue()
    assert "theirs" not in stream.getvalue()
