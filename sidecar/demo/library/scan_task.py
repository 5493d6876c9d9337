"""The scheduled task that scans the library, as administrators see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sidecar.demo.protocol.formats import Json, drop_nulls, format_date, now

SCAN_TASK_ID = "7738148ffcd07979c7ceb148e06b3aed"


@dataclass(slots=True)
class ScanTask:
    """The time and the result of the last scan."""

    is_running: bool = False
    started: datetime | None = None
    ended: datetime | None = None
    status: str = "Completed"

    def begin(self) -> None:
        """Record the start of a scan."""
        self.is_running, self.started = True, now()

    def end(self, status: str) -> None:
        """Record its end."""
        self.is_running, self.ended, self.status = False, now(), status

    def to_dto(self) -> Json:
        """Return the task as the API's JSON."""
        result: Json | None = None
        if self.ended is not None:
            result = {
                "StartTimeUtc": format_date(self.started),
                "EndTimeUtc": format_date(self.ended),
                "Status": self.status,
                "Name": "Scan Media Library",
                "Key": "RefreshLibrary",
                "Id": SCAN_TASK_ID,
            }
        task: Json = {
            "Name": "Scan Media Library",
            "State": "Running" if self.is_running else "Idle",
            "Id": SCAN_TASK_ID,
            "LastExecutionResult": result,
            "Triggers": [],
            "Description": "Scans your media library for new files and refreshes metadata.",
            "Category": "Library",
            "IsHidden": False,
            "Key": "RefreshLibrary",
        }
        return drop_nulls(task)
