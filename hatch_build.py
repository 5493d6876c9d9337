"""Refuses to build a wheel without the browser code, which npm brings and git does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

READY = Path("static/vendor/ready")


class BrowserCode(BuildHookInterface[Any]):
    """Runs before a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Stop with what to do if the browser code is not there."""
        if version == "editable":
            return
        if not (Path(self.root) / READY).exists():
            raise SystemExit("The browser code is missing: run `make wheel`, which builds it first")
        build_data["artifacts"].append("static/vendor/*")
