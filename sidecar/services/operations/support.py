"""Collects what helps others to find a fault into one file: versions, settings, figures, the log.

    settings (secrets only as "**********") ─┐
    versions, figures, problems, log ────────┼─▶ masked ─▶ ZIP
                                             └ a secret that is still there is replaced

Names of people, devices and titles stay in it, as a log without them helps nobody; it says so.
"""

from __future__ import annotations

import io
import json
import platform
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata

from pydantic import BaseModel, SecretStr

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.process.logs import MASK, mask
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.health.system_status import RecentLog

DISTRIBUTION = "jellyfin-sidecar"
README = """\
What a Jellyfin Sidecar knows of itself, to find a fault.

There are no passwords, tokens, keys and addresses of notifications in it. Names of people, devices,
folders and titles are: look through it before you give it to others.
"""
_NAME = re.compile(r"[A-Za-z0-9._-]+")


class SupportBundle:
    """Makes the file of a running sidecar. Safe for many threads."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        metrics: Callable[[], bytes],
        problems: Problems,
        recent: RecentLog,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._problems = problems
        self._recent = recent
        self._clock = clock

    def make(self) -> bytes:
        """Return the file."""
        lines = [
            f"{one.at.isoformat()} {one.level} {one.thread}: {one.text}"
            for one in reversed(self._recent.lines())
        ]
        problems = [
            {"kind": kind, "subject": subject, "code": one.code, "text": str(one.text)}
            for kind in ProblemKind
            for subject, one in self._problems.known_of(kind).items()
        ]
        parts = {
            "log.txt": "\n".join(lines),
            "metrics.txt": self._metrics().decode(),
            "problems.json": json.dumps(problems, indent=2, ensure_ascii=False),
            "made.txt": f"{self._clock.now().isoformat()}\n",
        }
        return pack(self._settings(), parts)


def pack(settings: Settings, parts: Mapping[str, str]) -> bytes:
    """Return a ZIP with versions, settings and these parts, each without any secret."""
    secrets = sorted(_secrets(settings), key=len, reverse=True)
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {
            "README.txt": README,
            "versions.txt": _versions(),
            "settings.json": json.dumps(settings.model_dump(mode="json"), indent=2),
            **parts,
        }.items():
            archive.writestr(name, _without(secrets, mask(text)))
    return found.getvalue()


def _without(secrets: list[str], text: str) -> str:
    for one in secrets:
        text = text.replace(one, MASK)
    return text


def _secrets(model: BaseModel) -> Iterator[str]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, SecretStr) and one.get_secret_value():
                yield one.get_secret_value()
            elif isinstance(one, BaseModel):
                yield from _secrets(one)


def _versions() -> str:
    lines = [
        f"Jellyfin Sidecar {__version__}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
    ]
    try:
        needed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        needed = []
    for one in sorted({found[0] for line in needed if (found := _NAME.match(line))}):
        try:
            lines.append(f"{one} {metadata.version(one)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{one} is not installed")
    return "\n".join(lines) + "\n"
