"""Stores the server's state in one JSON file, written atomically."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

log = logging.getLogger(__name__)

_FILE = "demo-server.json"


class StateFile:
    """The state file in a folder; without a folder nothing is stored."""

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / _FILE

    def load(self) -> dict[str, Any]:
        """Return the stored state; empty if there is none, or it is damaged."""
        if self._file is None or not self._file.exists():
            return {}
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            log.warning("what the demo server remembered is lost: %s: %s", self._file, problem)
            return {}
        return kept if isinstance(kept, dict) else {}

    def save(self, state: dict[str, Any]) -> None:
        """Replace the stored state; the file is private, as it has tokens."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(
            "w", dir=self._file.parent, prefix=f".{_FILE}", encoding="utf-8", delete=False
        ) as part:
            json.dump(state, part)
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).replace(self._file)
