"""Lets another machine join the installation, with a code of an admin.

    admin ─▶ code, once, for 15 minutes ─▶ agent there ─▶ addresses of database and Redis, token.key

It gets passwords of its own where the installation's user may make others (`machine_keys`); the
token.key is the same for all.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from threading import Lock
from typing import NoReturn
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.config.local_url import is_loopback
from sidecar.errors import SidecarError, TooManyTries
from sidecar.jellyfin.tokens import TokenBox
from sidecar.messages import msg
from sidecar.services.operations.machine_keys import Addresses
from sidecar.store.meta import Meta

log = logging.getLogger(__name__)

JOIN_CODE = "join_code"
LASTS = timedelta(minutes=15)
# Without those that are taken for each other: 50 bits, which nobody guesses at ten tries a minute.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LETTERS_IN_A_GROUP, GROUPS = 5, 2
MOST_TRIES, WITHIN_S = 10, 60.0


class JoinRefused(SidecarError):
    """A machine may not join, or cannot; says why and what to do."""


@dataclass(frozen=True, slots=True)
class JoinCode:
    """A code for one machine."""

    code: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Joining:
    """What a machine needs to take part."""

    database_url: SecretStr
    redis_url: SecretStr | None
    token_key: SecretStr
    jellyfin_url: str | None


class MachineService:
    """Makes codes, and takes each once. Safe for many threads and processes."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        meta: Meta,
        box: TokenBox,
        clock: Clock,
        *,
        give: Callable[[str], Addresses],
        may_give: Callable[[], bool],
        runs: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        """Prepare.

        Args:
            settings: Returns the present settings.
            meta: Keeps the code.
            box: Has the key that a machine gets.
            clock: Ends codes.
            give: Makes the addresses for a machine of this name.
            may_give: Whether this process may hand out what it knows.
            runs: Whether the sidecar runs on a machine whose name is written like this.
        """
        self._settings = settings
        self._meta = meta
        self._box = box
        self._clock = clock
        self._give = give
        self._may_give = may_give
        self._runs = runs
        self._lock = Lock()
        self._wrong: deque[float] = deque(maxlen=MOST_TRIES)

    @property
    def is_possible(self) -> bool:
        """Whether the database can be shared with other machines."""
        return self._settings().database.url is not None

    def make_code(self) -> JoinCode:
        """Make a code; one that was made before and not used is void.

        Raises:
            JoinRefused: The database is a file.
        """
        if not self.is_possible:
            raise JoinRefused(
                msg(
                    "The database is a file of this machine, which no other one can share: move it "
                    "to a PostgreSQL server first (jellyfin-sidecar database move)"
                )
            )
        if not self._may_give():
            raise JoinRefused(
                msg(
                    "This machine has joined itself: make the code on a page of the machine that "
                    "it joined"
                )
            )
        groups = (
            "".join(secrets.choice(LETTERS) for _ in range(LETTERS_IN_A_GROUP))
            for _ in range(GROUPS)
        )
        made = JoinCode("-".join(groups), self._clock.now() + LASTS)
        kept = {"code": self._hash(made.code), "ends_at": made.ends_at.isoformat()}
        self._meta.set(JOIN_CODE, json.dumps(kept))
        log.info("a code was made with which a machine can join")
        return made

    def redeem(self, code: str, machine: str, *, is_local: bool) -> Joining:
        """Return what a machine needs; the code is void then.

        Args:
            code: As it was made, in any case and with or without its dash.
            machine: What it calls itself.
            is_local: Whether it is this machine.

        Raises:
            JoinRefused: The code is wrong, used or over, other machines cannot reach the
                database under its address, or another one of that name runs.
            TooManyTries: Too many were wrong.
        """
        self._check_tries()
        kept = self._meta.get(JOIN_CODE)
        if kept is None or not self._fits(code, kept):
            self._refuse()
        settings = self._settings()
        url = settings.database.url
        if url is None:
            self._refuse()
        for one in filter(None, (url, settings.redis.url)):
            if not is_local and _is_of_this_machine(one):
                raise JoinRefused(
                    msg(
                        "The settings there name the database or Redis by an address that only "
                        "that machine reaches: write the name that others know it by, start the "
                        "sidecar again, and join with the same code"
                    )
                )
        if self._runs(machine):
            # It would get the password of that one, which were locked out.
            raise JoinRefused(
                msg(
                    "A machine that is called {machine}, or is written like that, runs already: "
                    "give this one another name (server.machine), or stop the sidecar there; then "
                    "join with the same code",
                    machine=machine,
                )
            )
        if not self._may_give() or not self._meta.take(JOIN_CODE, kept):
            self._refuse()
        try:
            given = self._give(machine)
        except SidecarError as trouble:
            text = msg("{trouble}; join again with a new code", trouble=trouble)
            raise JoinRefused(text) from trouble
        log.warning("a machine has joined that calls itself %s", machine)
        return Joining(given.database, given.redis, self._box.share(), settings.jellyfin.url)

    # -- inside

    def _fits(self, code: str, kept: str) -> bool:
        known = json.loads(kept)
        is_right = compare_digest(self._hash(code), str(known["code"]))
        return is_right and self._clock.now() < datetime.fromisoformat(known["ends_at"])

    def _hash(self, code: str) -> str:
        return self._box.sign("join code", "".join(filter(str.isalnum, code.upper())))

    def _check_tries(self) -> None:
        with self._lock:
            now = self._clock.monotonic()
            wait_s = self._wrong[0] + WITHIN_S - now if len(self._wrong) == MOST_TRIES else 0.0
        if wait_s > 0:
            raise TooManyTries(msg("Too many wrong codes: try again in a minute"), wait_s=wait_s)

    def _refuse(self) -> NoReturn:
        with self._lock:
            self._wrong.append(self._clock.monotonic())
        raise JoinRefused(
            msg("This code is wrong, was used, or is over: have an admin make a new one")
        )


def _is_of_this_machine(url: SecretStr) -> bool:
    parts = urlsplit(url.get_secret_value())
    host = parts.hostname or (parse_qs(parts.query).get("host") or [""])[0]
    return not host or host.startswith("/") or is_loopback(host)
