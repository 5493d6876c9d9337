"""A device's settings that were changed at run time, as overrides of the settings file.

Only changed settings are stored, so that a later change of the file applies to every device without
an override. `services.devices.settings` validates and interprets them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import peewee

from sidecar.store.database import Database
from sidecar.store.schema.tables import DeviceSettingsRow


class DeviceSettingsStore:
    """Stores the overrides. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, device_id: str) -> dict[str, object]:
        """Return a device's overrides, by the keys of the settings file."""
        row = self._db.row(
            DeviceSettingsRow.select(DeviceSettingsRow.changed).where(
                DeviceSettingsRow.device_id == device_id
            )
        )
        changed: dict[str, object] = {} if row is None else json.loads(row["changed"])
        return changed

    def save(
        self, device_id: str, changed: Mapping[str, object], *, seen: Mapping[str, object]
    ) -> bool:
        """Replace all overrides of a device.

        Returns:
            Whether they were still as `seen`; otherwise nothing was changed.
        """
        with self._db.write():
            if self.of(device_id) != seen:
                return False
            if not changed:
                self._db.execute(
                    peewee.ModelDelete(DeviceSettingsRow).where(
                        DeviceSettingsRow.device_id == device_id
                    )
                )
                return True
            row = DeviceSettingsRow.insert(device_id=device_id, changed=json.dumps(dict(changed)))
            key, kept = [DeviceSettingsRow.device_id], [DeviceSettingsRow.changed]
            self._db.execute(row.on_conflict(conflict_target=key, preserve=kept))
        return True
