"""The settings of each rule on each device: the settings file, and what people changed on top."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Lock
from typing import TypeVar

from sidecar.config import RulesSettings
from sidecar.domain.rules.context import Rule, RuleSettings
from sidecar.errors import ConfigError
from sidecar.store.rules.settings import RuleSettingsStore

log = logging.getLogger(__name__)

S = TypeVar("S", bound=RuleSettings)


class RuleSettingsService:
    """Knows the settings of the rules. Safe for many threads."""

    def __init__(self, settings: RulesSettings, store: RuleSettingsStore) -> None:
        self._settings = settings
        self._store = store
        self._lock = Lock()

    def of(self, rule: Rule[S], device_id: str) -> S:
        """Return what is set of a rule on a device.

        What was changed once and is not allowed any more counts as never changed.
        """
        changed = self._kept(rule, device_id)
        return self._settings.with_changes(rule, changed) if changed else self._settings.of(rule)

    def default(self, rule: Rule[S]) -> S:
        """Return what the settings file says of a rule, for every device."""
        return self._settings.of(rule)

    def check(self, rule: Rule[S], device_id: str, changes: Mapping[str, object]) -> S:
        """Return what would be set after some changes, None taking one back; change nothing.

        Raises:
            ConfigError: One of them is not allowed.
        """
        return self._settings.with_changes(rule, self._after(rule, device_id, changes))

    def change(self, rule: Rule[S], device_id: str, changes: Mapping[str, object]) -> S:
        """Change some keys of a rule on a device; None takes a change back.

        Raises:
            ConfigError: One of them is not allowed; nothing was changed.
        """
        with self._lock:
            after = self._after(rule, device_id, changes)
            checked = self._settings.with_changes(rule, after)
            self._store.save(device_id, rule.name, after)
        return checked

    def _after(
        self, rule: Rule[S], device_id: str, changes: Mapping[str, object]
    ) -> dict[str, object]:
        # A key that there is not is refused even if it is to be taken back.
        self._settings.check_keys(rule, changes)
        merged = {**self._kept(rule, device_id), **changes}
        return {key: value for key, value in merged.items() if value is not None}

    def _kept(self, rule: Rule[S], device_id: str) -> dict[str, object]:
        """Return what was changed, without what an older release allowed and this one does not."""
        kept: dict[str, object] = {}
        for key, value in self._store.of(device_id, rule.name).items():
            try:
                self._settings.with_changes(rule, {key: value})
            except ConfigError as wrong:
                log.warning("a change for one device is passed over: %s", wrong)
            else:
                kept[key] = value
        return kept
