"""Reads the fields of a form of settings: what differs from the present values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sidecar.config.schema import KeyKind
from sidecar.services.configuration.service import SettingView
from sidecar.web.i18n import labels
from sidecar.web.i18n.durations import read_duration

LONGEST_VALUE = 1000


def read_changes(
    settings: Iterable[SettingView], form: Mapping[str, str], *, resets: bool
) -> dict[str, object]:
    """Return what a form changes, by the places of the settings; None resets one.

    Args:
        settings: Those that the form may have a field for; what is locked has none.
        form: The fields as they were sent.
        resets: Whether the default, typed as a value, takes back what is set.
    """
    given: dict[str, object] = {}
    for one in settings:
        has_field = one.place in form or one.key.kind is KeyKind.SWITCH
        if one.is_locked or not has_field:
            continue
        value = read_field(one, form.get(one.place, "")[:LONGEST_VALUE].strip())
        if one.key.kind is KeyKind.SECRET:
            if f"{one.place}-forget" in form:
                given[one.place] = None
            elif value is not None:
                given[one.place] = value
        elif value != _plain(one, one.value):
            # What is as it would be without the page is no setting of the page.
            is_default = resets and value == _plain(one, one.default)
            given[one.place] = None if is_default else value
    return given


def read_field(one: SettingView, text: str) -> object:
    """Convert a field's text to the value of the settings file; an empty field is none."""
    match one.key.kind:
        case KeyKind.SWITCH:
            return text == "on"
        case KeyKind.NUMBER if text.isascii() and text.removeprefix("-").isdecimal():
            return int(text)
        case KeyKind.SIZE if text and text == labels.size(one.value):
            return one.value
        case KeyKind.TIME if text:
            return read_duration(text)
        case KeyKind.LIST:
            return [part.strip() for part in text.split(",") if part.strip()] or None
        case _:
            return text or None


def _plain(one: SettingView, value: object) -> object:
    """Return a value in the form that `read_field` gives it."""
    if one.key.kind is KeyKind.LIST:
        return [part.strip() for part in str(value or "").split(",") if part.strip()] or None
    return None if value == "" else value
