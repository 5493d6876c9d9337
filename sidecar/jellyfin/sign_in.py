"""Signing in: a name and a password, or Quick Connect. One try each, never repeated by itself.

Jellyfin may be set to lock an account after a few wrong passwords, so nothing is tried twice here.
The server's identity is checked before a password is sent to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from sidecar.errors import NotAllowed, NotFound, NotLetIn, SignInRefused, UnexpectedAnswer
from sidecar.jellyfin import models
from sidecar.jellyfin.address import Address
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.http.connection import JellyfinConnection
from sidecar.jellyfin.http.responses import (
    Answer,
    Unconfirmed,
    check_answer,
    read,
    unexpected_answer,
)
from sidecar.jellyfin.models import PublicServer
from sidecar.messages import msg

WRONG = msg("Wrong user name or password")
NOT_NOW = msg(
    "Jellyfin knows this account but does not let it in now: it may be disabled, not allowed from "
    "this address, device or at this hour, or it may have too many sessions"
)
SWITCHED_OFF = msg("Quick Connect is switched off on this Jellyfin server: sign in with a password")
EXPIRED = msg("This Quick Connect code has expired: ask for another one")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An account that has just signed in.

    Attributes:
        may_download: Jellyfin lets it fetch original files.
    """

    user_id: str
    name: str
    is_admin: bool
    may_download: bool
    token: SecretStr
    server_id: str
    server_version: str


@dataclass(frozen=True, slots=True)
class QuickConnectRequest:
    """A Quick Connect request: `code` is for the person, `secret` for us. Lasts ten minutes."""

    code: str
    secret: SecretStr


class SignIn:
    """Signs accounts in to one server, as one identity.

    Every call raises `ServerAway` when the server cannot be asked now, `WrongServer` when it is
    not the one we know, and `UnexpectedAnswer` when it does not answer as Jellyfin does.
    """

    def __init__(
        self,
        base_url: str,
        identity: DeviceIdentity,
        *,
        server_id: str | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._server = Jellyfin(base_url, identity=identity, server_id=server_id, ca_file=ca_file)
        self._connection = JellyfinConnection(
            Address.of(base_url), identity=identity, ca_file=ca_file
        )

    def with_password(self, name: str, password: SecretStr) -> SignedIn:
        """Send the name and the password once.

        Raises:
            SignInRefused: They are wrong, or the account may not sign in now.
        """
        if not name:
            raise SignInRefused(WRONG)
        server = self._server.public_info()
        body = {"Username": name, "Pw": password.get_secret_value()}
        answer = self._connection.send("POST", "Users", "AuthenticateByName", body=body)
        _check_answer(answer, {401: WRONG, 403: NOT_NOW})
        return self._read_sign_in(answer, server)

    def start_quick_connect(self) -> QuickConnectRequest:
        """Request a code that the person types into a client that is signed in.

        Raises:
            SignInRefused: Quick Connect is switched off.
        """
        self._server.public_info()
        answer = self._connection.send("POST", "QuickConnect", "Initiate")
        request = self._read_quick_connect(answer)
        return QuickConnectRequest(request.code, request.secret)

    def is_approved(self, secret: SecretStr) -> bool:
        """Ask whether the person has approved the code; ask again every few seconds.

        Raises:
            SignInRefused: The code has expired, or Quick Connect was switched off.
        """
        query = {"secret": secret.get_secret_value()}
        return self._read_quick_connect(
            self._connection.get("QuickConnect", "Connect", query=query)
        ).authenticated

    def finish_quick_connect(self, secret: SecretStr) -> SignedIn:
        """Fetch the token of an approved code.

        Raises:
            SignInRefused: The code has expired, or was never approved.
        """
        server = self._server.public_info()
        body = {"Secret": secret.get_secret_value()}
        answer = self._connection.send("POST", "Users", "AuthenticateWithQuickConnect", body=body)
        _check_answer(answer, {401: SWITCHED_OFF, 403: NOT_NOW, 404: EXPIRED})
        return self._read_sign_in(answer, server)

    def _read_quick_connect(self, answer: Answer) -> models.QuickConnectAnswer:
        _check_answer(answer, {401: SWITCHED_OFF, 404: EXPIRED})
        return read(answer, models.QUICK_CONNECT)

    def _read_sign_in(self, answer: Answer, server: PublicServer) -> SignedIn:
        found = read(answer, models.SIGN_IN)
        if found.server_id != server.id:
            raise UnexpectedAnswer(
                msg("Two different servers answer at {server}", server=answer.server)
            )
        return SignedIn(
            user_id=found.user.id,
            name=found.user.name,
            is_admin=found.user.policy.is_administrator,
            may_download=found.user.policy.enable_content_downloading,
            token=found.access_token,
            server_id=found.server_id,
            server_version=server.version,
        )


def _check_answer(answer: Answer, refusals: Mapping[int, str]) -> None:
    """Raise `SignInRefused` for refusals of Jellyfin itself, the usual errors for all else."""
    try:
        check_answer(answer)
    except (NotAllowed, NotFound) as refusal:
        if isinstance(refusal, Unconfirmed) and not refusal.is_jellyfin:
            raise unexpected_answer(answer) from None
        sentence = refusals.get(answer.status)
        if sentence is None:
            raise
        if sentence == NOT_NOW:
            raise NotLetIn(sentence) from None
        raise SignInRefused(sentence) from None
