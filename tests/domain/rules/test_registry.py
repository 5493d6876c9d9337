from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from sidecar.domain.rules import fill, latest
from sidecar.domain.rules.context import Rule, RuleSettings, Wake
from sidecar.domain.rules.registry import COMPUTED_RULES, RULES, register
from sidecar.domain.wishes import PIN, EvictionClass


def test_the_rules_of_the_package_are_found_in_their_order() -> None:
    assert [one.name for one in RULES] == [
        "queue_ahead",
        "favourites",
        "playlists",
        "selections",
        "album_affinity",
        "next_up",
        "latest",
        "fill",
    ]


def test_every_rule_but_favourites_is_computed_at_least_each_hour() -> None:
    assert {one.name for one in set(RULES) - set(COMPUTED_RULES)} == {"favourites"}
    assert all(Wake.HOUR in one.wakes_on for one in COMPUTED_RULES)


def test_what_a_rule_wants_by_default_lasts_but_for_the_queue_and_what_fills_the_rest() -> None:
    assert [one.name for one in RULES if not one.settings().grace] == ["queue_ahead", "fill"]


def test_what_fills_the_rest_is_off_by_default_and_weaker_than_all_others() -> None:
    assert not fill.RULE.settings().enabled
    others = {one.strength for one in RULES if one is not fill.RULE}
    assert fill.RULE.strength is EvictionClass.FILLING < min(others)


def test_a_rule_cannot_be_made_without_a_strength() -> None:
    said: dict[str, Any] = {
        "name": "new",
        "label": "New",
        "description": "All that is new.",
        "icon": "tv",
        "order": 1,
        "settings": RuleSettings,
    }

    with pytest.raises(TypeError, match="strength"):
        Rule(**said)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutLabel(RuleSettings):
    quickly: timedelta = timedelta(1)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"strength": None}, "its strength"),
        ({"strength": EvictionClass.NOTHING}, "its strength"),
        ({"label": ""}, "its label"),
        ({"description": ""}, "its description"),
        ({"icon": ""}, "its icon"),
        ({"name": "Newest!"}, "a name"),
        ({"name": PIN}, "more than one"),
        ({"settings": int}, "its settings"),
        ({"settings": WithoutLabel}, "the label of quickly"),
    ],
)
def test_a_rule_that_leaves_something_unsaid_is_not_registered(
    change: dict[str, Any], missing: str
) -> None:
    with pytest.raises(TypeError, match=missing):
        register([replace(cast("Rule[Any]", latest.RULE), **change)])


def test_a_name_is_given_once_and_only_to_a_rule() -> None:
    with pytest.raises(TypeError, match="more than one rule latest"):
        register([latest.RULE, latest.RULE])
    with pytest.raises(TypeError, match="is not a rule"):
        register([latest])
