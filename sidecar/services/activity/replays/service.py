"""Replays past plays for people: their own, a file of theirs, or for admins the household's.

    asked ─▶ in turn, one at a time ─▶ `child` ─▶ the result, kept until the next ─▶ use it, undo

A person sees only what they have asked for themselves.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Lock
from typing import IO, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from sidecar.clock import Clock
from sidecar.confined.limits import Limits
from sidecar.domain.items.item import Item
from sidecar.domain.replay.job import ReplayJob
from sidecar.domain.replay.report import Report
from sidecar.domain.rules import fill
from sidecar.domain.rules.context import Rule, RuleSettings
from sidecar.domain.rules.registry import COMPUTED_RULES
from sidecar.errors import JellyfinError, NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.messages import Size, msg
from sidecar.process.threads import Wakeup, attempt, run_when_woken
from sidecar.services.accounts.person import Person
from sidecar.services.activity.replays.child import LIMITS, ChildFailed, run_replay
from sidecar.services.activity.replays.views import (
    KeptReplay,
    ReplayRefused,
    ReplayRequest,
    ReplayState,
    ReplayView,
)
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.downloads.undo import UndoRecord, UndoService
from sidecar.services.rules.settings.editor import SettingsEditor
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.store.accounts.choices import Choices
from sidecar.store.playback.past import PastPlays

log = logging.getLogger(__name__)

S = TypeVar("S", bound=RuleSettings)

# The name of what is kept for a person.
KEPT = "replay"
LARGEST_FILE = 16 * 1024 * 1024
MOST_FILES = 4
MOST_PLAYS = 200_000
MOST_BUDGETS = 8
FILE_LASTS_S = 3600.0
COLUMNS = ("time", "user", "item_id", "seconds")


@cache
def _reports() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


@cache
def _kept_replays() -> TypeAdapter[KeptReplay]:
    return TypeAdapter(KeptReplay)


@dataclass(slots=True)
class _Upload:
    """A file that a person has sent, or is sending."""

    file: IO[bytes]
    size: int
    until: float


@dataclass(slots=True)
class _Run:
    """A replay that waits or runs."""

    person: Person
    asked: ReplayRequest
    upload: _Upload | None
    is_running: bool = False
    progress: float = 0.0
    is_over: bool = False


@dataclass(slots=True)
class _State:
    runs: dict[str, _Run] = field(default_factory=dict)
    uploads: dict[str, _Upload] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class ReplayService:
    """Replays, keeps the last result of each person, and applies what it recommends.

    Attributes:
        limits: Those of the child process.
    """

    def __init__(
        self,
        *,
        plays: PastPlays,
        choices: Choices,
        access: DeviceAccess,
        rules: RuleSettingsService,
        editor: SettingsEditor,
        undo: UndoService,
        client: Callable[[str], Jellyfin],
        folder: Path,
        clock: Clock,
        limits: Limits = LIMITS,
    ) -> None:
        """Prepare.

        Args:
            plays: The plays that were watched.
            choices: Where results are kept.
            access: Who may use a device.
            rules: The settings of the rules.
            editor: Changes them.
            undo: Records how that is undone.
            client: Returns the Jellyfin client of an account, by its id.
            folder: Where uploaded files lie while they are needed, without a name.
            clock: The time.
            limits: Those of the child process.
        """
        self._plays = plays
        self._choices = choices
        self._access = access
        self._rules = rules
        self._editor = editor
        self._undo = undo
        self._client = client
        self._folder = folder
        self._clock = clock
        self.limits = limits
        self._lock = Lock()
        self._state = _State()
        self.wakeup = Wakeup()

    def view(self, person: Person) -> ReplayView:
        """Return how far the person's replay is, and its last result."""
        kept = self._read_kept(person)
        with self._lock:
            run = self._state.runs.get(person.user_id)
            refused = self._state.refused.get(person.user_id)
            if run is not None:
                state = ReplayState.RUNNING if run.is_running else ReplayState.WAITING
                return ReplayView(state=state, progress=run.progress, kept=kept)
        if refused is not None:
            return ReplayView(state=ReplayState.FAILED, refused=refused, kept=kept)
        return ReplayView(state=ReplayState.DONE if kept else ReplayState.NONE, kept=kept)

    def missed_items(self, person: Person, ids: Sequence[str]) -> Mapping[str, Item]:
        """Return what this person may see of these items; nothing while Jellyfin is away."""
        try:
            return self._client(person.user_id).visible_items(ids) if ids else {}
        except JellyfinError:
            return {}

    def put_part(self, person: Person, offset: int, octets: bytes) -> int:
        """Take the next part of a file; the first one begins it. Return how much is there.

        Raises:
            ReplayRefused: It is too large, not the next part, or too many people send files.
        """
        if not octets:
            raise ReplayRefused(msg("The file is empty"))
        with self._lock:
            self._drop_old_uploads()
            upload = self._state.uploads.get(person.user_id)
            if offset == 0:
                if upload is None and len(self._state.uploads) >= MOST_FILES:
                    raise ReplayRefused(
                        msg("Too many people send files at the moment: try again in a while")
                    )
                if upload is not None:
                    upload.file.close()
                upload = _Upload(self._open_file(), 0, 0.0)
                self._state.uploads[person.user_id] = upload
            if upload is None or offset != upload.size:
                raise ReplayRefused(msg("A part of the file is missing: choose the file once more"))
            if upload.size + len(octets) > LARGEST_FILE:
                del self._state.uploads[person.user_id]
                upload.file.close()
                raise ReplayRefused(msg("The file is larger than {size}", size=Size(LARGEST_FILE)))
            upload.file.write(octets)
            upload.size += len(octets)
            upload.until = self._clock.monotonic() + FILE_LASTS_S
            return upload.size

    def begin(self, person: Person, asked: ReplayRequest) -> None:
        """Have a replay made, as soon as those before it are done.

        Raises:
            ReplayRefused: One runs already, or what is asked for cannot be replayed.
            errors.NotVisible: The person does not use the device.
        """
        if asked.device_id is not None:
            self._access.settings(person, asked.device_id)
        if asked.is_household and not person.is_admin:
            raise NotVisible
        if not 0 < len(asked.budgets) <= MOST_BUDGETS:
            raise ReplayRefused(
                msg("Choose at least one size and at most {number}", number=MOST_BUDGETS)
            )
        with self._lock:
            if person.user_id in self._state.runs:
                raise ReplayRefused(msg("A replay of yours is running already"))
            self._drop_old_uploads()
            upload = None
            if asked.is_uploaded:
                upload = self._state.uploads.pop(person.user_id, None)
                if upload is None:
                    raise ReplayRefused(msg("There is no file: choose it once more"))
            self._state.refused.pop(person.user_id, None)
            self._state.runs[person.user_id] = _Run(person, asked, upload)
        self.wakeup.set()

    def cancel(self, person: Person) -> None:
        """End the person's replay; if none runs, forget its result."""
        with self._lock:
            run = self._state.runs.get(person.user_id)
            if run is not None:
                run.is_over = True
                if not run.is_running:
                    self._end(run)
                return
            self._state.refused.pop(person.user_id, None)
        self._choices.drop(person.user_id, KEPT)

    def use(self, person: Person, budget: int) -> UndoRecord:
        """Set what is recommended for a size, on the device whose settings were replayed.

        Raises:
            ReplayRefused: Nothing is recommended for it.
            errors.NotVisible: The device is not there, or is not theirs.
            errors.NotAManager: They do not manage it.
        """
        kept = self._read_kept(person)
        advice = kept.advice(budget) if kept else None
        if kept is None or advice is None or kept.device_id is None or not advice.is_change:
            raise ReplayRefused(msg("Nothing else is recommended for this size"))
        changes: dict[str, dict[str, object]] = {}
        for place, value in advice.set.items():
            rule, _, key = place.partition(".")
            if value != advice.configured[place]:
                changes.setdefault(rule, {})[key] = value
        reversal = self._editor.use(person, kept.device_id, changes)
        return self._undo.remember_one(
            person, "settings", reversal, len(changes), device=kept.device_name
        )

    def run(self, stop: Event) -> None:
        """Make the replays that people ask for, until `stop` is set."""
        run_when_woken(lambda: self.step(stop), stop, self.wakeup, "a replay")
        self.close()

    def close(self) -> None:
        """Forget the files that were sent."""
        with self._lock:
            for one in (*self._state.uploads.values(), *self._list_run_uploads()):
                one.file.close()
            self._state = _State()

    def step(self, stop: Event) -> None:
        """Make all replays that wait."""
        while not stop.is_set():
            with self._lock:
                run = next(iter(self._state.runs.values()), None)
                if run is None:
                    return
                run.is_running = True
            try:
                refused = attempt(lambda run=run: self._replay(run, stop), "a replay", _unforeseen)  # type: ignore[misc]  # it is of this turn
            finally:
                with self._lock:
                    self._end(run)
            if refused:
                with self._lock:
                    self._state.refused[run.person.user_id] = refused

    def _open_file(self) -> IO[bytes]:
        """Return a file that is gone once it is closed, whatever happens."""
        return TemporaryFile(dir=self._folder)

    def _end(self, run: _Run) -> None:
        self._state.runs.pop(run.person.user_id, None)
        if run.upload is not None:
            run.upload.file.close()

    def _list_run_uploads(self) -> list[_Upload]:
        return [one.upload for one in self._state.runs.values() if one.upload is not None]

    def _drop_old_uploads(self) -> None:
        now = self._clock.monotonic()
        for user_id, one in list(self._state.uploads.items()):
            if one.until <= now:
                one.file.close()
                del self._state.uploads[user_id]

    def _replay(self, run: _Run, stop: Event) -> str:
        """Make a replay and keep its result; return why there is none."""

        def progress(share: float) -> None:
            run.progress = share

        with self._open_file() as job, self._open_history(run) as history:
            self._write_job(job, run)
            try:
                told = run_replay(
                    job,
                    history,
                    progress=progress,
                    is_over=lambda: run.is_over or stop.is_set(),
                    limits=self.limits,
                )
            except ChildFailed as failed:
                return _explain(str(failed))
        if told is None:
            return ""
        try:
            self._keep(run, told)
        except (ValidationError, KeyError, TypeError):
            log.exception("a replay answered something else than a report")
            return _unforeseen()
        return ""

    def _open_history(self, run: _Run) -> IO[bytes]:
        if run.upload is not None:
            run.upload.file.seek(0)
            return run.upload.file
        found = self._open_file()
        text = io.TextIOWrapper(found, encoding="utf-8", errors="replace", newline="")
        rows = csv.writer(text)
        rows.writerow(COLUMNS)
        user_id = None if run.asked.is_household else run.person.user_id
        for play in self._plays.plays(user_id):
            rows.writerow((play.began.isoformat(), play.user, play.item_id, play.seconds))
        text.flush()
        text.detach()
        found.seek(0)
        return found

    def _write_job(self, job: IO[bytes], run: _Run) -> None:
        device_id, person = run.asked.device_id, run.person

        def settings_of(rule: Rule[S]) -> S:
            return self._rules.of(rule, device_id) if device_id else self._rules.default(rule)

        asked = ReplayJob(
            budgets=run.asked.budgets,
            settings={one.name: settings_of(one) for one in COMPUTED_RULES},
            limits=settings_of(fill.RULE).limits,
        )
        head = {
            "job": asked.to_json(),
            "most_plays": MOST_PLAYS,
            "is_upload": run.upload is not None,
        }
        job.write(json.dumps(head).encode() + b"\n")
        for item in self._plays.items(None if person.is_admin else person.user_id):
            job.write(json.dumps(asdict(item)).encode() + b"\n")
        job.flush()
        job.seek(0)

    def _keep(self, run: _Run, told: Mapping[str, Any]) -> None:
        asked = run.asked
        kept = KeptReplay(
            at=self._clock.now(),
            device_id=asked.device_id,
            device_name=(
                self._access.settings(run.person, asked.device_id).name if asked.device_id else ""
            ),
            is_household=asked.is_household,
            is_uploaded=asked.is_uploaded,
            report=_reports().validate_python(told["report"]),
            bad_rows=int(told["bad_rows"]),
            bad_lines=[int(line) for line in told["bad_lines"]],
        )
        self._choices.put(run.person.user_id, KEPT, _kept_replays().dump_json(kept).decode())

    def _read_kept(self, person: Person) -> KeptReplay | None:
        text = self._choices.of(person.user_id, KEPT)
        if text is None:
            return None
        try:
            kept = _kept_replays().validate_json(text)
        except ValidationError:
            # Of another version.
            return None
        is_theirs = person.is_admin or not kept.is_household
        return kept if is_theirs else None


def _explain(code: str) -> str:
    match code:
        case "no history":
            return msg(
                "The file is neither an export of Playback Reporting nor a table with the columns "
                "time, user, item_id and seconds"
            )
        case "no plays":
            return msg("There is no play that could be read")
        case "too long" | "memory":
            return msg(
                "The history is too long: leave out older plays, or use the command "
                "jellyfin-sidecar replay"
            )
        case _:
            return _unforeseen()


def _unforeseen() -> str:
    return msg("The replay failed in a way nobody foresaw; the log says more")
