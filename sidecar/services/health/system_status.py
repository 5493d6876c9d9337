"""System status for an admin: the server, the engine, the database and the recent log."""

from __future__ import annotations

import logging
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock

from sidecar import __version__
from sidecar.config import TransferSettings
from sidecar.errors import JellyfinError
from sidecar.jellyfin.client import Jellyfin
from sidecar.services.health.problems import ProblemKind, Problems

MOST_LINES = 2000
ITEM_ID = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log record, with secrets masked."""

    at: datetime
    level: str
    thread: str
    text: str


class RecentLog(logging.Handler):
    """Keeps the last log records in memory. Safe for many threads."""

    def __init__(self, formatter: logging.Formatter) -> None:
        """Prepare; `formatter` must mask secrets and escape line breaks."""
        super().__init__(logging.INFO)
        self.setFormatter(formatter)
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self._counts: Counter[str] = Counter()
        self._reading = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        text = self.format(record).partition(f"{record.name}: ")[2]
        at = datetime.fromtimestamp(record.created, UTC)
        with self._reading:
            self._lines.append(LogLine(at, record.levelname, record.threadName or "", text))
            self._counts[record.levelname] += 1

    def counts(self) -> Mapping[str, int]:
        """Return how many records of each level there were since the start."""
        with self._reading:
            return dict(self._counts)

    def lines(self) -> list[LogLine]:
        """Return the kept records, newest first."""
        with self._reading:
            return list(reversed(self._lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatusView:
    """The state of the sidecar and of the server.

    Attributes:
        server_name, server_version: Of Jellyfin; None while it cannot be asked.
        server_trouble: Why it cannot be asked, for people; None if it can.
        engine: As in the transfer settings.
        running: Transfers that run now.
        database_bytes: Size of the database with its write-ahead log.
        is_healthy: Every thread is alive and the database answers.
    """

    version: str
    server_name: str | None
    server_version: str | None
    server_trouble: str | None
    engine: str
    workers: int
    running: int
    database_bytes: int
    is_healthy: bool


class SystemStatus:
    """Reports how the sidecar itself is doing, for admins. Safe for many threads."""

    def __init__(
        self,
        *,
        anonymous: Callable[[], Jellyfin],
        problems: Problems,
        transfer: TransferSettings,
        running: Callable[[], int],
        database_bytes: Callable[[], int],
        is_healthy: Callable[[], bool],
        recent: RecentLog,
        titles: Callable[[Collection[str]], Mapping[str, str]],
    ) -> None:
        """Prepare; `titles` returns what people call items, by their ids, as far as it is known."""
        self._anonymous = anonymous
        self._problems = problems
        self._transfer = transfer
        self._running = running
        self._database_bytes = database_bytes
        self._is_healthy = is_healthy
        self._recent = recent
        self._titles = titles

    def is_healthy(self) -> bool:
        """Whether every thread is alive and the database answers."""
        return self._is_healthy()

    def view(self) -> SystemStatusView:
        """Return the present state; asks Jellyfin for its name and version."""
        name = version = trouble = None
        known = next(iter(self._problems.known_of(ProblemKind.SERVER).values()), None)
        try:
            info = self._anonymous().public_info()
            name, version = info.server_name, info.version
        except JellyfinError as away:
            trouble = str(away)
        return SystemStatusView(
            version=__version__,
            server_name=name,
            server_version=version,
            server_trouble=trouble or (known.text if known else None),
            engine=self._transfer.engine,
            workers=self._transfer.workers,
            running=self._running(),
            database_bytes=self._database_bytes(),
            is_healthy=self._is_healthy(),
        )

    def log(self, level: str | None, text: str) -> Sequence[LogLine]:
        """Return recent log records, newest first, with the titles of items for their ids.

        Args:
            level: The lowest level to return; None for all.
            text: Words that must all occur, in any case.
        """
        least = logging.getLevelNamesMapping().get(level or "", logging.NOTSET)
        words = text.casefold().split()
        lines = [
            one
            for one in self._recent.lines()
            if logging.getLevelNamesMapping()[one.level] >= least
        ]
        ids = {found for one in lines for found in ITEM_ID.findall(one.text)}
        titles = self._titles(ids) if ids else {}
        named = (_name_items(one, titles) for one in lines)
        return [one for one in named if all(word in one.text.casefold() for word in words)]


def _name_items(line: LogLine, titles: Mapping[str, str]) -> LogLine:
    """Return a line with what people call the items whose ids it has; unknown ids stay."""
    text = ITEM_ID.sub(lambda found: titles.get(found[0], found[0]), line.text)
    return line if text == line.text else replace(line, text=text)
