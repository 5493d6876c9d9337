"""What sections of the settings are made of, and the section of the favourites."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _duration(value: object) -> object:
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
    return timedelta(seconds=amount * seconds)


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]


class Section(BaseModel):
    """A part of the settings: frozen, and a misspelt key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class FavouritesSettings(Section):
    """What a heart pressed in any client brings to the devices."""

    enabled: bool = True
    tracks: bool = True
    albums: bool = True
    artists: bool = True
    playlists: bool = True
    grace: Duration = timedelta(days=1)
    heal_forgotten_hearts: bool = True
    check_every: Duration = timedelta(hours=1)
