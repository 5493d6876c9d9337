"""Gives a download to another of its owners when the account that fetches it may not or cannot.

    refused to the account ──▶ the next owner who may download it, as Jellyfin says
    the account waits      ──▶ (every 2 s) the next owner who does not
    none is left           ──▶ it fails, until one of them gets the right

Which accounts a download was refused to is kept in memory until it came, or all were refused.
"""

from __future__ import annotations

import logging
from threading import Lock

from sidecar.domain.downloads.download import FORBIDDEN, NOT_ALLOWED, Download
from sidecar.errors import JellyfinError, NotAllowed, NotFound, SignedOut
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)


class OtherOwners:
    """Finds who else may fetch a download. Thread-safe."""

    def __init__(
        self,
        stores: Stores,
        *,
        accounts: AccountService,
        server: JellyfinStatus,
        problems: Problems,
    ) -> None:
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._accounts = accounts
        self._server = server
        self._problems = problems
        self._lock = Lock()
        self._refused: dict[int, set[str]] = {}

    def hand_over_refused(self, download: Download) -> bool:
        """Give a download that is refused to its account to another owner; False if none is left.

        One whose account waits gets it only if no other may have it.
        """
        refused = self._refuse(download, download.user_id)
        waiting: str | None = None
        for user_id in self._others(download):
            if user_id in refused or not self._may_download(user_id):
                continue
            if not self._can_ask(user_id):
                waiting = waiting or user_id
            elif self._may_fetch(user_id, download.item_id):
                return self._hand_over(download, user_id)
            else:
                refused = self._refuse(download, user_id)
        if waiting is not None:
            return self._hand_over(download, waiting)
        self.forget(download.id)
        return False

    def step(self) -> None:
        """Give what waits for an account to another owner who can fetch it now."""
        waiting = self._problems.all_of(ProblemKind.ACCOUNT)
        if not waiting:
            return
        for download in self._downloads.queries.waiting_for(waiting):
            refused = self._refused_to(download)
            for user_id in self._others(download):
                is_free = self._may_download(user_id) and self._can_ask(user_id)
                if is_free and user_id not in refused:
                    self._hand_over(download, user_id)
                    break

    def allowed(self, user_id: str) -> None:
        """Queue again for an account that may download now what it owns and was refused."""
        with self._lock:
            for refused in self._refused.values():
                refused.discard(user_id)
        for download in self._downloads.queries.failed_for({FORBIDDEN, NOT_ALLOWED}):
            if user_id == download.user_id or user_id in self._others(download):
                if user_id != download.user_id:
                    self._hand_over(download, user_id)
                self._downloads.transitions.retry(download)

    def forget(self, download_id: int) -> None:
        """Forget to whom a download was refused: it came, or everybody may be asked again."""
        with self._lock:
            self._refused.pop(download_id, None)

    def _others(self, download: Download) -> list[str]:
        holders = self._holds.holders(download.device_id, download.item_id)
        return [one for one in holders if one != download.user_id]

    def _may_download(self, user_id: str) -> bool:
        account = self._accounts.get(user_id)
        return account is not None and account.may_download

    def _can_ask(self, user_id: str) -> bool:
        account = self._accounts.get(user_id)
        is_in = account is not None and account.is_signed_in
        return is_in and self._server.may_ask_for(user_id)

    def _may_fetch(self, user_id: str, item_id: str) -> bool:
        """Ask Jellyfin; an account that cannot be asked after all may not."""
        try:
            client = self._accounts.client(user_id)
        except SignedOut:
            return False
        try:
            return client.item(item_id).can_download is not False
        except (NotFound, NotAllowed):
            return False
        except SignedOut:
            self._accounts.signed_out(client)
            return False
        except JellyfinError as trouble:
            self._server.tell(trouble)
            return False

    def _hand_over(self, download: Download, user_id: str) -> bool:
        log.info("%s is fetched for another of its owners", download.title)
        return self._downloads.queue.hand_over(download, user_id)

    def _refuse(self, download: Download, user_id: str) -> set[str]:
        with self._lock:
            refused = self._refused.setdefault(download.id, set())
            refused.add(user_id)
            return set(refused)

    def _refused_to(self, download: Download) -> set[str]:
        with self._lock:
            return set(self._refused.get(download.id, ()))
