"""Jellyfin users who have signed in. Their tokens are stored encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import peewee

from sidecar.store.database import Database, Row
from sidecar.store.schema.tables import (
    ROWS,
    AccountRow,
    OwnCopyRow,
    OwnedRow,
    OwnTallyRow,
    OwnTileRow,
    SessionRow,
)

# Every column with an account's id. What triggers keep follows by itself; sessions are ended.
ACCOUNT_IDS: tuple[peewee.Field, ...] = tuple(
    getattr(row, name)
    for row in ROWS
    if row not in {OwnCopyRow, OwnedRow, OwnTallyRow, OwnTileRow, SessionRow}
    for name in ("user_id", "by_user")
    if hasattr(row, name)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One Jellyfin user.

    Attributes:
        may_download: Jellyfin's own permission, as of the last sign-in.
        jellyfin_device_id: The device id of this account's sessions; kept over sign-ins.
        token_encrypted: None while signed out.
    """

    user_id: str
    name: str
    server_id: str
    is_admin: bool
    may_download: bool
    jellyfin_device_id: str
    token_encrypted: bytes | None
    is_signed_in: bool
    signed_in_at: datetime

    def __repr__(self) -> str:
        """Leave the token out."""
        return f"Account({self.name!r}, {self.user_id!r}, is_signed_in={self.is_signed_in})"


class Accounts:
    """Stores accounts. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(self, account: Account) -> None:
        """Insert or update an account."""
        row = AccountRow.insert(**_to_columns(account))
        mutable = [name for name in _to_columns(account) if name != "user_id"]
        with self._db.write():
            # Not REPLACE: that would delete the row, and with it the sessions and keys.
            self._db.execute(
                row.on_conflict(
                    conflict_target=[AccountRow.user_id],
                    preserve=[getattr(AccountRow, name) for name in mutable],
                )
            )

    def get(self, user_id: str) -> Account | None:
        """Return one account; None if it never signed in or was forgotten."""
        return next((one for one in self.all() if one.user_id == user_id), None)

    def by_name(self, name: str) -> Account | None:
        """Return the account of this name, in any case; the last to sign in if there are more."""
        query = AccountRow.select().where(AccountRow.name_key == name.casefold())
        row = self._db.row(query.order_by(AccountRow.signed_in_at.desc()).limit(1))
        return None if row is None else _to_account(row)

    def all(self) -> list[Account]:
        """Return every account, signed in or not, by name."""
        return list(self._db.once(Accounts, self._read_all))

    def _read_all(self) -> list[Account]:
        query = AccountRow.select().order_by(AccountRow.name_key, AccountRow.user_id)
        return [_to_account(row) for row in self._db.rows(query)]

    def mark_signed_out(self, user_id: str, *, token: bytes | None = None) -> bool:
        """Delete an account's token, which Jellyfin refuses, and end its sessions.

        Returns:
            Whether it was this token, if one is given: another process may have signed it in.
        """
        which = AccountRow.user_id == user_id
        if token is not None:
            which &= AccountRow.token_encrypted == token
        with self._db.write():
            update = AccountRow.update(state=SIGNED_OUT, token_encrypted=None)
            if not self._db.execute(update.where(which)):
                return False
            self._db.execute(peewee.ModelDelete(SessionRow).where(SessionRow.user_id == user_id))
        return True

    def may(self, user_id: str, *, is_admin: bool, may_download: bool) -> bool:
        """Update an account's Jellyfin permissions; return whether they have changed."""
        changed = (AccountRow.is_admin != is_admin) | (AccountRow.may_download != may_download)
        with self._db.write():
            update = AccountRow.update(is_admin=is_admin, may_download=may_download)
            return self._db.execute(update.where(AccountRow.user_id == user_id, changed)) > 0

    def move(self, server_id: str, user_ids: Mapping[str, str]) -> None:
        """Move all accounts to another server, and sign all of them out.

        Tokens of the old server are not valid at the new one. Accounts unknown there keep what
        they had under the old id.

        Args:
            server_id: The server.
            user_ids: The new id of each account that the server knows, by the old one.
        """
        told = [(old, new) for old, new in user_ids.items() if old != new]
        with self._db.write():
            self._db.sql(self._db.dialect.defer_foreign_keys)
            self._db.execute(peewee.ModelDelete(SessionRow))
            for column in ACCOUNT_IDS if told else ():
                new_ids = column.model.update({column: peewee.Case(column, told, column)})
                self._db.execute(new_ids.where(column.in_([old for old, _ in told])))
            moved = AccountRow.update(server_id=server_id, state=SIGNED_OUT, token_encrypted=None)
            self._db.execute(moved)

    def forget(self, user_id: str) -> None:
        """Delete an account with its sessions, keys and favourites; its holds and files stay."""
        with self._db.write():
            self._db.execute(peewee.ModelDelete(AccountRow).where(AccountRow.user_id == user_id))


SIGNED_IN, SIGNED_OUT = "signed-in", "signed-out"


def _to_columns(account: Account) -> Row:
    return {
        "user_id": account.user_id,
        "name": account.name,
        "name_key": account.name.casefold(),
        "server_id": account.server_id,
        "is_admin": account.is_admin,
        "may_download": account.may_download,
        "jellyfin_device_id": account.jellyfin_device_id,
        "token_encrypted": account.token_encrypted,
        "state": SIGNED_IN if account.is_signed_in else SIGNED_OUT,
        "signed_in_at": account.signed_in_at,
    }


def _to_account(row: Row) -> Account:
    return Account(
        user_id=row["user_id"],
        name=row["name"],
        server_id=row["server_id"],
        is_admin=row["is_admin"],
        may_download=row["may_download"],
        jellyfin_device_id=row["jellyfin_device_id"],
        token_encrypted=row["token_encrypted"],
        is_signed_in=row["state"] == SIGNED_IN,
        signed_in_at=row["signed_in_at"],
    )
