"""`server`: shows the known Jellyfin server, and accepts another one at the same address."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from sidecar.cli.commands.sign_in import name_and_password
from sidecar.cli.parsing import common_arguments
from sidecar.cli.services import open_services
from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.identity.server_change import ServerChange, ServerPreview

MOST_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Show which Jellyfin server is ours, and whether it answers at the address. If "
        "another one does (installed anew, restored), everything stops until it is taken."
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser(
        "show", parents=[common_arguments()], help="who is ours, and who answers"
    )
    show.add_argument("--json", action="store_true", help="for scripts")
    show.set_defaults(command=_show)
    accept = actions.add_parser(
        "accept",
        parents=[common_arguments()],
        help="take the server that answers at the address for ours",
        description="Sign in at the server that answers at the address, as an admin there, show "
        "what of our files is known there, and take it if you say yes. Files, holds and all "
        "that people said follow; nothing is fetched or removed by it. Everybody signs in again.",
    )
    accept.add_argument("--account", metavar="NAME", help="an admin of the new server")
    accept.add_argument("--dry-run", action="store_true", help="only show what would follow")
    accept.add_argument("--yes", action="store_true", help="do not ask")
    accept.add_argument("--json", action="store_true", help="for scripts; asks nothing")
    accept.set_defaults(command=_accept)


def _show(settings: Settings, asked: argparse.Namespace) -> int:
    with _services(settings) as (accounts, change):
        other = change.other()
        if asked.json:
            found = {"ours": accounts.server_id, "other": asdict(other) if other else None}
            print(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            print(f"Ours is {accounts.server_id or 'none yet: nobody has signed in'}")
            if other is None:
                print(f"{accounts.anonymous().public_info().server_name or 'Jellyfin'} answers")
        if other is not None:
            raise SidecarError(
                f"{other.name} {other.version} ({other.id}) answers and is another one: "
                "nothing is fetched or removed. `jellyfin-sidecar server accept` takes it"
            )
    return 0


def _accept(settings: Settings, asked: argparse.Namespace) -> int:
    with _services(settings) as (_, change):
        if change.other() is None:
            raise SidecarError("The server that answers is ours already, or none answers")
        name, password = name_and_password(settings, asked.account)
        preview = change.look(name, password)
        if asked.json:
            told = asdict(preview)
            del told["ticket"]
            print(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            _print(preview)
        if asked.dry_run:
            return 0
        if not asked.yes and not asked.json and not _is_sure(preview):
            print("Nothing was changed")
            return 1
        taken = change.accept(preview.ticket)
        print(f"{taken.name} is ours from now on", file=sys.stderr if asked.json else sys.stdout)
    return 0


@contextmanager
def _services(settings: Settings) -> Iterator[tuple[AccountService, ServerChange]]:
    with open_services(settings) as services:
        yield services.accounts.service, services.rules.server_change


def _print(preview: ServerPreview) -> None:
    server = preview.server
    print(f"{server.name} {server.version} ({server.id}) answers and is another server than ours.")
    print(f"Of {preview.files} items that we have or want,")
    print(f"  {preview.same:>7} are there, and unchanged,")
    print(f"  {preview.followed:>7} are there as new entries and follow,")
    print(f"  {preview.asked:>7} may be one of several: people are asked,")
    print(f"  {preview.lost:>7} are not there: their files stay, and say so.")
    for title in preview.examples[:MOST_SHOWN]:
        print(f"          - {title}")
    print(f"Accounts of the same name there: {', '.join(preview.accounts) or 'none'}")
    if preview.strangers:
        print(f"Accounts that are not there: {', '.join(preview.strangers)}; what is theirs stays")


def _is_sure(preview: ServerPreview) -> bool:
    if not sys.stdin.isatty():
        raise SidecarError("Nobody to ask: say yes with --yes")
    return input(f"Take {preview.server.name} for ours? [y/N] ").strip().lower() in {"y", "yes"}
