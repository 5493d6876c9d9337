"""When a nightly backup is due, and which of the old ones go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

_STAMP = "%Y-%m-%dT%H-%M-%S"


def make_name(series: str, now: datetime) -> str:
    """Return the file name of a nightly backup.

    Args:
        series: Tells the backups of one installation from those of others in the same folder.
        now: When it is made.
    """
    return f"{_prefix(series)}{now.astimezone(UTC):{_STAMP}}.zip"


def read_name(series: str, name: str) -> datetime | None:
    """Return when a nightly backup of this series was made; None for any other file."""
    stamp = name.removeprefix(_prefix(series)).removesuffix(".zip")
    try:
        made_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return made_at if make_name(series, made_at) == name else None


def is_due(made: Iterable[datetime], at: time, zone: tzinfo, now: datetime) -> bool:
    """Whether none was made since the last time that it was `at` o'clock; the first is due at once.

    Those that lie in the future, made while the clock was wrong, do not count.
    """
    local = now.astimezone(zone)
    last = datetime.combine(local.date(), at, zone)
    if last > local:
        last = datetime.combine(local.date() - timedelta(days=1), at, zone)
    # Times of one zone are compared by their digits, which is wrong where the clock is put back.
    since = last.astimezone(UTC)
    return not any(since <= one <= now for one in made)


def find_next(at: time, zone: tzinfo, now: datetime) -> datetime:
    """Return when it is `at` o'clock next."""
    local = now.astimezone(zone)
    days = timedelta(days=int(datetime.combine(local.date(), at, zone) <= local))
    return datetime.combine(local.date() + days, at, zone).astimezone(UTC)


def choose_superfluous(made: Iterable[datetime], keep: int) -> Sequence[datetime]:
    """Return those to delete: all but the newest few."""
    return sorted(made, reverse=True)[keep:]


def _prefix(series: str) -> str:
    return f"jellyfin-sidecar-nightly-{series}-"
