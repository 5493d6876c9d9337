"""Sees to it that the browser code is in what is built; npm brings it, git does not hold it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

READY = Path("static/vendor/ready")


class BrowserCode(BuildHookInterface[Any]):
    """Runs before a wheel or a source archive is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the browser code if it is not there, or stop with what to do."""
        if version == "editable":
            return
        if not (Path(self.root) / READY).exists():
            _build(Path(self.root))
        if self.target_name == "wheel":
            vendor = READY.parent
            build_data["force_include"][str(vendor)] = f"sidecar/web/{vendor}"
        else:
            build_data["artifacts"].append("static/vendor/*")


def _build(root: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise SystemExit(
            "The browser code is missing: install Node.js with npm and try again, or install a "
            "wheel or a source archive, which has it (`make dist` builds both)"
        )
    # Standard output belongs to who asked for the build.
    for command in (
        [npm, "ci", "--omit=dev", "--no-fund", "--no-audit"],
        [node, "static/build.mjs"],
    ):
        done = subprocess.run(  # noqa: S603 - our own, from the path
            command, cwd=root, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()
            raise SystemExit(f"The browser code could not be built: {said}")
