"""What each person wants to be told of, when, and where. Addresses are sealed as tokens are.

An address is never shown again: it may have a password in it. Only the name of its service is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.domain.notifications.addresses import PUBLIC, check_address
from sidecar.domain.notifications.notifications import FOR_ADMINS, USUAL, Memory, NotificationKind
from sidecar.domain.transfers.network import Span
from sidecar.errors import NotVisible, SidecarError, SignedOut
from sidecar.jellyfin.tokens import TokenBox
from sidecar.messages import msg
from sidecar.outgoing import messenger
from sidecar.outgoing.web_push import Subscription
from sidecar.services.accounts.person import Person
from sidecar.services.notifications.push import BrowserPush
from sidecar.store.notifications import ADDRESSES, CHOSEN, MEMORY, NotificationStore

MOST_ADDRESSES = 5
TEST_EVERY_S = 5.0
NOTIFICATIONS_PAGE = "profile/notifications"


class NotificationRefused(SidecarError):
    """An address or a choice is refused; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person chose.

    Attributes:
        kinds: What they are told of.
        quiet: Hours in which nothing is sent.
        language: Of the messages.
    """

    kinds: frozenset[NotificationKind] = USUAL
    quiet: tuple[Span, ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsView:
    """What a person sees of their notifications.

    Attributes:
        is_installed: Whether the sidecar can send any here.
        offered: The kinds that this person can choose.
        services: The name of the service of each address, in their order.
        browsers: How many browsers are told.
        sent_at: When the last message was sent.
    """

    is_installed: bool
    offered: Sequence[NotificationKind]
    kinds: frozenset[NotificationKind]
    quiet: Sequence[str]
    services: Sequence[str]
    browsers: int
    sent_at: datetime | None


class NotificationPreferences:
    """Reads and changes what people chose. Safe for many threads."""

    def __init__(
        self, store: NotificationStore, box: TokenBox, push: BrowserPush, clock: Clock
    ) -> None:
        self._store = store
        self._box = box
        self._push = push
        self._clock = clock
        self._lock = Lock()
        self._tested_at: dict[str, float] = {}

    def view(self, person: Person) -> NotificationsView:
        """Return what this person chose."""
        chosen = self.chosen(person.user_id)
        return NotificationsView(
            is_installed=messenger.is_installed(),
            offered=offered_to(person),
            kinds=chosen.kinds & set(offered_to(person)),
            quiet=tuple(map(str, chosen.quiet)),
            services=tuple(map(name_address, self.addresses(person.user_id))),
            browsers=self._push.browsers(person.user_id),
            sent_at=self.memory(person.user_id).sent_at,
        )

    def change(
        self,
        person: Person,
        *,
        kinds: Collection[NotificationKind],
        quiet: Iterable[str],
        language: str,
    ) -> None:
        """Change what this person is told of, and when.

        Raises:
            NotificationRefused: The quiet hours cannot be read.
        """
        try:
            spans = tuple(Span.read(one) for one in quiet)
        except ValueError:
            raise NotificationRefused(
                msg("Enter hours such as 22:00-06:30, several separated by commas")
            ) from None
        wanted = frozenset(kinds) & set(offered_to(person))
        self._keep(person.user_id, Chosen(wanted, spans, language))

    def add(self, person: Person, url: SecretStr, *, language: str) -> None:
        """Add an address.

        Raises:
            NotificationRefused: It is none that this person may use, or there are too many.
        """
        plain = url.get_secret_value().strip()
        if not messenger.is_installed():
            raise NotificationRefused(msg("Apprise, which sends messages, is not installed here"))
        url = SecretStr(plain)
        if reason := _find_refusal(person, url):
            raise NotificationRefused(reason)
        with self._lock:
            present = self.addresses(person.user_id)
            if len(present) >= MOST_ADDRESSES:
                raise NotificationRefused(
                    msg("More than {count} addresses cannot be used", count=MOST_ADDRESSES)
                )
            self._begin(person.user_id, language)
            self._seal(person.user_id, [*present, url])

    def add_browser(self, person: Person, secret: str, to: Subscription, *, language: str) -> None:
        """Tell the browser of a session.

        Raises:
            NotificationRefused: Its push service is not known, or its keys are none.
        """
        reason = self._push.refusal(to)
        if reason is None and not to.is_sound():
            reason = msg("The keys of this browser cannot be read")
        if reason is not None:
            raise NotificationRefused(reason)
        with self._lock:
            self._begin(person.user_id, language)
            self._push.subscribe(secret, to)

    def is_told(self, user_id: str) -> bool:
        """Whether an account has an address or a browser that is told."""
        return bool(self.addresses(user_id)) or self._push.browsers(user_id) > 0

    def remove(self, person: Person, number: int) -> None:
        """Remove an address by its place, from 1.

        Raises:
            NotVisible: There is none.
        """
        with self._lock:
            present = self.addresses(person.user_id)
            if not 0 < number <= len(present):
                raise NotVisible
            del present[number - 1]
            self._seal(person.user_id, present)

    def test(self, person: Person, title: str, body: str) -> Sequence[str]:
        """Send a message to each address; return the names of the services that did not take it.

        Raises:
            NotificationRefused: There is no address, or one was sent a moment ago.
        """
        addresses = self.addresses(person.user_id)
        if not self.is_told(person.user_id):
            raise NotificationRefused(msg("Add an address first"))
        now = self._clock.monotonic()
        with self._lock:
            if now - self._tested_at.get(person.user_id, -TEST_EVERY_S) < TEST_EVERY_S:
                raise NotificationRefused(msg("A test was sent a moment ago: wait a little"))
            self._tested_at[person.user_id] = now
        lost = [name_address(one) for one in addresses if not send(person, one, title, body)]
        browsers = self._push.send(person.user_id, title, body, NOTIFICATIONS_PAGE)
        return lost if all(browsers) else [*lost, msg("a browser")]

    def chosen(self, user_id: str) -> Chosen:
        """Return what an account chose."""
        stored = self._store.get(user_id, CHOSEN)
        if stored is None:
            return Chosen()
        told = json.loads(stored)
        known = {str(one) for one in NotificationKind}
        return Chosen(
            frozenset(NotificationKind(one) for one in told["kinds"] if one in known),
            tuple(map(Span.read, told["quiet"])),
            told["language"],
        )

    def addresses(self, user_id: str) -> list[SecretStr]:
        """Return the addresses of an account; none if they cannot be decrypted any more."""
        sealed = self._store.get(user_id, ADDRESSES)
        if not sealed:
            return []
        try:
            opened = self._box.decrypt(sealed.encode()).get_secret_value()
        except SignedOut:
            return []
        return [SecretStr(one) for one in json.loads(opened)]

    def memory(self, user_id: str) -> Memory:
        """Return what is remembered of what an account was told."""
        stored = self._store.get(user_id, MEMORY)
        return Memory() if stored is None else _read_memory(json.loads(stored))

    def remember(self, user_id: str, memory: Memory) -> None:
        """Store what an account was told."""
        self._store.put(user_id, MEMORY, json.dumps(_write_memory(memory)))

    def _begin(self, user_id: str, language: str) -> None:
        """Begin with what happens from now on: nobody is told of what was before they asked."""
        if self.is_told(user_id):
            return
        self._keep(user_id, replace(self.chosen(user_id), language=language))
        memory = self.memory(user_id)
        self.remember(user_id, replace(memory, marks={"": self._store.newest()}))

    def _keep(self, user_id: str, chosen: Chosen) -> None:
        told = {
            "kinds": sorted(chosen.kinds),
            "quiet": [str(one) for one in chosen.quiet],
            "language": chosen.language,
        }
        self._store.put(user_id, CHOSEN, json.dumps(told))

    def _seal(self, user_id: str, addresses: Sequence[SecretStr]) -> None:
        plain = json.dumps([one.get_secret_value() for one in addresses])
        sealed = self._box.encrypt(SecretStr(plain)).decode() if addresses else ""
        self._store.put(user_id, ADDRESSES, sealed)


def send(person: Person, url: SecretStr, title: str, body: str) -> bool:
    """Send a message to an address; return whether its service has taken it.

    To a server of one's own only as long as the person is an admin.
    """
    return _find_refusal(person, url) is None and messenger.send(url, title, body)


def _find_refusal(person: Person, url: SecretStr) -> str | None:
    """Return why a person may not have messages sent to an address; None if they may."""
    plain = url.get_secret_value()
    if reason := check_address(plain, is_admin=person.is_admin):
        return reason
    is_public = plain.partition("://")[0].lower() in PUBLIC and messenger.is_public(url)
    if messenger.name_service(url) is not None and (is_public or person.is_admin):
        return None
    return msg("This is no complete address of its service: see the documentation of Apprise")


def offered_to(person: Person) -> Sequence[NotificationKind]:
    """Return the kinds that a person can choose, in their order."""
    return [one for one in NotificationKind if person.is_admin or one not in FOR_ADMINS]


def name_address(url: SecretStr) -> str:
    """Return the name of the service of an address, and nothing else of it."""
    return messenger.name_service(url) or url.get_secret_value().partition("://")[0]


def _read_memory(told: Mapping[str, dict[str, str]]) -> Memory:
    sent_at = told["sent_at"]
    return Memory(
        since={key: datetime.fromisoformat(at) for key, at in told["since"].items()},
        told=frozenset(told["told"]),
        marks=told["marks"],
        sent_at=datetime.fromisoformat(str(sent_at)) if sent_at else None,
    )


def _write_memory(memory: Memory) -> dict[str, object]:
    return {
        "since": {key: at.isoformat() for key, at in memory.since.items()},
        "told": sorted(memory.told),
        "marks": dict(memory.marks),
        "sent_at": memory.sent_at.isoformat() if memory.sent_at else None,
    }
