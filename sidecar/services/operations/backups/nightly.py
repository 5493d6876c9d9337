"""Makes a backup every night, deletes the oldest, and says if that fails.

    due? (newest file in the folder, time of day) ── back_up ──▶ folder, without the oldest
                                                        └─ failed: a notice for admins, again later

Where several processes share a database, the one that watches makes them, and the others show what
it tells of them. Only files that are named as nightly backups of this installation are deleted.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.config.zones import load_zone
from sidecar.domain.backups import choose_superfluous, find_next, is_due, make_name, read_name
from sidecar.errors import NotVisible, SidecarError
from sidecar.messages import msg
from sidecar.process import private_files
from sidecar.process.threads import Wakeup, run_periodically
from sidecar.services.accounts.person import Person
from sidecar.services.health.notices import Notice
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.health.tasks import TaskKind, Tasks
from sidecar.services.operations.backups.backups import Installation, back_up
from sidecar.services.processes.findings import Told
from sidecar.store.meta import Meta

log = logging.getLogger(__name__)

LOOK_EVERY_S = 20.0
TRY_AGAIN_S = 900.0
FOLDER = "backups"
SERIES = "backup-series"
ITSELF = ""


@dataclass(frozen=True, slots=True)
class BackupsView:
    """The nightly backups as admins see them.

    Attributes:
        is_on: Whether one is made every night.
        kept: How many are there.
        last_at: When the newest was made; None without one.
        last_bytes: Its size.
        trouble: Why the last try failed; None if it did not.
    """

    is_on: bool = False
    kept: int = 0
    last_at: datetime | None = None
    last_bytes: int = 0
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A nightly backup in the folder of this machine."""

    name: str
    made_at: datetime
    bytes: int


class NightlyBackups:
    """Makes the nightly backups in a thread of its own. Safe for many threads."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        installation: Installation,
        meta: Meta,
        problems: Problems,
        clock: Clock,
        tasks: Tasks | None = None,
        are_here: bool = True,
    ) -> None:
        """Prepare; `are_here` says whether this process is the one that makes them."""
        self._settings = settings
        self._installation = installation
        self._meta = meta
        self._problems = problems
        self._tasks = tasks or Tasks(clock)
        self._clock = clock
        self._are_here = are_here
        self.wakeup = Wakeup()
        self._is_asked = False
        self._last: BackupsView | None = None
        self._making = Lock()
        self._not_before = clock.monotonic()
        self._seen: dict[Path, Sequence[datetime]] = {}

    def run(self, stop: Event) -> None:
        """Make what is due until `stop` is set."""
        rest = partial(self.wakeup.wait, LOOK_EVERY_S)
        run_periodically(self.step, stop, rest, "the nightly backup")

    def step(self) -> None:
        """Make a backup if one is due; a failure is noted as a problem and tried again later."""
        if self._is_asked or self._is_due():
            self._is_asked = False
            self.make()
            return
        if not self._settings().backup.nightly:
            self._problems.clear(ProblemKind.BACKUP, ITSELF)
        self._plan()

    def make_soon(self) -> None:
        """Have a backup made by the thread that makes them; returns at once."""
        self._is_asked = True
        self.wakeup.set()

    def make(self) -> None:
        """Make a backup now and delete the oldest; a failure is noted as a problem.

        A backup that is being made already is waited for, and is the one that was wanted. Another
        process that makes them is only asked.
        """
        if not self._are_here:
            self._tasks.run_now(str(TaskKind.BACKUP))
            return
        # The names of the files know no fractions of a second.
        asked_at = self._clock.now().replace(microsecond=0)
        with self._making:
            if any(one >= asked_at for one in self._made()):
                return
            try:
                with self._tasks.run(TaskKind.BACKUP):
                    self._make()
            except SidecarError as error:
                self._not_before = self._clock.monotonic() + TRY_AGAIN_S
                log.warning("the nightly backup failed: %s", error)
                text = msg("No backup was made: {reason}. It is tried again later.", reason=error)
                self._problems.note(ProblemKind.BACKUP, ITSELF, Problem("no-backup", text))
            else:
                self._problems.clear(ProblemKind.BACKUP, ITSELF)
            self._plan()
            self._last = self.view()

    def to_tell(self) -> Mapping[str, BackupsView]:
        """Return what is known of the backups here, for other processes; reads no folder."""
        return {ITSELF: self._last} if self._are_here and self._last else {}

    def take(self, told: Sequence[Told[BackupsView]]) -> None:
        """Take what the process tells that makes them."""
        if not self._are_here:
            self._last = told[-1].value if told else None

    def view(self) -> BackupsView:
        """Return the state of the backups."""
        trouble = self._problems.known_of(ProblemKind.BACKUP).get(ITSELF)
        known = self._look() if self._are_here else self._last or BackupsView()
        return replace(
            known,
            is_on=self._settings().backup.nightly,
            trouble=trouble.text if trouble else None,
        )

    def files(self) -> Sequence[BackupFile]:
        """Return the backups that can be had here, newest first; none where others make them."""
        made = sorted(self._made(), reverse=True) if self._are_here else ()
        paths = [(at, self._path(at)) for at in made]
        return [BackupFile(path.name, at, _size(path)) for at, path in paths]

    def find(self, name: str) -> Path:
        """Return where one of `files` is.

        Raises:
            NotVisible: There is none of this name.
        """
        if all(one.name != name for one in self.files()):
            raise NotVisible
        return self._folder / name

    def notices(self, person: Person) -> Sequence[Notice]:
        """Return the notice that backups fail, for admins."""
        trouble = self._problems.known_of(ProblemKind.BACKUP).get(ITSELF)
        if trouble is None or not person.is_admin:
            return ()
        return (Notice("backup", "warning", trouble.text, code=trouble.code),)

    def _is_due(self) -> bool:
        chosen = self._settings().backup
        if not chosen.nightly or self._clock.monotonic() < self._not_before:
            return False
        due = partial(is_due, at=chosen.at, zone=self._zone, now=self._clock.now())
        # The folder is read only when one may be due: its disk may sleep.
        if not due(self._seen.get(self._folder, ())):
            return False
        self._last = self._look()
        return due(self._seen[self._folder])

    def _make(self) -> None:
        chosen, now = self._settings().backup, self._clock.now()
        if chosen.folder is None:
            private_files.make_folder(self._folder)
        elif not self._folder.is_dir():
            # Never made: an unmounted disk would be filled under its mount point.
            raise SidecarError(msg("the folder {folder} is not there", folder=self._folder))
        to = self._path(now)
        made = back_up(self._installation, to, passphrase=chosen.passphrase, now=now)
        log.info("backup %s, %s", to, "with secrets" if made.has_secrets else "without secrets")
        for old in choose_superfluous(self._made(), chosen.keep):
            self._path(old).unlink(missing_ok=True)

    def _plan(self) -> None:
        """Tell when the next one is due."""
        chosen, now = self._settings().backup, self._clock.now()
        waits_s = self._not_before - self._clock.monotonic()
        next_at = find_next(chosen.at, self._zone, now)
        if waits_s > 0:
            next_at = now + timedelta(seconds=waits_s)
        self._tasks.plan(TaskKind.BACKUP, ITSELF, next_at if chosen.nightly else None)

    def _look(self) -> BackupsView:
        made = self._made()
        last_at = max(made, default=None)
        size = _size(self._path(last_at)) if last_at else 0
        return BackupsView(kept=len(made), last_at=last_at, last_bytes=size)

    @property
    def _zone(self) -> tzinfo:
        return load_zone(self._settings().network.time_zone)

    def _made(self) -> list[datetime]:
        """Return when the backups were made that are there."""
        folder = self._folder
        try:
            names = [one.name for one in folder.iterdir()]
        except OSError:
            names = []
        made = [at for one in names if (at := read_name(self._series, one)) is not None]
        self._seen = {folder: made}
        return made

    @property
    def _folder(self) -> Path:
        return self._settings().backup.folder or self._installation.database.parent / FOLDER

    def _path(self, made_at: datetime) -> Path:
        return self._folder / make_name(self._series, made_at)

    @property
    def _series(self) -> str:
        series = self._meta.get(SERIES)
        if series is None:
            series = secrets.token_hex(4)
            self._meta.set(SERIES, series)
        return series


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
