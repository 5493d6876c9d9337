from __future__ import annotations

from sidecar.domain.rules import favourites
from sidecar.domain.rules.context import Wake
from sidecar.domain.rules.registry import RULES


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [one.name for one in RULES]

    assert len({*names, favourites.NAME, "pin"}) == len(names) + 2


def test_every_rule_is_looked_at_at_least_each_hour() -> None:
    assert all(Wake.HOUR in one.wakes_on for one in RULES)


def test_what_a_rule_wants_by_default_lasts_but_for_the_queue() -> None:
    assert [one.name for one in RULES if not one.settings().grace] == ["queue_ahead"]
