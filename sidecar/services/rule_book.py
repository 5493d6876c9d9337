"""What is set of each rule on each device: the settings file, and what people changed on top."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TypeVar

from sidecar.config import RulesSettings
from sidecar.domain.rules.context import Rule, RuleSettings
from sidecar.errors import ConfigError
from sidecar.store.rule_settings import RuleSettingsStore

log = logging.getLogger(__name__)

S = TypeVar("S", bound=RuleSettings)


class RuleBook:
    """Knows the settings of the rules. Safe for many threads."""

    def __init__(self, settings: RulesSettings, store: RuleSettingsStore) -> None:
        self._settings = settings
        self._store = store

    def of(self, rule: Rule[S], device_id: str) -> S:
        """Return what is set of a rule on a device.

        What was changed once and is not allowed any more counts as never changed.
        """
        changed = self._store.of(device_id, rule.name)
        try:
            return self._settings.changed(rule, changed) if changed else self._settings.of(rule)
        except ConfigError as wrong:
            log.warning("a change for one device is passed over: %s", wrong)
            return self._settings.of(rule)

    def change(self, rule: Rule[S], device_id: str, changes: Mapping[str, object]) -> S:
        """Change some keys of a rule on a device; None takes a change back.

        Raises:
            ConfigError: One of them is not allowed; nothing was changed.
        """
        before = self._store.of(device_id, rule.name)
        after = {key: value for key, value in {**before, **changes}.items() if value is not None}
        checked = self._settings.changed(rule, after)
        self._store.save(device_id, rule.name, after)
        return checked
