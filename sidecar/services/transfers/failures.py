"""Carries out what follows from a failed attempt at a download; the only place that does.

`domain.transfers.retry` decides about the download itself. A failure of the server, the account,
the device or the server's disk becomes one problem for all downloads and uses up no retry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from sidecar.clock import Clock
from sidecar.device.errors import named_error
from sidecar.domain.downloads.download import (
    EMPTY,
    FORBIDDEN,
    GONE,
    NOT_ALLOWED,
    NOT_OFFERED,
    REFUSED_TO_ACCOUNT,
    TOO_BIG,
    Download,
    Move,
    Status,
)
from sidecar.domain.files.naming import build_distinct_path, make_path_key
from sidecar.domain.space.space import SpaceRefusal
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.domain.transfers.response import refused_before_failure
from sidecar.domain.transfers.retry import GiveUp, Postpone, Wait, decide_next
from sidecar.errors import (
    DeviceError,
    JellyfinError,
    NotAllowed,
    NotCertain,
    NotFound,
    OutsideHours,
    ServerAway,
    SignedOut,
    TooSlow,
    WrongServer,
)
from sidecar.events import DownloadsAllowed, Event
from sidecar.jellyfin.client import Jellyfin
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.jellyfin_status import OTHER_SERVER, JellyfinStatus
from sidecar.services.transfers.policy.blocking import FileBlocking
from sidecar.services.transfers.policy.owners import OtherOwners
from sidecar.store.downloads.queue import Downloads, FilePlace

log = logging.getLogger(__name__)

FILE_AWAY = "file-away"
# Of these one is tried at a time, so many of them wait for long.
TRIED_IN_TURN = (FILE_AWAY, EMPTY)
PROBE_FILE_AWAY_EVERY = timedelta(minutes=5)
# A 401, 403, 404 or 400 may be Jellyfin's word, or that of something before it.
DOUBTFUL = frozenset({FailureClass.SIGNED_OUT, FailureClass.FILE_AWAY})
DOUBTFUL_CODES = frozenset({FORBIDDEN, NOT_OFFERED})
# What such a failure says is of the item that was asked for.
OF_THE_ITEM = frozenset({FailureClass.GONE, FailureClass.REFUSED, FailureClass.FILE_AWAY})
HIDDEN = msg(
    "The server has it, but does not show it to the account that downloads it any more. It is "
    "downloaded when the account may see it again"
)


class FailurePolicy:
    """Carries out what follows from a failure. Thread-safe.

    `make_room` holds back a download that only lacks space; it returns False if it cannot help.
    `look_for` searches for an item that the server does not know any more; it returns whether the
    download has a new item id now. `is_hidden` tells whether the server has an item that it does
    not show to an account.
    """

    def __init__(
        self,
        *,
        downloads: Downloads,
        accounts: AccountService,
        registry: DeviceRegistry,
        server: JellyfinStatus,
        clock: Clock,
        chance: Callable[[], float],
        blocking: FileBlocking,
        owners: OtherOwners,
        make_room: Callable[[Download], bool] = lambda _download: False,
        look_for: Callable[[Download, Jellyfin], bool] = lambda _download, _client: False,
        is_hidden: Callable[[Jellyfin, str], bool] = lambda _client, _item_id: False,
    ) -> None:
        self._downloads = downloads
        self._accounts = accounts
        self._registry = registry
        self._server = server
        self._clock = clock
        self._chance = chance
        self._blocking = blocking
        self._owners = owners
        self._make_room = make_room
        self._look_for = look_for
        self._is_hidden = is_hidden
        self._lock = Lock()
        self._next_probe: datetime | None = None

    def stopped(self, download: Download) -> None:
        """Handle a stopped attempt: the download becomes pending if it still is downloading."""
        self._put_back(download)

    def unforeseen(self, download: Download) -> None:
        """Handle an unexpected exception: the download is neither lost nor blocks the queue."""
        current = self._still_running(download)
        if current is not None and current.finalizing:
            return  # Perhaps renamed, as below.
        text = msg("Something went wrong inside the sidecar; its log says more")
        self._judge(download, Failure(FailureClass.TRANSIENT, "internal", text), 0)

    def failed(self, download: Download, failed: TransferFailed, client: Jellyfin | None) -> None:
        """Handle a failure that the engine reported; `client` is asked in doubtful cases."""
        failure: Failure | None = failed.failure
        is_doubtful = failed.failure.kind in DOUBTFUL or failed.failure.code in DOUBTFUL_CODES
        if client is not None and is_doubtful:
            failure = self._asked_again(download, failed.failure, client)
        if failure is not None and failure.code in REFUSED_TO_ACCOUNT:
            current = self._downloads.queries.get(download.id)
            is_same = current is not None and current.item_id == download.item_id
            if current is not None and is_same and self._owners.hand_over_refused(current):
                failure = None
        if failure is not None and failure.kind is FailureClass.GONE and client is not None:
            failure = self._elsewhere(download, failure, client)
        if failure is None:
            self._put_back(download)
        elif failure.code == TOO_BIG:
            self._beyond_its_limit(download, failure)
        else:
            self._judge(download, failure, failed.gained)

    def jellyfin(self, download: Download, trouble: JellyfinError, client: Jellyfin | None) -> None:
        """Handle an error of Jellyfin: it could not be asked, or refused."""
        self.failed(download, TransferFailed(_failure(trouble)), client)

    def device(self, download: Download, trouble: DeviceError) -> None:
        """Handle an error of the device: the whole device waits, with one problem for all.

        What may have its final name stays as it is: `recovery` finds out. Fetched again it would
        come beside itself, and nobody would know the first file.
        """
        if trouble.code == "name-taken":
            self._name_taken(download, str(trouble))
            return
        if trouble.code == TOO_BIG:
            self._beyond_its_limit(download, Failure(FailureClass.REFUSED, TOO_BIG, str(trouble)))
            return
        self._registry.trouble(download.device_id, trouble, needed=_needed(download, trouble.code))
        if not isinstance(trouble, NotCertain):
            self._put_back(download)

    def _name_taken(self, download: Download, text: str) -> None:
        """Give our file another name, because a file that is not ours has its name."""
        current = self._still_running(download)
        if current is None:
            return
        path = build_distinct_path(current.file_path, current.item_id)
        if path != current.file_path and self._downloads.queue.rename(
            current, FilePlace(path, make_path_key(path))
        ):
            log.info("%s goes beside a file that is not ours: %s", current.title, path)
            self._put_back(current)
            return
        self._judge(download, Failure(FailureClass.REFUSED, "name-taken", text), 0)

    def no_room(self, download: Download, refusal: SpaceRefusal) -> None:
        """Handle a lack of space: for this file at all, or for any file now."""
        if refusal.is_final:
            failure = Failure(FailureClass.REFUSED, refusal.code, refusal.message)
            self._judge(download, failure, 0)
        elif self._make_room(download):
            self._put_back(download)
        else:
            self.device(download, DeviceError(refusal.code, refusal.message))

    def hear(self, event: Event) -> None:
        """Queue again what was refused for a right that is given back; a listener for the bus."""
        if isinstance(event, DownloadsAllowed):
            self._owners.allowed(event.user_id)

    def arrived(self, download: Download) -> None:
        """Note an arrived file: if the server's disk was away, it is back for all downloads."""
        self._owners.forget(download.id)
        if download.error_code == FILE_AWAY:
            with self._lock:
                self._next_probe = None
            self._downloads.queue.bring_forward(FILE_AWAY)

    def _judge(self, download: Download, failure: Failure, gained: int) -> None:
        current = self._still_running(download)
        if current is None:
            return
        if failure.kind in OF_THE_ITEM and current.item_id != download.item_id:
            # It was asked for by an id that it has no more: that says nothing of the present one.
            self._put_back(current)
            return
        decision = decide_next(
            failure,
            retry_count=current.retry_count,
            gained=gained,
            now=self._clock.now(),
            roll=self._chance(),
            last_code=current.error_code,
            size=current.size,
        )
        log.info("%s: %s", current.title, failure.message)
        if failure.kind is FailureClass.BLOCKED:
            self._blocking.refuse(current, failure)
        match decision:
            case Wait(kind=kind):
                self._wait(current, failure, kind)
            case Postpone(until=until, retry_count=count, from_zero=from_zero):
                self._downloads.transitions.postpone(
                    current, until=until, failure=failure, retry_count=count, from_zero=from_zero
                )
            case GiveUp(until=until, retry_count=count, from_zero=from_zero):
                self._downloads.transitions.give_up(
                    current, until=until, failure=failure, retry_count=count, from_zero=from_zero
                )

    def _beyond_its_limit(self, download: Download, failure: Failure) -> None:
        """Fail a file that its device cannot hold; what came of it takes no room any more."""
        current = self._still_running(download)
        if current is None:
            return
        text = str(self._trouble_of(download.device_id, failure))
        self._downloads.transitions.give_up(
            current,
            until=None,
            failure=replace(failure, message=text),
            retry_count=current.retry_count,
            from_zero=True,
        )
        with suppress(DeviceError):
            self._registry.get(download.device_id).remove_fetched(download.id)

    def _trouble_of(self, device_id: str, failure: Failure) -> DeviceError:
        """Return what is told of a device: with its name, which the engines do not know."""
        device = self._registry.find(device_id)
        named = named_error(failure.code, device.settings.name) if device is not None else None
        return named or DeviceError(failure.code, failure.message)

    def _wait(self, download: Download, failure: Failure, kind: FailureClass) -> None:
        match kind:
            case FailureClass.SERVER_AWAY:
                away = ServerAway(failure.message, retry_after_s=failure.retry_after_s)
                self._server.tell(away)
            case FailureClass.OUTSIDE_HOURS:
                self._accounts.outside_hours(download.user_id)
            case FailureClass.SIGNED_OUT:
                self._accounts.must_sign_in(download.user_id)
            case FailureClass.DEVICE:
                trouble = self._trouble_of(download.device_id, failure)
                self._registry.distrust(download.device_id)
                needed = _needed(download, failure.code)
                self._registry.trouble(download.device_id, trouble, needed=needed)
            case FailureClass.FILE_AWAY | FailureClass.EMPTY:
                self._downloads.transitions.postpone(
                    download,
                    until=self._next_slow_probe(),
                    failure=failure,
                    retry_count=download.retry_count,
                )
                return
            case _:
                # With nothing to wait for it would be fetched again at once, for ever.
                raise AssertionError(kind)
        self._put_back(download)

    def _put_back(self, download: Download) -> None:
        current = self._still_running(download)
        if current is not None:
            self._downloads.transitions.move(current, Move.POSTPONE)

    def _still_running(self, download: Download) -> Download | None:
        """Return a download as it is now; None if it is not of the attempt that failed any more."""
        current = self._downloads.queries.get(download.id)
        if current is None or current.status is not Status.DOWNLOADING:
            return None
        return current if current.claimed_by == download.claimed_by else None

    def _next_slow_probe(self) -> datetime:
        """Return when to try the next file that is away or empty: one in five minutes in all."""
        with self._lock:
            now = self._clock.now()
            last = self._next_probe
            start = now if last is None or last < now else last
            self._next_probe = start + PROBE_FILE_AWAY_EVERY
            return self._next_probe

    def _asked_again(
        self, download: Download, failure: Failure, client: Jellyfin
    ) -> Failure | None:
        """Ask Jellyfin what a 401, 403 or 404 really means, as they may be misleading.

        Returns:
            None if the account signed in again meanwhile, and only the old token is refused.
        """
        try:
            if failure.kind is FailureClass.SIGNED_OUT:
                client.me()
                return replace(failure, kind=FailureClass.TRANSIENT)
            if failure.code == FORBIDDEN:
                policy = client.me().policy
                self._accounts.note_rights(download.user_id, policy)
                if not policy.enable_content_downloading:
                    return failure
            can_download = client.item(download.item_id).can_download
            if failure.code in DOUBTFUL_CODES:
                # Jellyfin would let this account have it.
                is_other = can_download is True
                return _refused_before(failure, client) if is_other else failure
        except SignedOut as trouble:
            return _failure(trouble) if self._accounts.signed_out(client) else None
        except JellyfinError as trouble:
            self._server.tell(trouble)
            return _failure(trouble)
        text = msg(
            "The file of {title} is away: the server knows it but cannot read it, "
            "perhaps because a disk is not mounted there. It is looked for again by "
            "itself",
            title=download.title,
        )
        return Failure(FailureClass.FILE_AWAY, FILE_AWAY, text)

    def _elsewhere(self, download: Download, failure: Failure, client: Jellyfin) -> Failure | None:
        """Return why an item is not found: it is hidden, or gone; None if it has another id."""
        try:
            if self._is_hidden(client, download.item_id):
                return Failure(FailureClass.REFUSED, NOT_ALLOWED, HIDDEN)
            return None if self._look_for(download, client) else failure
        except SignedOut as trouble:
            return _failure(trouble) if self._accounts.signed_out(client) else None
        except JellyfinError as trouble:
            self._server.tell(trouble)
            return _failure(trouble)


def _failure(trouble: JellyfinError) -> Failure:
    match trouble:
        case ServerAway(retry_after_s=seconds):
            if isinstance(trouble, TooSlow):
                kind, code = FailureClass.TRANSIENT, "silent"
            else:
                kind, code = FailureClass.SERVER_AWAY, "server-away"
            return Failure(kind, code, str(trouble), seconds)
        case WrongServer():
            return Failure(FailureClass.SERVER_AWAY, "wrong-server", OTHER_SERVER)
        case SignedOut() | OutsideHours():
            is_out = isinstance(trouble, SignedOut)
            kind = FailureClass.SIGNED_OUT if is_out else FailureClass.OUTSIDE_HOURS
            return Failure(kind, str(kind), str(trouble))
        case NotAllowed():
            return Failure(FailureClass.REFUSED, NOT_ALLOWED, str(trouble))
        case NotFound():
            text = msg("It is no longer on the server, or no longer shown to this account")
            return Failure(FailureClass.GONE, GONE, text)
        case _:
            return Failure(FailureClass.BLOCKED, "odd-answer", str(trouble))


def _refused_before(failure: Failure, client: Jellyfin) -> Failure:
    status = failure.code.removeprefix("http-")
    host = str(client.connection.address)
    return refused_before_failure(host, status, failure.retry_after_s)


def _needed(download: Download, code: str) -> int:
    """Return the bytes that a full device must have free before it is tried again; else 0."""
    if code not in {"full", "budget"}:
        return 0
    return max(1, (download.size or 0) - download.bytes_downloaded)
