"""The command line: its commands, each imported when it is asked for, and what they share.

Exit codes: 0 done, 1 failed (one sentence on stderr), 2 wrong usage or configuration, 3 an admin
has removed this machine from its installation: to start it again is of no use.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from sidecar import __version__
from sidecar.cli.parsing import common_arguments
from sidecar.config import Settings, load
from sidecar.errors import ConfigError, LockedOut, SidecarError
from sidecar.process import generated_code, heap, logs

DONE, FAILED, WRONG, REMOVED = 0, 1, 2, 3

COMMANDS = {
    "run": "start the sidecar",
    "demo": "serve the demo Jellyfin alone",
    "sign-in": "sign an account in",
    "status": "what is there, and what is in the way",
    "plan": "what would come and go on each device",
    "replay": "which rules and which size would have served past plays",
    "doctor": "check the whole set-up",
    "support": "write what helps to find a fault to one file, without secrets",
    "api-key": "make, list and revoke API keys",
    "backup": "write the whole state to one file",
    "restore": "put a backup in place of the present state",
    "database": "move everything to another database",
    "join-code": "make a code with which another machine joins",
    "agent": "join from this machine, and serve the devices that are plugged in here",
    "adopt": "know the files on a device again, after a lost database",
    "server": "which Jellyfin server is ours; take another one",
}

# These take the settings of the page by themselves, or none.
BY_THEMSELVES = frozenset({"run", "demo", "backup", "restore", "replay", "database", "agent"})

# These run until they are stopped, and tell what they do in the log.
SERVERS = frozenset({"run", "demo", "agent"})

Command = Callable[[Settings, argparse.Namespace], int]

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; on wrong usage argparse exits with 2."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = command_parser(given)
    asked = parser.parse_args(given)
    try:
        settings = load(os.environ, file=asked.config)
        logs.start_logging(_log_level(settings, asked), settings.log.format)
        command: Command = asked.command
        return command(settings if asked.is_base else _with_page(settings), asked)
    except ConfigError as error:
        return _say(error, WRONG)
    except SidecarError as error:
        return _say(error, REMOVED if isinstance(error, LockedOut) else FAILED)
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # The reader of our output has closed the pipe (`… | head`): end quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception:
        log.exception("%s failed in a way nobody foresaw", parser.prog)
        return FAILED


def _log_level(settings: Settings, asked: argparse.Namespace) -> str:
    """Return from which level on the log is written: a short command prints what it does itself."""
    level = settings.log.level
    return "WARNING" if level == "INFO" and not asked.is_server else level


def _with_page(settings: Settings) -> Settings:
    """Return the settings with what admins have set on the page, also of the demo."""
    in_use: Callable[[Settings], Settings] = import_module("sidecar.cli.demo_place").settings_in_use
    return in_use(settings)


def _say(error: SidecarError, code: int) -> int:
    print(f"jellyfin-sidecar: {error}", file=sys.stderr)
    return code


def command_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Only the module of the command that is named is imported: a short command is not to load the
    whole server. The others are there with their name and help.
    """
    parser = argparse.ArgumentParser(
        prog="jellyfin-sidecar",
        description="What you play in Jellyfin, kept on the devices you carry.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((one for one in arguments if one in COMMANDS), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, parents=[common_arguments()], help=text)
        command.set_defaults(is_base=name in BY_THEMSELVES, is_server=name in SERVERS)
        if name == asked:
            with heap.loading():
                module = import_module(f"sidecar.cli.commands.{name.replace('-', '_')}")
            module.add_arguments(command)
    generated_code.forget()
    return parser
