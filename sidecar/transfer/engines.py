"""Creates the engine that the settings name, and the function of the thread that it needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import blake2s
from threading import Event

from sidecar.clock import Clock
from sidecar.config import EngineName, Settings
from sidecar.errors import ConfigError
from sidecar.messages import msg
from sidecar.transfer.aria2.daemon import Daemon, ForeignDaemon, OwnDaemon
from sidecar.transfer.aria2.downloads import Aria2Downloads
from sidecar.transfer.aria2.engine import Aria2Engine
from sidecar.transfer.aria2.rpc import Rpc
from sidecar.transfer.aria2.supervisor import Aria2Supervisor
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Engine
from sidecar.transfer.http.engine import HttpEngine
from sidecar.transfer.timeouts import Timeouts

PREFIX_BYTES = 4


def make_engine(
    settings: Settings, clock: Clock, bandwidth: Bandwidth | None = None
) -> tuple[Engine, Callable[[Event], None] | None]:
    """Create the engine, and the function for its thread if it needs one. Starts nothing.

    Raises:
        errors.ConfigError: The engine is aria2, which is not installed.
    """
    transfer, ca_file = settings.transfer, settings.jellyfin.ca_file
    timeouts = Timeouts(
        connect=transfer.connect_timeout.total_seconds(),
        read=transfer.read_timeout.total_seconds(),
    )
    if transfer.engine is EngineName.THREADS:
        return HttpEngine(clock, timeouts=timeouts, ca_file=ca_file, bandwidth=bandwidth), None
    link = Aria2Supervisor(_make_daemon(settings), Aria2Downloads(_make_prefix(settings)), clock)
    engine = Aria2Engine(link, clock, timeouts=timeouts, ca_file=ca_file, bandwidth=bandwidth)
    return engine, link.run


def find_aria2_program(settings: Settings) -> str | None:
    """Return the full path of aria2; None if the settings name an aria2 that already runs.

    Raises:
        errors.ConfigError: aria2 is not installed.
    """
    if settings.transfer.aria2.url is not None:
        return None
    program = settings.transfer.aria2.program
    found = shutil.which(program)
    if found is None:
        reason = msg(
            "{program} is not installed: install the package aria2, name the program in "
            'transfer.aria2.program, or set engine = "threads"',
            program=program,
        )
        raise ConfigError("settings", "transfer.engine", str(EngineName.ARIA2), reason)
    return found


def describe_engine(settings: Settings) -> str:
    """Check that the engine can be used, and describe it in a few words for people.

    Raises:
        errors.SidecarError: It cannot be used.
    """
    if settings.transfer.engine is EngineName.THREADS:
        return msg("Built in")
    program = find_aria2_program(settings)
    if program is not None:
        return msg("{program} is there and is started when needed", program=program)
    rpc = _connect_to_foreign(settings)
    rpc.call("getVersion")
    return msg("aria2 answers at {url}", url=rpc.url)


def _make_daemon(settings: Settings) -> Daemon:
    program = find_aria2_program(settings)
    if program is not None:
        return OwnDaemon(program)
    return ForeignDaemon(_connect_to_foreign(settings))


def _connect_to_foreign(settings: Settings) -> Rpc:
    aria2 = settings.transfer.aria2
    secret = aria2.secret.get_secret_value() if aria2.secret else ""
    return Rpc(aria2.url or "", secret)


def _make_prefix(settings: Settings) -> str:
    """Return the prefix of this sidecar's download ids in a shared aria2.

    It comes from the data folder, which only one sidecar at a time uses.
    """
    folder = str(settings.server.data_dir).encode("utf-8", "surrogateescape")
    return blake2s(folder, digest_size=PREFIX_BYTES).hexdigest()
