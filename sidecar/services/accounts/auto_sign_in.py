"""Signs in the account that the settings name, at start and whenever it is signed out.

refused for now, or an error ──▶ again after 1, 2, 4 … 15 minutes
wrong password ────────────────▶ never again at this server: Jellyfin may lock the account
signed out by a person ────────▶ only after that person or an admin signs it in
an admin says so ──────────────▶ at once, whatever was before
"""

from __future__ import annotations

import logging
from threading import Lock

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.errors import JellyfinError, NotLetIn, ServerAway, SignInRefused
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.store.accounts.accounts import Account

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 15 * 60.0


class AutoSignIn:
    """Signs one account in. While the server is away, nothing is tried."""

    def __init__(
        self,
        name: str | None,
        password: SecretStr | None,
        *,
        accounts: AccountService,
        server: JellyfinStatus,
        problems: Problems,
        clock: Clock,
    ) -> None:
        self._name = name
        self._password = password
        self._accounts = accounts
        self._server = server
        self._problems = problems
        self._clock = clock
        self._is_refused = False
        self._pause_s = FIRST_PAUSE_S
        self._next_at = float("-inf")
        self._server_id: str | None = None
        self._lock = Lock()

    def is_for(self, account: Account) -> bool:
        """Whether it is this account whose password the settings name."""
        return self._name is not None and self._name.casefold() == account.name.casefold()

    def try_now(self) -> None:
        """Try at once, as an admin says so: even what was refused or signed out by a person.

        Raises:
            errors.ServerAway: The server is away.
        """
        if not self._server.is_there:
            raise ServerAway(msg("Jellyfin does not answer: it is tried when it does"))
        with self._lock:
            if self._name is not None:
                self._try(self._name)

    def step(self) -> None:
        """Sign in if the account is signed out, the server is available and a try is due."""
        with self._lock:
            self._step()

    def _step(self) -> None:
        if self._name is None:
            return
        if self._is_elsewhere():
            self._is_refused = False
            self._next_at = float("-inf")
        if not self._server.is_there:
            return
        known = self._accounts.by_name(self._name)
        if known is not None and known.is_signed_in:
            self._let_in(self._name)
            return
        is_let_go = known is not None and self._accounts.is_let_go(known.user_id)
        if self._is_refused or is_let_go or self._clock.monotonic() < self._next_at:
            return
        self._try(self._name)

    def _try(self, name: str) -> None:
        try:
            self._accounts.with_password(name, self._password or SecretStr(""))
        except NotLetIn as refused:
            self._put_off()
            self._note(name, refused)
        except SignInRefused as refused:
            self._is_refused = True
            self._note(name, refused)
        except JellyfinError as trouble:
            self._server.tell(trouble)
            if self._server.is_there:
                self._put_off()
                log.warning("%s cannot be signed in: %s", name, trouble)
            return
        else:
            self._let_in(name)
        self._server_id = self._accounts.server_id

    def _let_in(self, name: str) -> None:
        self._is_refused = False
        self._pause_s, self._next_at = FIRST_PAUSE_S, float("-inf")
        self._problems.clear(ProblemKind.ACCOUNT, f"settings:{name}")

    def _put_off(self) -> None:
        self._next_at = self._clock.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def _note(self, name: str, refused: SignInRefused) -> None:
        text = msg(
            "{name} of the settings cannot be signed in: {refused}", name=name, refused=refused
        )
        trouble = Problem("refused", text)
        if self._problems.note(ProblemKind.ACCOUNT, f"settings:{name}", trouble):
            log.warning("%s cannot be signed in: %s", name, refused)

    def _is_elsewhere(self) -> bool:
        """Whether an admin has accepted another server since, which may take the password."""
        before, self._server_id = self._server_id, self._accounts.server_id
        return before is not None and before != self._server_id
