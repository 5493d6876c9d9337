"""Where the templates and the browser's files are: in the source tree, or inside the wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent
SOURCE_TREE = PACKAGE.parent.parent


@dataclass(frozen=True, slots=True)
class WebFiles:
    """The two folders that the pages are made from."""

    templates: Path
    static: Path


def web_files() -> WebFiles:
    """Return the folders inside the installed package, else those at the top of the source tree."""
    home = PACKAGE if (PACKAGE / "templates").is_dir() else SOURCE_TREE
    return WebFiles(home / "templates", home / "static")
