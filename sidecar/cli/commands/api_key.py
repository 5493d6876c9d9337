"""`api-key`: creates, lists and revokes API keys for scripts; each acts as one account."""

from __future__ import annotations

import argparse
import sys

from sidecar.cli.opening import open_used_database
from sidecar.cli.parsing import common_arguments, whole_number
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.events import Bus
from sidecar.services.accounts.api_keys import LASTS_DAYS, LONGEST_DAYS, expiry
from sidecar.store.accounts.accounts import Account
from sidecar.store.stores import Stores

# The largest number that the database knows.
MOST_ID = 2**63 - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = "Keys for scripts: Authorization: Bearer KEY. Each acts as one account."
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser(
        "create", parents=[common_arguments()], help="make a key; it is shown once"
    )
    create.add_argument("--account", required=True, metavar="NAME")
    create.add_argument(
        "--label", type=_label, required=True, metavar="TEXT", help="what it is for"
    )
    create.add_argument(
        "--days",
        type=_days,
        default=LASTS_DAYS,
        metavar="N",
        help=f"how long it works, or `never` if it shall not expire (default: {LASTS_DAYS})",
    )
    create.set_defaults(command=make)
    listing = actions.add_parser(
        "list", parents=[common_arguments()], help="list the keys of an account"
    )
    listing.add_argument("--account", required=True, metavar="NAME")
    listing.set_defaults(command=show)
    end = actions.add_parser(
        "revoke", parents=[common_arguments()], help="refuse a key from now on"
    )
    end.add_argument("id", type=whole_number(1, MOST_ID), metavar="ID", help="from the list")
    end.set_defaults(command=revoke)


def make(settings: Settings, asked: argparse.Namespace) -> int:
    """Create a key and print it; nothing else goes to standard output."""
    clock = SystemClock()
    with open_used_database(settings, clock) as db:
        store = Stores(db, Bus(), clock)
        account = _account(store, asked.account)
        ends = expiry(clock.now(), asked.days)
        _, secret = store.api_keys.create(account.user_id, asked.label, expires_at=ends)
        print(secret)
        if ends is not None:
            print(f"It works until {ends:%Y-%m-%d}", file=sys.stderr)
    return 0


def show(settings: Settings, asked: argparse.Namespace) -> int:
    """List the keys of an account, without their secrets."""
    clock = SystemClock()
    with open_used_database(settings, clock) as db:
        store = Stores(db, Bus(), clock)
        for key in store.api_keys.of_account(_account(store, asked.account).user_id):
            used = f"last used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
            ends = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "does not expire"
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else f"{used}, {ends}"
            print(f"{key.id:4}  {key.label}  (made {key.created_at:%Y-%m-%d}, {state})")
    return 0


def revoke(settings: Settings, asked: argparse.Namespace) -> int:
    """Revoke a key."""
    clock = SystemClock()
    with open_used_database(settings, clock) as db:
        if not Stores(db, Bus(), clock).api_keys.revoke(asked.id):
            raise SidecarError(f"There is no working key {asked.id}")
        print(f"Key {asked.id} is refused from now on")
    return 0


def _label(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must say what the key is for")
    return text.strip()


def _days(text: str) -> int | None:
    if text == "never":
        return None
    days = int(text) if text.isdecimal() else 0
    if not 1 <= days <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {LONGEST_DAYS}, or `never`")
    return days


def _account(store: Stores, name: str) -> Account:
    account = store.accounts.by_name(name)
    if account is None:
        raise SidecarError(
            f"{name} has never signed in: sign in first, on the page or with sign-in"
        )
    return account
