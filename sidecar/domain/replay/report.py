"""What a replay says: its runs and what it recommends, as plain values for JSON and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sidecar.domain.replay.figures import MOST_MISSED, Figures
from sidecar.domain.replay.history import History
from sidecar.domain.replay.recommend import FILLED, THRESHOLD, Recommendation
from sidecar.messages import Share, Size, msg


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekReport:
    """What a week came to."""

    plays: int
    hits: int
    bytes_fetched: int
    bytes_evicted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedReport:
    """An item that was played so often while its file was not there."""

    item_id: str
    title: str
    artist: str | None
    misses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run came to."""

    name: str
    budget: int
    plays: int
    hits: int
    hit_rate: float
    repeat_hit_rate: float
    first_hit_rate: float
    bytes_fetched: int
    bytes_evicted: int
    weeks: Sequence[WeekReport]
    missed_most: Sequence[MissedReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedReport:
    """What the rules alone came to with one threshold."""

    threshold: int
    hit_rate: float
    bytes_fetched: int
    bytes_evicted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceReport:
    """What is recommended for a budget.

    Attributes:
        set: The recommended settings, as `rule.key`.
        configured: The same settings as they are.
        hit_rate, hit_rate_now: With the recommended settings, and with those that are set.
        bytes_a_week, bytes_a_week_now: What is fetched with either.
    """

    budget: int
    set: dict[str, bool | int]
    configured: dict[str, bool | int]
    hit_rate: float
    hit_rate_now: float
    bytes_a_week: int
    bytes_a_week_now: int
    tried: Sequence[TriedReport]

    @property
    def is_change(self) -> bool:
        """Whether anything else than what is set is recommended."""
        return self.set != self.configured

    @property
    def fills(self) -> bool:
        """Whether filling what is left is recommended."""
        return bool(self.set[FILLED])

    @property
    def threshold(self) -> int:
        """The recommended number of tracks to play first."""
        return int(self.set[THRESHOLD])


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryReport:
    """How large the library of a history is."""

    items: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a replay found.

    Attributes:
        users: How many people have played.
        recommended: By budgets; empty if nobody asked.
    """

    library: LibraryReport
    users: int
    runs: Sequence[RunReport]
    recommended: Sequence[AdviceReport] = ()


def make_report(
    history: History,
    found: Iterable[Figures],
    advice: Iterable[Recommendation] = (),
    *,
    tells_weeks_of: Callable[[str], bool] = lambda _name: True,
) -> Report:
    """Return what a replay found.

    Args:
        history: What was replayed.
        found: What each run came to.
        advice: What is recommended.
        tells_weeks_of: Of which runs weeks and misses are told.
    """
    items = list(history.items.values())

    def tell(one: Figures) -> RunReport:
        is_told = tells_weeks_of(one.name)
        return RunReport(
            name=one.name,
            budget=one.budget,
            plays=one.plays,
            hits=one.hits,
            hit_rate=one.hit_rate,
            repeat_hit_rate=one.repeat_hit_rate,
            first_hit_rate=one.first_hit_rate,
            bytes_fetched=one.bytes_fetched,
            bytes_evicted=one.bytes_evicted,
            weeks=[
                WeekReport(
                    plays=week.plays,
                    hits=week.hits,
                    bytes_fetched=week.bytes_fetched,
                    bytes_evicted=week.bytes_evicted,
                )
                for week in (one.weeks if is_told else ())
            ],
            missed_most=[
                MissedReport(
                    item_id=items[item].id,
                    title=items[item].title,
                    artist=items[item].artist,
                    misses=misses,
                )
                for item, misses in one.missed.most_common(MOST_MISSED if is_told else 0)
            ],
        )

    return Report(
        library=LibraryReport(items=len(items), bytes=history.size),
        users=len(history.users),
        runs=[tell(one) for one in found],
        recommended=[_tell_advice(one) for one in advice],
    )


def _tell_advice(advice: Recommendation) -> AdviceReport:
    best, now = advice.best, advice.now
    return AdviceReport(
        budget=advice.budget,
        set={**advice.settings_before, **advice.settings},
        configured=dict(advice.settings_before),
        hit_rate=best.hit_rate,
        hit_rate_now=now.hit_rate,
        bytes_a_week=best.bytes_fetched // max(1, len(best.weeks)),
        bytes_a_week_now=now.bytes_fetched // max(1, len(now.weeks)),
        tried=[
            TriedReport(
                threshold=threshold,
                hit_rate=one.hit_rate,
                bytes_fetched=one.bytes_fetched,
                bytes_evicted=one.bytes_evicted,
            )
            for threshold, one in advice.tried.items()
        ],
    )


def explain(advice: AdviceReport) -> str:
    """Return why something is recommended, or why everything stays."""
    values = {
        "rate": Share(advice.hit_rate),
        "now": Share(advice.hit_rate_now),
        "size": Size(advice.bytes_a_week),
        "before": Size(advice.bytes_a_week_now),
    }
    if not advice.is_change:
        return msg(
            "Everything stays as it is set: nothing that was tried had clearly more hits than "
            "{now}",
            now=values["now"],
        )
    if advice.fills:
        return msg(
            "Fill what is left, and switch off the rule for albums you like: {rate} of the plays "
            "would have found their file, {now} with what is set; {size} would come in a week "
            "instead of {before}",
            **values,
        )
    return msg(
        "Albums you like after {tracks} tracks, and nothing is filled: {rate} of the plays would "
        "have found their file, {now} with what is set; {size} would come in a week instead of "
        "{before}",
        tracks=advice.threshold,
        **values,
    )
