"""Signs the account of the settings in at start: once at each server, never again if refused."""

from __future__ import annotations

import logging

from pydantic import SecretStr

from sidecar.errors import JellyfinError, SignInRefused
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.jellyfin_status import JellyfinStatus
from sidecar.services.problems import Problem, ProblemKind, Problems

log = logging.getLogger(__name__)


class AutoSignIn:
    """One sign-in. A server that is away is waited for: no password has been judged then."""

    def __init__(
        self,
        name: str | None,
        password: SecretStr | None,
        *,
        accounts: AccountService,
        server: JellyfinStatus,
        problems: Problems,
    ) -> None:
        self._name = name
        self._password = password
        self._accounts = accounts
        self._server = server
        self._problems = problems
        self._is_done = name is None
        self._server_id: str | None = None

    def step(self) -> None:
        """Sign in if that is still to be done and the server can be asked."""
        if self._name is not None and self._is_elsewhere():
            self._is_done = False
        if self._is_done or not self._server.is_there:
            return
        name = self._name or ""
        known = self._accounts.by_name(name)
        if known is not None and known.is_signed_in:
            self._is_done = True
            return
        try:
            self._accounts.with_password(name, self._password or SecretStr(""))
        except SignInRefused as refused:
            log.warning("%s cannot be signed in: %s", name, refused)
            text = msg(
                "{name} of the settings cannot be signed in: {refused}", name=name, refused=refused
            )
            self._problems.note(ProblemKind.ACCOUNT, f"settings:{name}", Problem("refused", text))
        except JellyfinError as trouble:
            self._server.tell(trouble)
            if self._server.is_there:
                log.warning("%s cannot be signed in: %s", name, trouble)
            else:
                return
        self._is_done = True
        self._server_id = self._accounts.server_id

    def _is_elsewhere(self) -> bool:
        """Whether an admin has taken another server since: it has judged no password of ours."""
        before, self._server_id = self._server_id, self._accounts.server_id
        return before is not None and before != self._server_id
