from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from sidecar.config import RulesSettings
from sidecar.config.rules import ALL_RULES
from sidecar.domain.rules import album_affinity, latest
from sidecar.errors import ConfigError
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.store.rules.settings import RuleSettingsStore
from tests.services.conftest import STICK, World


@pytest.fixture
def store(world: World) -> RuleSettingsStore:
    return RuleSettingsStore(world.db)


@pytest.fixture
def book(store: RuleSettingsStore) -> RuleSettingsService:
    return RuleSettingsService(ALL_RULES, store)


def test_a_change_is_for_one_device_and_can_be_taken_back(book: RuleSettingsService) -> None:
    book.change(album_affinity.RULE, STICK, {"threshold": 5, "window": "60 days"})

    now = book.change(album_affinity.RULE, STICK, {"threshold": None})

    assert (now.threshold, now.window) == (3, timedelta(days=60))
    assert book.of(album_affinity.RULE, STICK) == now
    assert book.of(album_affinity.RULE, "another") == book.default(album_affinity.RULE)


@pytest.mark.parametrize(
    "changes",
    [
        {"albums": 0},
        {"albums": 10_000},
        {"albums": "many"},
        {"threshold": 3},
        {"threshold": None},
        {"grace": "soon"},
        {"grace": "nan days"},
        {"grace": "inf days"},
        {"grace": "99999 weeks"},
        {"grace": 10**12},
        {"grace": -1},
    ],
)
def test_a_change_that_is_not_allowed_changes_nothing(
    book: RuleSettingsService, store: RuleSettingsStore, changes: dict[str, object]
) -> None:
    with pytest.raises(ConfigError, match=r"rules\.latest"):
        book.change(latest.RULE, STICK, {"enabled": True, **changes})
    with pytest.raises(ConfigError, match=next(iter(changes))):
        book.check(latest.RULE, STICK, changes)

    assert store.of(STICK, latest.NAME) == {}


def test_a_change_that_is_not_allowed_any_more_is_passed_over_and_the_others_count(
    book: RuleSettingsService, store: RuleSettingsStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.save(STICK, latest.NAME, {"enabled": True, "colour": "red"}, seen={})

    with caplog.at_level(logging.WARNING):
        assert book.of(latest.RULE, STICK).enabled
    assert "colour" in caplog.text

    book.change(latest.RULE, STICK, {"albums": 2})
    assert store.of(STICK, latest.NAME) == {"enabled": True, "albums": 2}


def test_what_is_set_on_two_pages_at_the_same_moment_is_both_kept(
    world: World, store: RuleSettingsStore
) -> None:
    elsewhere = RuleSettingsService(ALL_RULES, RuleSettingsStore(world.db))
    others: list[dict[str, object]] = [{"window": "60 days"}]

    def settings() -> RulesSettings:
        if others:
            elsewhere.change(album_affinity.RULE, STICK, others.pop())
        return ALL_RULES()

    book = RuleSettingsService(settings, store)
    now = book.change(album_affinity.RULE, STICK, {"threshold": 5})

    assert (now.threshold, now.window) == (5, timedelta(days=60))
    assert book.of(album_affinity.RULE, STICK) == now
