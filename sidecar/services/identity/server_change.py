"""Lets an admin accept another server that answers at the known address, after a preview.

    another server answers ─▶ everything stops ─▶ an admin signs in there ─▶ preview of matches
                                                                              └ yes ─▶ it is ours

Callers must admit only admins of the old server and the command line: until then the rights that
the new server reports prove nothing.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.errors import JellyfinError, NotPossible, SignInRefused
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService, SignInElsewhere
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.identity.look import LibraryLook
from sidecar.services.identity.matching import ItemMatching

log = logging.getLogger(__name__)

LASTS_S = 900.0
EXAMPLES = 20
NOT_ASKED = msg("There is no other server to take: look again")


@dataclass(frozen=True, slots=True)
class OtherServer:
    """A server that is not ours and answers at the address of ours."""

    id: str
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPreview:
    """What would happen if another server were accepted.

    Attributes:
        ticket: Confirms exactly this preview.
        files: How many items we have files of, or want.
        same: How many of them have the same id there.
        followed: How many have another id there.
        asked: How many may be one of several items: a person will be asked.
        lost: How many do not exist there; their files stay.
        examples: Titles of a few of these.
        accounts: Names of accounts that exist there as well.
        strangers: Names of accounts that do not; what is theirs stays as it is.
    """

    ticket: str
    server: OtherServer
    files: int
    same: int
    followed: int
    asked: int
    lost: int
    examples: Sequence[str]
    accounts: Sequence[str]
    strangers: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Looked:
    ticket: str
    until: float
    server: OtherServer
    signed_in: SignInElsewhere
    user_ids: Mapping[str, str]


class ServerChange:
    """Previews and accepts another server. Safe for many threads."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        server: JellyfinStatus,
        matching: ItemMatching,
        looking: LibraryLook,
        clock: Clock,
        accepted: Callable[[], object] = lambda: None,
    ) -> None:
        """Prepare; `accepted` tells other processes that another server is ours."""
        self._accounts = accounts
        self._accepted = accepted
        self._server = server
        self._matching = matching
        self._looking = looking
        self._clock = clock
        self._lock = Lock()
        self._looked: _Looked | None = None

    def other(self) -> OtherServer | None:
        """Return the server at the address if it is not ours; None if it is, or none answers."""
        known = self._accounts.server_id
        if known is None:
            return None
        try:
            found = self._accounts.anonymous(known=False).public_info()
        except JellyfinError:
            return None
        if found.id == known:
            return None
        self._server.tell(self._accounts.wrong_server())
        return OtherServer(found.id, found.server_name or "Jellyfin", found.version)

    def look(self, name: str, password: SecretStr) -> ServerPreview:
        """Sign in at the other server as an admin and return a preview; change nothing.

        Raises:
            NotPossible: There is no other server.
            SignInRefused: The password is wrong, or the account is no admin there.
            errors.JellyfinError: It cannot be asked.
        """
        other = self._checked()
        signed_in = self._accounts.sign_in_elsewhere(name, password)
        if not signed_in.account.is_admin:
            signed_in.client.logout()
            raise SignInRefused(
                msg("{name} is no admin there: only an admin sees the whole library", name=name)
            )
        if signed_in.account.server_id != other.id:
            raise NotPossible(NOT_ASKED)
        index = ServerFileIndex(signed_in.client)
        preview = self._matching.preview(index.all_full().items)
        by_name = {one.name.casefold(): one.id for one in signed_in.client.users()}
        user_ids = {
            one.user_id: by_name[one.name.casefold()]
            for one in self._accounts.all()
            if one.name.casefold() in by_name
        }
        ticket = secrets.token_urlsafe(16)
        looked = _Looked(ticket, self._clock.monotonic() + LASTS_S, other, signed_in, user_ids)
        with self._lock:
            self._looked = looked
        every = self._accounts.all()
        return ServerPreview(
            ticket=ticket,
            server=other,
            files=preview.files,
            same=preview.same,
            followed=preview.followed,
            asked=preview.asked,
            lost=len(preview.lost),
            examples=preview.lost[:EXAMPLES],
            accounts=[one.name for one in every if one.user_id in user_ids],
            strangers=[one.name for one in every if one.user_id not in user_ids],
        )

    def accept(self, ticket: str) -> OtherServer:
        """Accept the server of a preview as ours.

        All matches are updated before work goes on, so that nothing is fetched twice.

        Raises:
            NotPossible: The preview is unknown or expired, or yet another server answers.
            errors.JellyfinError: It cannot be asked; nothing was changed.
        """
        with self._lock:
            looked = self._looked
        is_over = looked is None or self._clock.monotonic() > looked.until
        if looked is None or is_over or not secrets.compare_digest(looked.ticket, ticket):
            raise NotPossible(NOT_ASKED)
        if self._checked().id != looked.server.id:
            raise NotPossible(NOT_ASKED)
        self._looking.look_at_all(ServerFileIndex(looked.signed_in.client))
        self._accounts.move_to(looked.signed_in, looked.user_ids)
        with self._lock:
            self._looked = None
        self._server.is_ours()
        self._accepted()
        log.warning(
            "%s (%s) is our Jellyfin server from now on", looked.server.name, looked.server.id
        )
        return looked.server

    def _checked(self) -> OtherServer:
        other = self.other()
        if other is None:
            raise NotPossible(NOT_ASKED)
        return other
