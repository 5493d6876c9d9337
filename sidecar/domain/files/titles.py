"""Removes from titles what the file name has already: series, number, date, year.

Without online metadata Jellyfin uses the file name as the title, which repeats all of these.

    "Plain (2005)", 2005                            ─▶ "Plain (2005)"
    "The Signal S01E01"            of The Signal    ─▶ nothing
    "Double Show S00E01 - Special" of Double Show   ─▶ "Special"
    "Daily Show 2024-05-06"        of Daily Show    ─▶ nothing
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from sidecar.domain.items.item import Item

# Words for "episode", in several languages, in the names of episodes without a title.
_EPISODE = (
    r"(?:episode|épisode|ep\.?|e|folge|episodio|episódio|aflevering|avsnitt|afsnit|odcinek|#)"
)
_SEPARATOR = r"[\s._\u2013\u2014:,-]*"
_DATE = re.compile(r"(?<!\d)(\d{4})([-. _]?)(\d{2})\2(\d{2})(?!\d)")
# In a server's own time zone the day may begin up to this much earlier or later than in UTC.
_ZONE = timedelta(days=1)


def with_year(title: str, year: int | None) -> str:
    """Return the title with its year in round brackets, once.

    A title that is only a year is a name: "1917" is "1917 (2019)", and "2012" is "2012 (2012)".
    """
    if not year or year < 1:
        return title
    stated = re.search(rf"[(\[{{]\s*{year}\s*[)\]}}]", title)
    if stated is None:
        return title if _ends_in_year(title.rstrip(), year) else f"{title} ({year})"
    name = title[: stated.start()].rstrip()
    return f"{name} ({year})" if name and not title[stated.end() :].strip() else title


def find_air_date(item: Item) -> date | None:
    """Return the air date that identifies an episode without a number; None if it has one.

    The date in the title wins if the server's is the same day in another time zone.
    """
    if item.number is not None and item.number >= 0:
        return None
    told = _find_date(item.title)
    if told is None or item.aired is None:
        return item.aired or told
    return told if abs(told - item.aired) <= _ZONE else item.aired


def strip_repeats(item: Item) -> str:
    """Return an episode's title without what the file name repeats; "" if nothing is left."""
    series = re.escape((item.series or "").strip())
    codes = "|".join(_own_codes(item))
    title = item.title.strip()
    if series and re.fullmatch(series, title, re.IGNORECASE):
        return ""
    if not codes:
        return title
    before = rf"(?:{series}{_SEPARATOR})?" if series else ""
    whole = re.fullmatch(
        rf"{before}(?:{codes})(?P<gap>{_SEPARATOR})(?P<rest>.*)", title, re.IGNORECASE | re.DOTALL
    )
    if whole is None or (whole["rest"] and not whole["gap"]):
        return title
    return whole["rest"].strip()


def format_code(item: Item, digits: int = 2) -> str:
    """Return an episode's season and number, `S01E02` or `S01E01-E02`; "" if either is unknown."""
    if item.disc is None or item.number is None or item.disc < 0 or item.number < 0:
        return ""
    last = f"-E{_last(item):0{digits}d}" if _last(item) != item.number else ""
    return f"S{item.disc:02d}E{item.number:0{digits}d}{last}"


def _ends_in_year(title: str, year: int) -> bool:
    name = title.removesuffix(f"{year}")
    return name != title and not name[-1:].isdigit() and any(map(str.isalpha, name))


def _last(item: Item) -> int:
    number = item.number or 0
    return item.number_end if item.number_end and item.number_end > number else number


def _own_codes(item: Item) -> tuple[str, ...]:
    """Return patterns for everything that the file name has without the title."""
    if aired := find_air_date(item):
        year, month, day = (f"{one:02d}" for one in (aired.year, aired.month, aired.day))
        orders = (year, month, day), (day, month, year), (month, day, year)
        return tuple("[-. _/]?".join(one) for one in orders)
    if not format_code(item):
        return ()
    season, first, last = (rf"0*{one}(?!\d)" for one in (item.disc, item.number, _last(item)))
    until = rf"\s*(?:-\s*)?[ex]?{last}" if _last(item) != item.number else ""
    # A range of episodes that the server does not report is kept.
    end = rf"{until}(?!\s*-\s*e?\d)(?![^\W_])"
    return (
        rf"s{season}[\s._]*e{first}{end}",
        rf"{season}x{first}{end}",
        rf"season\s*{season}{_SEPARATOR}{_EPISODE}\s*{first}{end}",
        rf"{_EPISODE}\s*{first}{end}{_SEPARATOR}$",
        rf"{first}{end}$",
    )


def _find_date(title: str) -> date | None:
    found = _DATE.search(title)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None
