"""`support`: writes what helps others to find a fault to one file, without secrets."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sidecar.cli.commands.doctor import describe_results
from sidecar.cli.commands.status import read_status
from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.process import private_files
from sidecar.services.operations.support import pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Write versions, settings, status and what doctor finds to one file, for whoever helps "
        "you. There are no passwords, tokens and keys in it, but names of people and devices. The "
        "log is in the file that the admins' page makes."
    )
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        default=Path("jellyfin-sidecar-support.zip"),
        metavar="FILE",
        help="where to write it (default: %(default)s in this folder)",
    )
    parser.set_defaults(command=support)


def support(settings: Settings, asked: argparse.Namespace) -> int:
    """Write the file and say where it is."""
    status = json.dumps(read_status(settings), indent=2, ensure_ascii=False)
    found = pack(settings, {"status.json": status, "doctor.txt": describe_results(settings)})
    try:
        private_files.write(asked.file, found)
    except OSError as error:
        raise SidecarError(f"{asked.file} cannot be written: {error.strerror}") from error
    print(f"{asked.file.absolute()} was written. Look through it before you give it to others")
    return 0
