from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from sidecar.config.base import Duration, format_duration
from sidecar.config.settings import ZoneName

TIME: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=24), "1 day"),
        (timedelta(days=7), "1 week"),
        (timedelta(days=30), "30 days"),
        (timedelta(seconds=0.5), "0.5 seconds"),
    ],
)
def test_a_time_is_told_as_it_is_written(span: timedelta, words: str) -> None:
    assert format_duration(span) == words
    assert TIME.validate_python(words) == span


@pytest.mark.parametrize(
    "text", ["nan days", "inf days", "-1 days", "1e300 weeks", "4000 days", ""]
)
def test_a_time_that_cannot_be_counted_with_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TIME.validate_python(text)


@pytest.mark.parametrize("name", ["Tone", "Europe", "../etc/passwd", "Europe/Berlin\0", ""])
def test_a_time_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        TypeAdapter(ZoneName).validate_python(name)
