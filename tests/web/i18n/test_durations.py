from __future__ import annotations

import pytest

from sidecar.config.base import UNITS
from sidecar.web.i18n.durations import read_duration, show_duration
from sidecar.web.i18n.sentences import NAMES


@pytest.mark.parametrize(
    ("plain", "german"),
    [
        ("0 seconds", "0 Sekunden"),
        ("1 hour", "1 Stunde"),
        ("90 minutes", "90 Minuten"),
        ("1 day", "1 Tag"),
        ("2 weeks", "2 Wochen"),
    ],
)
def test_durations_are_shown_in_the_language(plain: str, german: str) -> None:
    assert show_duration(plain, "de") == german
    assert show_duration(plain, "en") == plain


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("unit", UNITS)
def test_what_is_shown_is_read_again(unit: str, language: str) -> None:
    for plain in (f"1 {unit}", f"5 {unit}s"):
        assert read_duration(show_duration(plain, language)) == plain


@pytest.mark.parametrize("text", ["", "5", "long", "5 moons", "1 hour and a bit"])
def test_what_is_no_duration_stays_as_it_was_typed(text: str) -> None:
    assert read_duration(text) == text


def test_a_fraction_and_any_case_are_read() -> None:
    assert read_duration("1,5 STUNDEN") == "1,5 hours"
