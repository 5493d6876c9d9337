"""The settings of each rule on each device: the settings file, with people's changes on top."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from sidecar.config import RulesSettings
from sidecar.domain.rules.context import Rule, RuleSettings
from sidecar.errors import ConfigError
from sidecar.store.rules.settings import RuleSettingsStore

log = logging.getLogger(__name__)

S = TypeVar("S", bound=RuleSettings)


class RuleSettingsService:
    """Reads and changes the settings of the rules. Thread-safe."""

    def __init__(self, settings: Callable[[], RulesSettings], store: RuleSettingsStore) -> None:
        """Prepare; `settings` returns the present settings that hold for every device."""
        self._all = settings
        self._store = store

    @property
    def _settings(self) -> RulesSettings:
        return self._all()

    def of(self, rule: Rule[S], device_id: str) -> S:
        """Return the settings of a rule on a device.

        A stored change that is no longer valid is ignored.
        """
        changed = self.changes_of(rule, device_id)
        return self._settings.with_changes(rule, changed) if changed else self._settings.of(rule)

    def changes_of(self, rule: Rule[S], device_id: str) -> Mapping[str, object]:
        """Return what is set for a device alone, by key."""
        return self._allowed(rule, self._store.of(device_id, rule.name))

    def default(self, rule: Rule[S]) -> S:
        """Return the settings of a rule in the settings file, which hold for every device."""
        return self._settings.of(rule)

    def check(self, rule: Rule[S], device_id: str, changes: Mapping[str, object]) -> S:
        """Return the settings after some changes, without storing them; None resets a key.

        Raises:
            ConfigError: A change is not valid.
        """
        return self._settings.with_changes(
            rule, self._after(rule, self._store.of(device_id, rule.name), changes)
        )

    def change(self, rule: Rule[S], device_id: str, changes: Mapping[str, object]) -> S:
        """Change some keys of a rule on a device; None resets a key.

        Raises:
            ConfigError: A change is not valid; nothing was stored.
        """
        while True:
            seen = self._store.now(device_id, rule.name)
            after = self._after(rule, seen, changes)
            checked = self._settings.with_changes(rule, after)
            # Not what somebody changed meanwhile, perhaps in another process: that stays.
            if self._store.save(device_id, rule.name, after, seen=seen):
                return checked

    def _after(
        self, rule: Rule[S], stored: Mapping[str, object], changes: Mapping[str, object]
    ) -> dict[str, object]:
        # An unknown key is refused, even to reset it.
        self._settings.check_keys(rule, changes)
        merged = {**self._allowed(rule, stored), **changes}
        return {key: value for key, value in merged.items() if value is not None}

    def _allowed(self, rule: Rule[S], stored: Mapping[str, object]) -> dict[str, object]:
        """Return the stored changes, without those that only an older release allowed."""
        kept: dict[str, object] = {}
        for key, value in stored.items():
            try:
                self._settings.with_changes(rule, {key: value})
            except ConfigError as wrong:
                log.warning("a change for one device is passed over: %s", wrong)
            else:
                kept[key] = value
        return kept
