"""Base class of the settings' sections, and the section of the favourites."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sidecar.errors import ConfigError
from sidecar.messages import msg

# Further away than anybody plans; beyond it, times could not be counted with.
LONGEST = timedelta(days=3660)
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _parse_duration(value: object) -> object:
    """Read "30 seconds", "1 day" … as people write them."""
    if not isinstance(value, str):
        return value
    number, _, unit = value.strip().partition(" ")
    seconds = UNITS.get(unit.strip().removesuffix("s"))
    try:
        amount = float(number)
    except ValueError:
        seconds = None
    if seconds is None:
        raise ValueError('must be a time such as "30 seconds", "10 minutes" or "1 day"')
    if not abs(amount * seconds) <= LONGEST.total_seconds():
        raise ValueError("must be a time of at most ten years")
    return timedelta(seconds=amount * seconds)


Duration = Annotated[
    timedelta, BeforeValidator(_parse_duration), Field(ge=timedelta(0), le=LONGEST)
]


def format_duration(span: timedelta) -> str:
    """Return a time as people write it in the file: "30 seconds", "1 day"."""
    seconds = span.total_seconds()
    for unit, length in sorted(UNITS.items(), key=lambda one: -one[1]):
        if seconds and seconds % length == 0:
            amount = int(seconds // length)
            return f"{amount} {unit}" if amount == 1 else f"{amount} {unit}s"
    return f"{seconds:g} seconds"


def explain_invalid(
    where: str, error: ValidationError, changes: Mapping[str, object]
) -> ConfigError:
    """Return what is wrong with changes that a section does not take."""
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0])
    is_unknown = first["type"] == "extra_forbidden"
    reason = msg("there is no such setting") if is_unknown else first["msg"]
    return ConfigError(where, key, changes.get(key), reason.removeprefix("Value error, "))


class Section(BaseModel):
    """A part of the settings: frozen, and a misspelt key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
