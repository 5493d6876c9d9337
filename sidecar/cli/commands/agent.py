"""`agent`: serves the devices that are plugged in here for an installation that runs elsewhere.

--join URL CODE ─▶ addresses and token.key, kept in the data folder ─▶ run --role work
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from pydantic import SecretStr

from sidecar.assembly.base import name_machine
from sidecar.assembly.store import KEY_FILE
from sidecar.cli.commands import run
from sidecar.config import Settings, load
from sidecar.config.loading import PREFIX
from sidecar.domain.processes.machines import write_plainly
from sidecar.domain.processes.roles import read_roles
from sidecar.errors import SidecarError
from sidecar.outgoing.joining import Joined, join
from sidecar.process import private_files

log = logging.getLogger(__name__)

FOLDER = "joined"
# What is kept there, by the setting that it is for.
KEPT = {
    "DATABASE__URL": "database-url",
    "REDIS__URL": "redis-url",
    "JELLYFIN__URL": "jellyfin-url",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Serve the devices that are plugged in here for a sidecar that runs elsewhere. Join once "
        "with a code from its page; from then on `agent` alone is enough."
    )
    parser.add_argument(
        "--join",
        nargs=2,
        metavar=("URL", "CODE"),
        help="the address of the sidecar's page, and a code from it",
    )
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="the authority of its certificate, if your own"
    )
    parser.add_argument(
        "--without-tls",
        action="store_true",
        help="join over http:// : everybody on the way can read the passwords of the database",
    )
    parser.add_argument(
        "--only-join", action="store_true", help="join and end, for a service that starts later"
    )
    parser.set_defaults(command=serve, no_robot=True, standby=False, role=read_roles("work"))


def serve(settings: Settings, asked: argparse.Namespace) -> int:
    """Join if asked to, then run the part that serves devices until a signal comes."""
    folder = settings.server.data_dir / FOLDER
    if asked.join is not None:
        url, code = asked.join
        private_files.make_folder(settings.server.data_dir)
        name = write_plainly(name_machine(settings))
        found = join(url, code, name, ca_file=asked.ca_file, without_tls=asked.without_tls)
        keep(found, settings.server.data_dir)
        log.info("joined the sidecar at %s", url)
    if not (folder / KEPT["DATABASE__URL"]).exists():
        raise SidecarError(
            "This machine has not joined yet: make a code on the sidecar's page (Admin, Machines) "
            "and run `jellyfin-sidecar agent --join https://THE-PAGE CODE`"
        )
    if asked.only_join:
        return 0
    for setting, name in KEPT.items():
        if (folder / name).exists():
            # Whoever sets it in the environment means it.
            os.environ.setdefault(f"{PREFIX}{setting}_FILE", str(folder / name))
    return run.run(load(os.environ, file=asked.config), asked)


def keep(found: Joined, data_dir: Path) -> None:
    """Keep what this machine was given, readable for its user alone.

    Raises:
        SidecarError: The data folder has the key of another installation.
    """
    folder, key = data_dir / FOLDER, data_dir / KEY_FILE
    token_key = found.token_key.get_secret_value()
    if key.exists() and key.read_text().strip() != token_key:
        raise SidecarError(
            f"{key} is of another installation: its sign-ins would be lost. Name an empty data "
            "folder (SIDECAR_SERVER__DATA_DIR)"
        )
    private_files.make_folder(folder)
    jellyfin = SecretStr(found.jellyfin_url) if found.jellyfin_url else None
    given = {
        "REDIS__URL": found.redis_url,
        "JELLYFIN__URL": jellyfin,
        # The last, as it says that the machine has joined.
        "DATABASE__URL": found.database_url,
    }
    _replace(key, token_key)
    for setting, value in given.items():
        if value is None:
            (folder / KEPT[setting]).unlink(missing_ok=True)
        else:
            _replace(folder / KEPT[setting], value.get_secret_value())


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    private_files.write(draft, text.encode())
    draft.replace(path)
