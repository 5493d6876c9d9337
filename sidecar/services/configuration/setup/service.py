"""Sets the sidecar up while it runs on its demo: the address of a Jellyfin, and its admin.

    code or loopback ─▶ address, tested ─▶ sign-in of an admin ─▶ stored ─▶ starts again

Whoever sets it up decides which server is trusted. So from any other machine a code is needed that
only the terminal or the log shows. Once the settings have an address there is no set-up any more.
"""

from __future__ import annotations

import logging
import re
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from threading import Event, Lock
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import SecretStr

from sidecar import SERVER_NAME, __version__
from sidecar.clock import Clock
from sidecar.errors import JellyfinError, SidecarError, SignInRefused, UnexpectedAnswer
from sidecar.jellyfin.address import Address
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.discovery import FoundServer, discover
from sidecar.jellyfin.sign_in import QuickConnectRequest, SignedIn, SignIn
from sidecar.messages import msg

log = logging.getLogger(__name__)

OLDEST = (10, 10)
MOST_TRIES = 10
MOST_TICKETS = 20
# Whoever waits for longer has mistyped it, and would not know.
ANSWERS_WITHIN_S = 5.0
# Jellyfin's own page below its address, and where in it somebody was.
WEB_CLIENT = re.compile(r"(/web(/.*)?)?/?([?#].*)?$")
JELLYFIN_PORT = 8096


class SetUpRefused(SidecarError):
    """The set-up cannot go on with this; says why and what to do."""


@dataclass(frozen=True, slots=True)
class TestedServer:
    """A Jellyfin that has answered at an address."""

    url: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class _Request:
    """A Quick Connect request, and the server that it was made at."""

    server: TestedServer
    sign_in: SignIn
    device_id: str
    asked: QuickConnectRequest


@dataclass(slots=True)
class _Attempt:
    """The set-up in one browser."""

    server: TestedServer | None = None
    request: _Request | None = None


Keep = Callable[[str, SignedIn, str, str], str]
"""Stores the address, the account, its device id and the browser's address; returns a session."""


class SetUpService:
    """Leads through the set-up. Safe for many threads.

    Attributes:
        code: What the terminal shows, for a browser on another machine.
        done: Set once everything is stored: the sidecar starts again.
        demo_id: The identity of the demo server, which ends with the set-up; empty before it runs.
    """

    def __init__(
        self,
        keep: Keep,
        clock: Clock,
        *,
        ca_file: Path | None = None,
        answers_within_s: float = ANSWERS_WITHIN_S,
    ) -> None:
        """Prepare; an address that is tested must answer within so many seconds."""
        self._keep = keep
        self._clock = clock
        self._ca_file = ca_file
        self._answers_within_s = answers_within_s
        self._lock = Lock()
        self._attempts: dict[str, _Attempt] = {}
        self._tries = 0
        self.code = f"{secrets.randbelow(10**4):04d}-{secrets.randbelow(10**4):04d}"
        self.done = Event()
        self.demo_id = ""

    def begin(self, *, is_local: bool, code: str = "") -> str:
        """Return the ticket of a browser that may set up.

        Raises:
            SetUpRefused: It is on another machine, and the code is wrong.
        """
        with self._lock:
            if not is_local:
                self._check_code(code)
            while len(self._attempts) >= MOST_TICKETS:
                # A page of another site can make a browser begin any number, but not go on.
                idle = (one for one, attempt in self._attempts.items() if attempt.server is None)
                del self._attempts[next(idle, next(iter(self._attempts)))]
            ticket = secrets.token_urlsafe(32)
            self._attempts[ticket] = _Attempt()
            return ticket

    def _check_code(self, code: str) -> None:
        if self._tries >= MOST_TRIES:
            raise SetUpRefused(
                msg("Too many wrong codes: start the sidecar again, it then shows a new one")
            )
        if not compare_digest(code.strip().encode(), self.code.encode()):
            self._tries += 1
            raise SetUpRefused(msg("This is not the code that the terminal or the log shows"))

    def is_known(self, ticket: str) -> bool:
        """Whether a browser may set up."""
        return ticket in self._attempts

    def server(self, ticket: str) -> TestedServer | None:
        """Return the server that was tested in a browser; None before that."""
        return self._attempt(ticket).server

    def found(self) -> Sequence[FoundServer]:
        """Look for servers on the local network; takes a second."""
        return discover(self._clock)

    def test(self, ticket: str, text: str) -> TestedServer:
        """Test an address as it was typed, and remember the server that answers.

        Raises:
            SetUpRefused: It does not answer as it should; says in which way.
        """
        attempt = self._attempt(ticket)
        url = _complete(text)
        _check_name(url, self._answers_within_s)
        jellyfin = Jellyfin(
            url,
            identity=_identity("setup"),
            ca_file=self._ca_file,
            read_within_s=self._answers_within_s,
        )
        try:
            told = jellyfin.public_info()
        except JellyfinError as trouble:
            if isinstance(trouble, UnexpectedAnswer) and _is_sidecar(jellyfin):
                raise SetUpRefused(
                    msg(
                        "{url} is the page of Jellyfin Sidecar itself: enter the address of your "
                        "Jellyfin, which mostly ends in {port}",
                        url=url,
                        port=JELLYFIN_PORT,
                    )
                ) from trouble
            raise SetUpRefused(str(trouble)) from trouble
        if told.id == self.demo_id:
            raise SetUpRefused(
                msg("This is the demo, which ends here: enter the address of your own Jellyfin")
            )
        if _version(told.version) < OLDEST:
            raise SetUpRefused(
                msg(
                    "{name} is Jellyfin {version}, which is too old: at least 10.10 is needed",
                    name=told.server_name or url,
                    version=told.version,
                )
            )
        # What was begun at another server is over: its token must not come to this one.
        attempt.request = None
        attempt.server = TestedServer(url, told.server_name, told.version)
        return attempt.server

    def sign_in(self, ticket: str, name: str, password: str, address: str) -> str:
        """Sign in with a password, store everything, and return a session of the page.

        Raises:
            SetUpRefused: The account is no admin, or the server cannot be asked.
        """
        server, signing, device_id = self._signing(self._attempt(ticket))
        try:
            found = signing.with_password(name, SecretStr(password))
        except (SignInRefused, JellyfinError) as refused:
            # As everywhere: guessing is slow.
            self._clock.wait(Event(), 2.0)
            raise SetUpRefused(str(refused)) from refused
        return self._finish(server, found, device_id, address)

    def start_quick_connect(self, ticket: str) -> str:
        """Return a code to approve in another client.

        Raises:
            SetUpRefused: Quick Connect is off, or the server cannot be asked.
        """
        attempt = self._attempt(ticket)
        server, signing, device_id = self._signing(attempt)
        try:
            asked = signing.start_quick_connect()
        except (SignInRefused, JellyfinError) as refused:
            raise SetUpRefused(str(refused)) from refused
        attempt.request = _Request(server, signing, device_id, asked)
        return asked.code

    def finish_quick_connect(self, ticket: str, address: str) -> str | None:
        """Store everything and return a session; None while the code was not approved.

        Raises:
            SetUpRefused: The code has expired, or the account is no admin.
        """
        begun = self._attempt(ticket).request
        if begun is None:
            raise SetUpRefused(msg("Begin again: ask for another code"))
        try:
            if not begun.sign_in.is_approved(begun.asked.secret):
                return None
            found = begun.sign_in.finish_quick_connect(begun.asked.secret)
        except (SignInRefused, JellyfinError) as refused:
            raise SetUpRefused(str(refused)) from refused
        return self._finish(begun.server, found, begun.device_id, address)

    def _signing(self, attempt: _Attempt) -> tuple[TestedServer, SignIn, str]:
        server = attempt.server
        if server is None:
            raise SetUpRefused(msg("First say where your Jellyfin is"))
        device_id = f"sidecar-{uuid4().hex}"
        signing = SignIn(server.url, _identity(device_id), ca_file=self._ca_file)
        return server, signing, device_id

    def _finish(self, server: TestedServer, found: SignedIn, device_id: str, address: str) -> str:
        if not found.is_admin:
            raise SetUpRefused(
                msg(
                    "{name} is not an administrator of this Jellyfin: an administrator sets up",
                    name=found.name,
                )
            )
        with self._lock:
            if self.done.is_set():
                raise SetUpRefused(msg("It is set up already: load the page again"))
            session = self._keep(server.url, found, device_id, address)
            self.done.set()
        log.info("set up for %s by %s", server.url, found.name)
        return session

    def _attempt(self, ticket: str) -> _Attempt:
        found = self._attempts.get(ticket)
        if found is None:
            raise SetUpRefused(msg("Begin the set-up again"))
        return found


def _complete(text: str) -> str:
    """Return a whole address for what was typed: a name alone gets scheme and port.

    What a browser shows while it is at Jellyfin's own page is its address, too.
    """
    typed = WEB_CLIENT.sub("", text.strip())
    if typed and "://" not in typed:
        typed = f"http://{typed}"
        parts = urlsplit(typed)
        if parts.hostname and ":" not in parts.netloc.rpartition("]")[2] and not parts.path:
            typed = f"{typed}:{JELLYFIN_PORT}"
    try:
        return Address.of(typed).base
    except UnexpectedAnswer as trouble:
        raise SetUpRefused(str(trouble)) from trouble


def _is_sidecar(asked: Jellyfin) -> bool:
    """Whether a sidecar, not a Jellyfin, answers at an address."""
    with suppress(JellyfinError):
        answer = asked.connection.get("System", "Info", "Public")
        return answer.headers.get("Server") == SERVER_NAME
    return False


def _check_name(url: str, within_s: float) -> None:
    """Refuse a name that is not known, and a machine that refuses: each with its own sentence."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=within_s).close()
    except (socket.gaierror, UnicodeError) as trouble:
        raise SetUpRefused(
            msg("Nobody on this network knows the name {host}: is it written right?", host=host)
        ) from trouble
    except ConnectionRefusedError as trouble:
        raise SetUpRefused(
            msg(
                "{host} is there, but nothing listens on port {port}: is it Jellyfin's port?",
                host=host,
                port=port,
            )
        ) from trouble
    except OSError as trouble:
        raise SetUpRefused(
            msg("{host} does not answer: is the machine on, and in the same network?", host=host)
        ) from trouble


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in re.findall(r"\d+", text)[:2]) or OLDEST


def _identity(device_id: str) -> DeviceIdentity:
    return DeviceIdentity(device_id=device_id, version=__version__)
