"""Base class of the settings' sections, and their types for sizes, speeds and durations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from sidecar.errors import ConfigError
from sidecar.messages import msg

# Longer than anybody needs; much longer durations would overflow date arithmetic.
LONGEST = timedelta(days=3660)
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SIZE = re.compile(
    # Digits, alone or in groups of three; a fraction; a unit; "/s" for a speed.
    r"(?P<whole>\d{1,3}(?:[ '_]\d{3})+|\d+)(?P<fraction>[.,]\d+)?"
    r" ?(?P<unit>b|bytes?|[kmgtp]i?b?)?(?P<each>/s)?",
    re.IGNORECASE,
)
_POWERS = " kmgtp"


def _plain(text: str) -> str:
    """Normalise Unicode variants of spaces, digits and letters to the plain characters."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _size(value: object, example: str, *, is_speed: bool) -> object:
    """Parse a size such as "10 GB", "1.5 GB", "1,5 GB", "10 GiB" or "10 000 MB" to bytes.

    The whole text must match: a part of a number would be another number.
    """
    is_whole = isinstance(value, float) and value.is_integer() and value >= 1024  # noqa: PLR2004
    if isinstance(value, bool) or (isinstance(value, float) and not is_whole):
        raise ValueError(f'must be a size such as "{example}"')
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(_plain(value))
    if found is None or (found["each"] and not is_speed):
        hint = ": a share of the whole device cannot be set" if "%" in value else ""
        raise ValueError(f'must be a size such as "{example}"{hint}')
    fraction = found["fraction"] or ""
    if re.fullmatch(r",\d{3}", fraction):
        raise ValueError(
            f'must be a size such as "{example}": a comma before three digits may mean two things'
        )
    amount = Decimal(re.sub(r"\D", "", found["whole"]) + fraction.replace(",", "."))
    unit = (found["unit"] or "b").lower()
    step = 1024 if "i" in unit else 1000
    power = 0 if unit.startswith("b") else _POWERS.index(unit[0])
    return int(amount * step**power)


def _room(value: object) -> object:
    return _size(value, "10 GB", is_speed=False)


def _speed(value: object) -> object:
    return _size(value, "2 MB", is_speed=True)


LARGEST_ROOM = 2**60
Room = Annotated[ByteSize, BeforeValidator(_room), Field(ge=0, le=LARGEST_ROOM)]
# With a lower limit, no file would ever be complete.
Speed = Annotated[ByteSize, BeforeValidator(_speed), Field(ge=1024)]


def _parse_duration(value: object) -> object:
    """Parse a duration such as "30 seconds" or "1 day"."""
    if not isinstance(value, str):
        return value
    number, _, unit = _plain(value).replace(",", ".").partition(" ")
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
    """Return a duration as it is written in the file: "30 seconds", "1 day"."""
    seconds = span.total_seconds()
    for unit, length in sorted(UNITS.items(), key=lambda one: -one[1]):
        if seconds and seconds % length == 0:
            amount = int(seconds // length)
            return f"{amount} {unit}" if amount == 1 else f"{amount} {unit}s"
    return f"{seconds:g} seconds"


def explain_invalid(
    where: str, error: ValidationError, changes: Mapping[str, object]
) -> ConfigError:
    """Return the error for changes that a section's validation refused."""
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0])
    is_unknown = first["type"] == "extra_forbidden"
    reason = msg("there is no such setting") if is_unknown else first["msg"]
    value = None if is_unknown else changes.get(key)
    return ConfigError(where, key, value, reason.removeprefix("Value error, "))


class Section(BaseModel):
    """Base class of the settings' sections: frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _check_truth(cls, value: object, of: ValidationInfo) -> object:
        """Refuse a boolean for a number, and a number for a boolean.

        Pydantic would convert one to the other. Text from the environment is still converted.
        """
        kind = cls.model_fields[of.field_name or ""].annotation
        takes_truth = bool in (kind, *get_args(kind))
        if isinstance(value, bool) and not takes_truth:
            raise ValueError("must not be true or false")
        if isinstance(value, (int, float)) and not isinstance(value, bool) and takes_truth:
            raise ValueError("must be true or false")
        return value
