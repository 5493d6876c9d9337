"""Tells the browsers in which a person has switched it on, as long as they are signed in there.

a browser's page ─▶ subscribe ─▶ sealed, with its session     Notifier ─▶ send ─▶ push service
                                        gone there (404, 410), or of another key ─▶ forgotten
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from threading import Lock

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.errors import SignedOut
from sidecar.jellyfin.tokens import TokenBox
from sidecar.outgoing import web_push
from sidecar.outgoing.web_push import Subscription
from sidecar.store.accounts.push_subscriptions import PushSubscriptions
from sidecar.store.accounts.sessions import Sessions
from sidecar.store.meta import Meta

log = logging.getLogger(__name__)

KEY = "push-key"
# Of a message; the whole of it must fit into one record of 4096 bytes.
LONGEST_TEXT = 900
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
# The push service says that the browser was subscribed to another key than ours.
NOT_OURS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class BrowserPush:
    """Keeps the subscriptions of browsers and sends to them. Safe for many threads."""

    def __init__(
        self,
        *,
        meta: Meta,
        box: TokenBox,
        kept: PushSubscriptions,
        sessions: Sessions,
        check: Callable[[str], str | None],
        clock: Clock,
    ) -> None:
        """Prepare; `check` says why an address may not be sent to, None if it may."""
        self._meta = meta
        self._box = box
        self._kept = kept
        self._sessions = sessions
        self._check = check
        self._clock = clock
        self._lock = Lock()
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._failing: dict[str, str] = {}

    def public_key(self) -> str:
        """Return the key that browsers are subscribed to, as they take it."""
        return web_push.to_text(web_push.point(self._own_key()))

    def refusal(self, to: Subscription) -> str | None:
        """Return why a browser cannot be told by this subscription; None if it can."""
        return self._check(to.endpoint.get_secret_value())

    def subscribe(self, secret: str, to: Subscription) -> None:
        """Tell the browser of a session from now on; `refusal` was asked before."""
        plain = {
            "endpoint": to.endpoint.get_secret_value(),
            "p256dh": web_push.to_text(to.p256dh),
            "auth": web_push.to_text(to.auth),
        }
        sealed = self._box.encrypt(SecretStr(json.dumps(plain)))
        self._kept.put(self._sessions.id_of(secret), sealed)

    def unsubscribe(self, secret: str) -> None:
        """Tell the browser of a session no more."""
        self._forget(self._sessions.id_of(secret))

    def is_on(self, secret: str) -> bool:
        """Whether the browser of a session is told."""
        return self._kept.has(self._sessions.id_of(secret))

    def browsers(self, user_id: str) -> int:
        """Return how many browsers of an account are told."""
        return len(self._kept.of_account(user_id))

    def failing(self) -> Sequence[str]:
        """What came of it for each browser that did not take the last message."""
        with self._lock:
            return sorted(self._failing.values())

    def send(self, user_id: str, title: str, body: str, path: str = "") -> Sequence[bool]:
        """Tell all browsers of an account; return which have taken it.

        `path` is the page that a click opens, from the home page on.
        """
        told = {"title": title, "body": body[:LONGEST_TEXT], "path": path}
        message = json.dumps(told, ensure_ascii=False).encode()
        taken = []
        for session_id, sealed in self._kept.of_account(user_id):
            to = self._open(sealed)
            if to is None:
                self._forget(session_id)
            else:
                taken.append(self._send(session_id, to, message))
        return taken

    def _send(self, session_id: str, to: Subscription, message: bytes) -> bool:
        if self.refusal(to) is not None:
            return False
        now_s = self._clock.now().timestamp()
        outcome = web_push.send(to, message, key=self._own_key(), now_s=now_s)
        if outcome.status in GONE | NOT_OURS:
            log.info("a browser is told no more: its push service answered %s", outcome.status)
            self._forget(session_id)
            return False
        with self._lock:
            if outcome.is_taken:
                self._failing.pop(session_id, None)
            else:
                self._failing[session_id] = outcome.text
        return outcome.is_taken

    def _forget(self, session_id: str) -> None:
        self._kept.drop(session_id)
        with self._lock:
            self._failing.pop(session_id, None)

    def _open(self, sealed: bytes) -> Subscription | None:
        try:
            told = json.loads(self._box.decrypt(sealed).get_secret_value())
        except SignedOut:
            return None
        p256dh, auth = (web_push.from_text(told[name]) for name in ("p256dh", "auth"))
        return Subscription(SecretStr(told["endpoint"]), p256dh, auth)

    def _own_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the stored key; a new one if there is none, or it cannot be decrypted any more."""
        with self._lock:
            if self._key is None:
                self._key = self._read_key() or self._make_key()
            return self._key

    def _read_key(self) -> ec.EllipticCurvePrivateKey | None:
        sealed = self._meta.get(KEY)
        if sealed is None:
            return None
        try:
            number = self._box.decrypt(sealed.encode()).get_secret_value()
        except SignedOut:
            return None
        return ec.derive_private_key(int(number, 16), web_push.CURVE)

    def _make_key(self) -> ec.EllipticCurvePrivateKey:
        made = web_push.make_key()
        number = f"{made.private_numbers().private_value:x}"
        self._meta.set(KEY, self._box.encrypt(SecretStr(number)).decode())
        return made
