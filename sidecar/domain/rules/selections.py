"""The selections rule: wants what the filters match that a person saved and keeps in sync.

matches as ever ─────────────▶ what it matches is held, the rest is let go
nothing, or less than half ──▶ nothing is let go before its owner has said yes
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.domain.rules.context import ComputedRule, Context, Matched, RuleSettings, Wake, Wanted
from sidecar.domain.wishes import EvictionClass, Reason, Wish
from sidecar.messages import msg, translatable

NAME = "selections"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionsSettings(RuleSettings):
    """No settings of its own: each person chooses the filters for each device."""


def is_doubtful(before: int | None, now: int) -> bool:
    """Whether a filter matches so much less than before that a person has to be asked."""
    return before is not None and now * 2 < before


def make_wishes(context: Context[SelectionsSettings]) -> Wanted:
    """Return wishes for all that each filter matches, filter by filter."""
    found: list[Wish] = []
    unsure: set[str] = set()
    matched: list[Matched] = []
    for kept in context.selections:
        listed = context.library.selected(kept.asked, kept.id, context.now)
        why = Reason(NAME, kept.id, msg("matches your filter {title}", title=kept.name))
        items = listed.playable
        found += (context.wish(item, why) for item in items)
        if not listed.complete:
            unsure.add(kept.id)
            continue
        doubtful = is_doubtful(kept.matched, len(items))
        if doubtful:
            unsure.add(kept.id)
        matched.append(Matched(kept, len(items), is_doubtful=doubtful))
    return Wanted(tuple(found), frozenset(unsure), matched=tuple(matched))


RULE = ComputedRule(
    name=NAME,
    label=translatable("Saved filters"),
    description=translatable("What matches the filters that you saved in the library."),
    icon="list",
    strength=EvictionClass.LASTING,
    order=35,
    settings=SelectionsSettings,
    wakes_on=frozenset({Wake.LIBRARY, Wake.HOUR}),
    wishes=make_wishes,
)
