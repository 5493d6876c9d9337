"""Refuses to build a wheel whose pages would have no scripts.

An editable installation is let through: there, `make` builds `static/vendor` afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NEEDED = ("socket.io.esm.min.js", "htmx.min.js", "icons.svg")


class NeedsVendor(BuildHookInterface[Any]):
    """Runs before a wheel is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Stop the build unless `static/vendor` is complete.

        Raises:
            FileNotFoundError: Says what is missing and how to make it.
        """
        del build_data
        vendor = Path(self.root) / "static" / "vendor"
        missing = [name for name in NEEDED if not (vendor / name).is_file()]
        if version != "editable" and missing:
            raise FileNotFoundError(
                f"static/vendor has no {', '.join(missing)}: "
                "run `npm ci && node static/build.mjs` (or `make wheel`) first"
            )
