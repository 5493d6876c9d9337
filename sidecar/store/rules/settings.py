"""A rule's settings for one device, as overrides of the settings file.

Only what was changed is kept, so that a later change of the file reaches every device that never
said otherwise. What it means, and whether it is allowed, `services.rules.settings` knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

import peewee

from sidecar.store.database import Database
from sidecar.store.schema.tables import RuleSettingsRow


class RuleSettingsStore:
    """Stores the overrides. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, device_id: str, rule: str) -> dict[str, object]:
        """Return what was changed for a rule on a device, by the keys of the settings file."""
        changed = self._db.once((RuleSettingsStore, device_id), partial(self._read, device_id))
        found: dict[str, object] = json.loads(changed.get(rule, "{}"))
        return found

    def _read(self, device_id: str) -> dict[str, str]:
        """Return what was changed on a device, by rule."""
        query = RuleSettingsRow.select().where(RuleSettingsRow.device_id == device_id)
        return {row["rule"]: row["changed"] for row in self._db.rows(query)}

    def now(self, device_id: str, rule: str) -> dict[str, object]:
        """Return what was changed for a rule on a device, as others have it by now."""
        found: dict[str, object] = json.loads(self._read(device_id).get(rule, "{}"))
        return found

    def save(
        self,
        device_id: str,
        rule: str,
        changed: Mapping[str, object],
        *,
        seen: Mapping[str, object],
    ) -> bool:
        """Keep all that is changed for a rule on a device; nothing means as in the file.

        Returns:
            Whether it was still as `seen`; otherwise nothing was changed.
        """
        with self._db.write():
            if self.now(device_id, rule) != seen:
                return False
            if not changed:
                self._db.execute(
                    peewee.ModelDelete(RuleSettingsRow).where(*_match_rule(device_id, rule))
                )
                return True
            row = RuleSettingsRow.insert(
                device_id=device_id, rule=rule, changed=json.dumps(dict(changed))
            )
            key = [RuleSettingsRow.device_id, RuleSettingsRow.rule]
            self._db.execute(
                row.on_conflict(conflict_target=key, preserve=[RuleSettingsRow.changed])
            )
        return True


def _match_rule(device_id: str, rule: str) -> tuple[peewee.Expression, peewee.Expression]:
    return RuleSettingsRow.device_id == device_id, RuleSettingsRow.rule == rule
