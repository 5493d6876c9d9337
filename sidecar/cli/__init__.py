"""The command line: run · demo · sign-in · status · plan · doctor · api-key · adopt · server.

Exit codes: 0 done, 1 failed (one sentence on stderr), 2 wrong usage or configuration.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sidecar import __version__, logs
from sidecar.assembly.store import settings_with_page
from sidecar.cli import adopt, api_key, demo, doctor, plan, run, server, sign_in, status
from sidecar.config import Settings, load
from sidecar.errors import ConfigError, SidecarError

DONE, FAILED, WRONG = 0, 1, 2

Command = Callable[[Settings, argparse.Namespace], int]

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; on wrong usage argparse exits with 2."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        settings = load(os.environ, file=asked.config)
        logs.start_logging(settings.log.level)
        command: Command = asked.command
        if command is not run.run:
            settings = settings_with_page(settings)
        return command(settings, asked)
    except ConfigError as error:
        return _say(error, WRONG)
    except SidecarError as error:
        return _say(error, FAILED)
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # The reader of our output has closed the pipe (`… | head`): end quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception:
        log.exception("%s failed in a way nobody foresaw", parser.prog)
        return FAILED


def _say(error: SidecarError, code: int) -> int:
    print(f"jellyfin-sidecar: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jellyfin-sidecar",
        description="What you play in Jellyfin, kept on the devices you carry.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (run, demo, sign_in, status, plan, doctor, api_key, adopt, server):
        module.add_to(commands, _common())
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="read this file in place of config.toml (see config.example.toml)",
    )
    return common
