"""Writes durations of the settings in the reader's language, and reads them in any of ours."""

from __future__ import annotations

from functools import cache

from babel.units import format_unit

from sidecar.config.base import UNITS
from sidecar.web.i18n.sentences import NAMES


def show_duration(text: str, language: str) -> str:
    """Return a duration as the settings file has it, such as "1 hour", in a language."""
    amount, _, unit = text.partition(" ")
    return format_unit(float(amount), f"duration-{unit.removesuffix('s')}", locale=language)


def read_duration(text: str) -> str:
    """Return a duration in the words of the settings file; what is none stays as it is."""
    amount, _, unit = " ".join(text.split()).partition(" ")
    word = _words().get(unit.casefold())
    return f"{amount} {word}" if word else text


@cache
def _words() -> dict[str, str]:
    """Return the settings file's word for a unit's name, singular or plural, in each language."""
    return {
        show_duration(f"{amount} {unit}", language).split(maxsplit=1)[1].casefold(): word
        for language in NAMES
        for unit in UNITS
        for amount, word in ((1, unit), (2, f"{unit}s"))
    }
