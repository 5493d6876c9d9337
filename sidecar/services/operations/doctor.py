"""Checks every part of the set-up, one after the other: what is wrong, what it means, a way out.

    settings, disk, database, engine, formats, Jellyfin, accounts, devices ──▶ checks ──▶ results

The command line runs them and waits. For the page one thread runs them when an admin asks: what
hangs, such as a network drive that is gone, holds up that thread alone, and the page says so.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Event, Lock
from types import MappingProxyType

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.config import DeviceSettings, Settings
from sidecar.device.filesystem import database_risk
from sidecar.device.own.marker import check_marker, read_marker
from sidecar.errors import JellyfinError, ServerAway, SidecarError, SignedOut, WrongServer
from sidecar.messages import Size, listed, msg
from sidecar.process.threads import Wakeup, run_when_woken
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.attached import check_is_mounted
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.transfers.finishing.formats import check_format
from sidecar.store.database import BUSY_TIMEOUT_S
from sidecar.store.devices.devices import Device
from sidecar.store.dialects.machine_roles import MachineRoles
from sidecar.store.dialects.postgresql import PostgresqlAddress, PostgresqlDialect
from sidecar.transfer.converting.availability import ConverterAvailability
from sidecar.transfer.engines import describe_engine

log = logging.getLogger(__name__)

# Bytes. No music file is that small: a lower budget was probably written without its unit.
LEAST_BUDGET = 1_000_000
# Bytes. With less the database and its copies soon do not fit any more.
LEAST_FREE = 200_000_000
# What plays and sign-ins bear; the server's time is to the second, and its answer takes a while.
CLOCKS_APART_S = 60
# What is left to one more process.
LEAST_CONNECTIONS = 30
# Then what other processes do comes no sooner than by looking.
SLOW_REDIS_S = 0.5
# One check that takes longer hangs, as far as anybody can see.
LATE_S = 30.0


class Place(StrEnum):
    """Where on the page something can be done about what is wrong."""

    SETTINGS = "settings"
    SERVER = "server"
    DEVICES = "devices"
    PROFILE = "profile"
    ADMIN = "admin"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class WayOut:
    """What people can do about what is wrong, and where on the page."""

    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check; there is a way out if and only if something is wrong."""

    subject: str
    text: str
    way_out: WayOut | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return self.way_out is None


class FoundWrong(SidecarError):
    """A check has found something wrong and knows the way out."""

    def __init__(self, text: str, way_out: WayOut) -> None:
        super().__init__(text)
        self.way_out = way_out


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        look: Returns what is well; raises what is wrong.
        way_out: For errors that do not bring their own.
    """

    subject: str
    look: Callable[[], str]
    way_out: WayOut

    def run(self) -> CheckResult:
        """Look, and return the result."""
        try:
            return CheckResult(self.subject, self.look())
        except FoundWrong as wrong:
            return CheckResult(self.subject, str(wrong), wrong.way_out)
        except SidecarError as error:
            return CheckResult(self.subject, str(error), self.way_out)
        except Exception:
            log.exception("a check failed in a way nobody foresaw")
            text = msg("The check itself failed in a way nobody foresaw")
            return CheckResult(self.subject, text, WayOut(msg("The log says more"), Place.LOG))


def checks_of_machine(settings: Settings, clock: Clock) -> Iterator[Check]:
    """Yield the checks of the settings and of this machine."""
    yield Check(msg("Settings"), lambda: msg("Read and valid"), _SETTINGS)
    yield Check(msg("Data folder"), partial(_look_at_data_folder, settings), _DATA_FOLDER)
    yield Check(
        msg("Database"), partial(_look_at_database, settings, clock), database_way_out(settings)
    )
    if settings.database.url is not None:
        look = partial(_look_at_machines, settings.database.url.get_secret_value())
        yield Check(msg("Machines"), look, _DATABASE_SERVER)
    if settings.redis.url is not None:
        yield Check(msg("Redis"), partial(_look_at_redis, settings.redis.url, clock), _REDIS)
    backups = settings.backup.folder
    if settings.backup.nightly and backups is not None:
        look_there = partial(_look_at_backups, backups)
        yield Check(msg("Backups"), look_there, _WAYS_OUT_OF_PROBLEMS[ProblemKind.BACKUP])
    yield Check(msg("Engine"), partial(describe_engine, settings), _ENGINE)
    if any(device.target or device.film_target for device in settings.devices):
        yield Check(msg("Formats"), partial(_look_at_formats, settings, clock), _FORMATS)


def checks_of_server(service: AccountService, clock: Clock) -> Iterator[Check]:
    """Yield the checks of the server and, if it answers, of each account."""
    answers = []

    def look() -> str:
        text = _look_at_server(service)
        answers.append(text)
        return text

    yield Check(msg("Jellyfin"), look, _SERVER)
    if not answers:
        return
    yield Check(msg("Clock"), partial(_look_at_clock, service, clock), _SERVER)
    accounts = service.all()
    if not accounts:
        yield Check(msg("Accounts"), _say_nobody, _NO_ACCOUNT)
    for account in accounts:
        yield Check(
            msg("Account {name}", name=account.name),
            partial(_look_at_account, service, account.user_id, account.name),
            _sign_in_again(account.name),
        )


def checks_of_devices(settings: Settings, known: Iterable[Device]) -> Iterator[Check]:
    """Yield the checks of the devices; `known` are those that the database has seen."""
    ids = {one.path: one.id for one in known}
    if not settings.devices:
        yield Check(msg("Devices"), _say_no_device, _NO_DEVICE)
    for device in settings.devices:
        way_out = WayOut(
            msg(
                "Plug it in and mount it at {path}. If it is another one or lies elsewhere, change "
                "its folder in the settings of the device",
                path=device.path,
            ),
            Place.DEVICES,
        )
        yield Check(
            msg("Device {name}", name=device.name),
            partial(look_at_device, device, ids.get(str(device.path))),
            way_out,
        )


def checks_of_problems(
    problems: Problems, names: Callable[[], Mapping[str, str]]
) -> Iterator[Check]:
    """Yield a check for each problem that a running sidecar has noticed and that others miss."""
    for kind, way_out in _WAYS_OUT_OF_PROBLEMS.items():
        for subject, problem in problems.known_of(kind).items():
            name = names().get(subject)
            named = msg("Device {name}", name=name) if name else _NAMES_OF_KINDS[kind]
            yield Check(named, partial(_repeat, problem), way_out)


def run_checks(checks: Iterable[Check]) -> Iterator[CheckResult]:
    """Run the checks one after the other and yield what they find."""
    return (one.run() for one in checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What the checks have found so far.

    Attributes:
        began_at: When they began; None if nobody has asked for them.
        ended_at: When they were over; None while they run.
        subject: What is being checked now; None if nothing is.
        late_s: For how many seconds this one check has been running, if that is too long; else 0.
    """

    results: Sequence[CheckResult] = ()
    began_at: datetime | None = None
    ended_at: datetime | None = None
    subject: str | None = None
    late_s: int = 0

    @property
    def is_running(self) -> bool:
        """Whether there is more to come."""
        return self.began_at is not None and self.ended_at is None

    @property
    def wrong(self) -> Sequence[CheckResult]:
        """The results that something is wrong."""
        return [one for one in self.results if not one.is_well]

    @property
    def well(self) -> Sequence[CheckResult]:
        """The results that nothing is wrong."""
        return [one for one in self.results if one.is_well]


class Doctor:
    """Runs the checks of a running sidecar in a thread of its own. Safe for many threads."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        accounts: AccountService,
        problems: Problems,
        devices: Callable[[], Sequence[Device]],
        push_failing: Callable[[], Sequence[str]],
        further: Callable[[Settings], Iterable[Check]],
        is_healthy: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._push_failing = push_failing
        self._further = further
        self._settings = settings
        self._accounts = accounts
        self._problems = problems
        self._devices = devices
        self._is_healthy = is_healthy
        self._clock = clock
        self.wakeup = Wakeup()
        self._lock = Lock()
        self._is_wanted = False
        self._results: list[CheckResult] = []
        self._began_at: datetime | None = None
        self._ended_at: datetime | None = None
        self._subject: str | None = None
        self._subject_since = 0.0

    def begin(self) -> None:
        """Ask for the checks, and return at once; does nothing while they run."""
        with self._lock:
            if self._began_at is not None and self._ended_at is None:
                return
            self._results, self._ended_at = [], None
            self._began_at, self._is_wanted = self._clock.now(), True
            self._subject, self._subject_since = None, self._clock.monotonic()
        self.wakeup.set()

    def now(self) -> Examination:
        """Return what was found so far."""
        with self._lock:
            is_running = self._began_at is not None and self._ended_at is None
            lasts_s = self._clock.monotonic() - self._subject_since if is_running else 0.0
            return Examination(
                results=tuple(self._results),
                began_at=self._began_at,
                ended_at=self._ended_at,
                subject=self._subject,
                late_s=int(lasts_s) if lasts_s >= LATE_S else 0,
            )

    def run(self, stop: Event) -> None:
        """Run the checks whenever somebody has asked, until `stop` is set."""
        run_when_woken(partial(self.step, stop), stop, self.wakeup, "the checks")

    def step(self, stop: Event | None = None) -> None:
        """Run the checks if somebody has asked."""
        with self._lock:
            is_wanted, self._is_wanted = self._is_wanted, False
        if not is_wanted:
            return
        try:
            for check in self._checks():
                if stop is not None and stop.is_set():
                    return
                with self._lock:
                    self._subject, self._subject_since = check.subject, self._clock.monotonic()
                found = check.run()
                with self._lock:
                    self._results.append(found)
        finally:
            with self._lock:
                self._subject, self._ended_at = None, self._clock.now()

    def _checks(self) -> Iterator[Check]:
        settings = self._settings()
        yield Check(msg("Sidecar"), self._look_at_threads, _THREADS)
        yield from checks_of_machine(settings, self._clock)
        yield from checks_of_server(self._accounts, self._clock)
        yield from checks_of_devices(settings, self._devices())
        yield from self._further(settings)
        yield from checks_of_problems(self._problems, self._device_names)
        if failing := self._push_failing():
            yield Check(msg("Notifications"), partial(_say_push_fails, failing), _PUSH)

    def _device_names(self) -> Mapping[str, str]:
        return {one.id: one.name for one in self._devices()}

    def _look_at_threads(self) -> str:
        if not self._is_healthy():
            raise FoundWrong(msg("A part of the sidecar has stopped"), _THREADS)
        return msg("All its parts are running")


def look_at_device(device: DeviceSettings, known_id: str | None) -> str:
    """Check that a device is there and can be filled.

    Args:
        device: Its settings.
        known_id: What was there before; None if the sidecar has seen nothing there yet.

    Raises:
        errors.DeviceError: It is not there.
        FoundWrong: It is there and cannot be used as it is.
    """
    marker = read_marker(device.path, name=device.name)
    if known_id is not None:
        check_marker(marker, known_id, name=device.name)
    elif marker is None:
        check_is_mounted(device)
    if not os.access(device.path, os.W_OK | os.X_OK):
        raise FoundWrong(
            msg("{path} cannot be written to", path=device.path),
            WayOut(
                msg(
                    "Let the user that the sidecar runs as write there. A stick that became "
                    "read-only by itself is damaged: check it with fsck, or copy it to another one"
                )
            ),
        )
    if device.budget is not None and device.budget < LEAST_BUDGET:
        raise FoundWrong(
            msg(
                "{path} is there, but its budget of {budget} bytes takes no file",
                path=device.path,
                budget=int(device.budget),
            ),
            WayOut(msg('Write it with its unit: budget = "10 GB"'), Place.DEVICES),
        )
    if marker is None:
        return msg("{path} is there and becomes a device at the next start", path=device.path)
    return msg("{path} is there and is a device of this sidecar", path=device.path)


def _look_at_data_folder(settings: Settings) -> str:
    folder = settings.server.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SidecarError(
            msg("{folder} cannot be made: {reason}", folder=folder, reason=error.strerror)
        ) from error
    free = _find_free(folder)
    if free < LEAST_FREE:
        raise FoundWrong(
            msg("Only {size} are free where {folder} is", size=Size(free), folder=folder),
            WayOut(
                msg(
                    "Free some space on that disk: the database stops when it is full. Old backups "
                    "in the data folder can be deleted"
                )
            ),
        )
    return msg("{folder} can be written to, {size} are free", folder=folder, size=Size(free))


def _look_at_backups(folder: Path) -> str:
    if not folder.is_dir():
        raise SidecarError(msg("{folder} is not there, or is no folder", folder=folder))
    free = _find_free(folder)
    return msg("{folder} can be written to, {size} are free", folder=folder, size=Size(free))


def _find_free(folder: Path) -> int:
    """Return how many bytes are free where a folder is that can be written to."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SidecarError(msg("{folder} cannot be written to", folder=folder))
    return shutil.disk_usage(folder).free


def database_way_out(settings: Settings) -> WayOut:
    """Return what to do if the database cannot be used."""
    return DATABASE_WAY_OUT if settings.database.url is None else _DATABASE_SERVER


def _look_at_database(settings: Settings, clock: Clock) -> str:
    if settings.database.url is not None:
        return _look_at_database_server(settings.database.url.get_secret_value(), clock)
    if (risk := database_risk(settings.server.data_dir)) is not None:
        raise SidecarError(risk)
    return msg("On a disk of this machine")


def _look_at_database_server(url: str, clock: Clock) -> str:
    address = PostgresqlAddress(url)
    state = PostgresqlDialect(address, busy_timeout_s=BUSY_TIMEOUT_S).examine()
    if state.is_of_another_version:
        raise FoundWrong(msg("The tables in {place} are of another version", place=address), _STEPS)
    if not state.may_make_tables and not address.is_of_machine:
        raise FoundWrong(msg("Our user may not make tables in {place}", place=address), _RIGHTS)
    if state.connections_left < LEAST_CONNECTIONS:
        raise FoundWrong(
            msg(
                "{place} lets only {count} more connections in; a sidecar needs up to thirty",
                place=address,
                count=state.connections_left,
            ),
            _CONNECTIONS,
        )
    apart_s = round(abs((state.now - clock.now()).total_seconds()))
    if apart_s > CLOCKS_APART_S:
        raise FoundWrong(
            msg(
                "The clocks of {place} and of this machine are {seconds} seconds apart",
                place=address,
                seconds=apart_s,
            ),
            _CLOCK,
        )
    return msg(
        "PostgreSQL {version} at {place}; it lets {count} more connections in",
        version=state.version,
        place=address,
        count=state.connections_left,
    )


def _look_at_machines(url: str) -> str:
    if PostgresqlAddress(url).is_of_machine:
        return msg("This machine has joined, with a password of its own")
    if MachineRoles(url).may_make():
        return msg(
            "Each machine that joins gets a password of its own, which its removal takes back"
        )
    return msg(
        "A machine that joins gets the installation's own password, as the user of the database "
        "may not make others: to lock one out change that password, as docs/scale.md says; "
        "ALTER ROLE … CREATEROLE gives each a password of its own from then on"
    )


def _look_at_redis(url: SecretStr, clock: Clock) -> str:
    # Loaded only where the settings name one.
    bridge = import_module("sidecar.shared_events.bridge")
    state = bridge.examine(url, clock)
    if state.answered_in_s > SLOW_REDIS_S:
        raise FoundWrong(
            msg(
                "The Redis at {place} takes {milliseconds} ms to answer",
                place=bridge.describe(url),
                milliseconds=round(1000 * state.answered_in_s),
            ),
            _REDIS,
        )
    return msg(
        "Redis {version} at {place} answers in {milliseconds} ms; {count} processes listen",
        version=state.version,
        place=bridge.describe(url),
        milliseconds=round(1000 * state.answered_in_s, 1),
        count=state.listeners,
    )


def _look_at_formats(settings: Settings, clock: Clock) -> str:
    availability = ConverterAvailability(settings.transfer.ffmpeg, clock)
    wanted = {
        one.title
        for device in settings.devices
        for one in (device.target, device.film_target)
        if one is not None
    }
    for device in settings.devices:
        check_format(device, availability.check)
    return msg("ffmpeg can make {formats}", formats=listed(sorted(wanted)))


def _look_at_server(service: AccountService) -> str:
    try:
        server = service.anonymous().public_info()
    except WrongServer as error:
        raise FoundWrong(str(error), _WRONG_SERVER) from error
    except ServerAway as error:
        raise FoundWrong(str(error), _SERVER) from error
    except JellyfinError as error:
        raise FoundWrong(str(error), _NO_JELLYFIN) from error
    name = server.server_name or "Jellyfin"
    return msg("{name} {version} answers", name=name, version=server.version)


def _look_at_clock(service: AccountService, clock: Clock) -> str:
    told = service.anonymous().clock()
    if told is None:
        return msg("Jellyfin does not say what time it has")
    apart_s = round(abs((told - clock.now()).total_seconds()))
    if apart_s > CLOCKS_APART_S:
        raise FoundWrong(
            msg(
                "The clocks of Jellyfin and of this machine are {seconds} seconds apart",
                seconds=apart_s,
            ),
            _CLOCK,
        )
    return msg("That of Jellyfin and that of this machine agree")


def _look_at_account(service: AccountService, user_id: str, name: str) -> str:
    try:
        user = service.client(user_id).me()
    except SignedOut as error:
        raise FoundWrong(str(error), _sign_in_again(name)) from error
    except JellyfinError as error:
        raise FoundWrong(str(error), _SERVER) from error
    if not user.policy.enable_content_downloading:
        raise FoundWrong(
            msg("Jellyfin does not let this account download"),
            WayOut(
                msg(
                    "In Jellyfin's dashboard, open Users, {name}, and allow media downloads",
                    name=name,
                )
            ),
        )
    return msg("Signed in, and may download")


def _say_nobody() -> str:
    raise SidecarError(msg("Nobody has signed in yet"))


def _say_no_device() -> str:
    raise SidecarError(msg("None is configured: nothing can be kept"))


def _say_push_fails(outcomes: Sequence[str]) -> str:
    raise SidecarError(
        msg(
            "The last message to a browser did not reach its push service: {reason}",
            reason=outcomes[0],
        )
    )


def _repeat(problem: Problem) -> str:
    raise SidecarError(problem.text)


def _sign_in_again(name: str) -> WayOut:
    return WayOut(
        msg(
            "Sign in on the page as {name}, or run: jellyfin-sidecar sign-in --account {name}",
            name=name,
        ),
        Place.PROFILE,
    )


_SETTINGS = WayOut(
    msg("Correct the value that is named; docs/configuration.md lists all"), Place.SETTINGS
)
_DATA_FOLDER = WayOut(
    msg(
        "Let the user that the sidecar runs as write there, or set server.data_dir to another "
        "folder"
    )
)
DATABASE_WAY_OUT = WayOut(
    msg(
        "Stop the sidecar, move the data folder to a disk of this machine and set server.data_dir. "
        "If the database is damaged: jellyfin-sidecar restore FILE puts a backup in its place"
    )
)
_DATABASE_SERVER = WayOut(
    msg(
        "Check url in [database] of the settings file, and that its server runs and lets the "
        "sidecar in; docs/scale.md says how"
    )
)
_STEPS = WayOut(
    msg(
        "Start the newest version of the sidecar: it updates them; older ones must be updated as "
        "well"
    )
)
_RIGHTS = WayOut(
    msg("Let the database belong to the user in its address: ALTER DATABASE … OWNER TO …")
)
_CONNECTIONS = WayOut(
    msg("Raise max_connections of the server, or end what else holds connections there")
)
_REDIS = WayOut(
    msg(
        "Check url in [redis] of the settings file, and that its server runs nearby and lets the "
        "sidecar in. Until then what other processes do is seen seconds later, and nothing is lost"
    )
)
_ENGINE = WayOut(
    msg('Start or install aria2, or set engine = "threads" in [transfer]'), Place.SETTINGS
)
_FORMATS = WayOut(
    msg(
        "Install the package ffmpeg of your system, name the program in transfer.ffmpeg, or choose "
        "another format for the device"
    ),
    Place.DEVICES,
)
_SERVER = WayOut(
    msg(
        "Check that Jellyfin runs and that this machine reaches the address in jellyfin.url; in a "
        "container, 127.0.0.1 is the container itself"
    ),
    Place.SERVER,
)
_WRONG_SERVER = WayOut(
    msg(
        "Set jellyfin.url to the right one. If it is your Jellyfin, installed again or restored, "
        "accept it on the page, or run: jellyfin-sidecar server accept"
    ),
    Place.SERVER,
)
_CLOCK = WayOut(
    msg(
        "Let both machines set their clocks by the network, on Linux: timedatectl set-ntp true. "
        "Until then the times of plays are wrong, and what depends on them"
    )
)
_PUSH = WayOut(
    msg(
        "Check that this machine reaches the internet by https. If only one browser is concerned, "
        "turn its notifications off and on again there"
    ),
    Place.PROFILE,
)
_NO_JELLYFIN = WayOut(
    msg(
        "Something else answers there, perhaps a proxy with a login page: set jellyfin.url to the "
        "address of Jellyfin itself"
    ),
    Place.SETTINGS,
)
_NO_ACCOUNT = WayOut(
    msg("Sign in on the page, or run: jellyfin-sidecar sign-in --account NAME"), Place.PROFILE
)
_NO_DEVICE = WayOut(
    msg("Add one on the page Devices, or with [[devices]] in the settings file"), Place.DEVICES
)
_THREADS = WayOut(
    msg(
        "The log says why. Restart the sidecar; if it happens again, report it with a support file"
    ),
    Place.LOG,
)
_WAYS_OUT_OF_PROBLEMS: Mapping[ProblemKind, WayOut] = MappingProxyType(
    {
        ProblemKind.DEVICE: WayOut(
            msg("The page of the device says what it waits for, and what can be done"),
            Place.DEVICES,
        ),
        ProblemKind.ROOM: WayOut(
            msg(
                "Raise the storage limit of the device, remove files, or choose fewer rules for it"
            ),
            Place.DEVICES,
        ),
        ProblemKind.SYNCTHING: WayOut(
            msg("Check that Syncthing runs, and its address and API key in [syncthing]"),
            Place.SETTINGS,
        ),
        ProblemKind.BACKUP: WayOut(
            msg(
                "Check that the folder in [backup] can be written to and has space; then make a "
                "backup on the page, or run: jellyfin-sidecar backup FILE"
            ),
            Place.ADMIN,
        ),
    }
)
_NAMES_OF_KINDS: Mapping[ProblemKind, str] = MappingProxyType(
    {
        ProblemKind.DEVICE: msg("Devices"),
        ProblemKind.ROOM: msg("Devices"),
        ProblemKind.SYNCTHING: msg("Syncthing"),
        ProblemKind.BACKUP: msg("Backups"),
    }
)
