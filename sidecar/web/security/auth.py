"""Authenticates requests, checks their role, and refuses cross-site requests.

Browsers authenticate by a session cookie, programs by a key (`Authorization: Bearer`). Browsers
send cookies with requests from other sites too, so changes with a session also need its CSRF token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from hmac import compare_digest
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, g, request

from sidecar.services.accounts.person import ClientInfo, Person, WebSession
from sidecar.services.accounts.sign_in import SignInService
from sidecar.web.i18n.numbers import translatable
from sidecar.web.request.cookies import A_YEAR_S, set_cookie
from sidecar.web.request.errors import ApiError, SignInNeeded
from sidecar.web.security import jellyfin_web
from sidecar.web.security.hosts import LOOPBACK, is_own_origin, split_host
from sidecar.web.security.masking import mask, unmask
from sidecar.web.security.middleware import CAME_BY_PROXY
from sidecar.web.security.permissions import SAFE, Role, decided_here, may_try, role_needed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

COOKIE = "sidecar_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
# The cookie that marks a browser that has signed in before; it outlives the sessions.
MARKS = "sidecar_known"
COOKIE_LASTS_S = 30 * 24 * 3600
CSRF_HEADER = "X-Sidecar-CSRF"
CSRF_FIELD = "csrf"
LONGEST_SECRET = 200
# The Flask extension that closes the live connections of a session that has ended.
END_SESSION = "sidecar.end_session"
EndSession = Callable[[str], None]
# The Flask extension that says whether this is the demo.
IS_DEMO = "sidecar.is_demo"
FOR_ADMINS = translatable("Only admins may do this: ask whoever runs this sidecar.")
DEMO_ELSEWHERE = translatable(
    "This is the demo, and everybody knows its passwords: settings, devices and transfers are "
    "changed only in a browser on the machine where it runs. Set up your own Jellyfin at /setup "
    "first."
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends a request, authenticated by a session or a key; by default nobody.

    Attributes:
        session: The session, if there is one.
        key: The API key, if there is one.
        signed_out: The owner of a valid key, if Jellyfin has signed them out; `person` is None.
        origin: Of the page of Jellyfin that has the key; None for a program's key.
    """

    person: Person | None = None
    session: WebSession | None = None
    key: str | None = None
    signed_out: str | None = None
    origin: str | None = None

    @property
    def credential(self) -> str | None:
        """The session's secret or the key."""
        return self.session.secret if self.session else self.key


def who(
    service: SignInService,
    *,
    cookie: str | None,
    authorization: str | None,
    origin: str | None = None,
) -> Identity:
    """Authenticate a cookie or an `Authorization` header; the header takes precedence.

    Keys for Jellyfin's pages at an origin are only looked for if that is given.
    """
    if authorization is not None:
        scheme, _, key = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(key) <= LONGEST_SECRET:
            return Identity()
        return _owner(service, key.strip(), origin)
    if not cookie or len(cookie) > LONGEST_SECRET:
        return Identity()
    session = service.find_session(cookie)
    return Identity(session.person, session) if session else Identity()


def _owner(service: SignInService, key: str, origin: str | None) -> Identity:
    if origin is not None and (found := service.person_for_page(key, origin)) is not None:
        return Identity(found, key=key, origin=origin)
    person = service.person_for_key(key)
    if person is not None:
        return Identity(person, key=key)
    of_page = service.signed_out_owner(key, origin) if origin is not None else None
    return Identity(signed_out=of_page or service.signed_out_owner(key))


def is_from_elsewhere(environ: WSGIEnvironment) -> bool:
    """Whether a browser says that a page of another site made this request."""
    site = environ.get("HTTP_SEC_FETCH_SITE")
    origin = environ.get("HTTP_ORIGIN")
    if site is not None and site not in {"same-origin", "none"}:
        return True
    return origin is not None and not is_own_origin(origin, environ.get("HTTP_HOST", ""))


def is_on_this_machine() -> bool:
    """Whether the browser is on this machine; one behind a proxy may be anywhere.

    Not every proxy says that it is one: some only ask under the name that the browser used, and
    nginx asks in HTTP/1.0, which no browser does.
    """
    try:
        is_loopback = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    name, _ = split_host(request.environ.get("HTTP_HOST", "")) or ("", None)
    is_direct = name in LOOPBACK and request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0"
    return is_loopback and is_direct and not request.environ.get(CAME_BY_PROXY, True)


def asker() -> Identity:
    """Return the identity of the current request."""
    found: Identity = g.get("asker", Identity())
    return found


def account_id() -> str | None:
    """Return the account id of the current request; None if nobody is signed in."""
    found = asker().person
    return found.user_id if found else None


def person() -> Person:
    """Return the signed-in person of the current request.

    Raises:
        SignInNeeded: Nobody is signed in.
    """
    found = asker().person
    if found is None:
        raise SignInNeeded(asker().signed_out)
    return found


def csrf_token() -> str | None:
    """Return the CSRF token, masked for this answer; None if there is no session."""
    session = asker().session
    if session is None:
        return None
    if "csrf_token" not in g:
        g.csrf_token = mask(session.csrf)
    masked: str = g.csrf_token
    return masked


def is_owner() -> bool:
    """Whether the current request may do what needs `Role.OWNER`."""
    found = asker().person
    return found is not None and found.is_admin and not _is_demo_elsewhere()


def _is_demo_elsewhere() -> bool:
    """Whether this is the demo, and the browser is not on its machine."""
    return current_app.extensions[IS_DEMO] and not is_on_this_machine()


def caller() -> ClientInfo:
    """Return the client of the current request: address, user agent and marks."""
    marks = request.cookies.get(_marks_name(), "")
    return ClientInfo(request.remote_addr or "", request.user_agent.string[:200], marks)


def cookie_name() -> str:
    """Return the name of the session cookie; over https one that no other site can set."""
    return SECURE_COOKIE if request.is_secure else COOKIE


def give_cookie(response: Response, session: WebSession) -> None:
    """Set the cookies of the session and of the browser's marks."""
    give_session_cookie(response, session.secret)
    if session.marks:
        set_cookie(response, _marks_name(), session.marks, path=_cookie_path(), lasts_s=A_YEAR_S)


def give_session_cookie(response: Response, secret: str) -> None:
    """Set the cookie of a session."""
    set_cookie(response, cookie_name(), secret, path=_cookie_path(), lasts_s=COOKIE_LASTS_S)


def clear_cookie(response: Response) -> None:
    """Delete the session cookie."""
    response.delete_cookie(
        cookie_name(),
        path=_cookie_path(),
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def register(app: Flask, service: SignInService, *, is_demo: bool) -> None:
    """Authenticate and authorize every request before its view is called."""

    def guard() -> None:
        g.asker = who(
            service,
            cookie=request.cookies.get(cookie_name()),
            authorization=request.headers.get("Authorization"),
            origin=jellyfin_web.page_origin(),
        )
        if request.url_rule is not None:
            _check_rights()

    app.extensions[IS_DEMO] = is_demo
    app.before_request(guard)


def _check_rights() -> None:
    endpoint = request.endpoint or ""
    needed = role_needed(current_app, endpoint, request.method)
    if needed is None:
        log.warning("no right is given for %s %s", request.method, request.endpoint)
        raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED)
    person = asker().person
    if not may_try(person, needed):
        if person is None:
            raise SignInNeeded(asker().signed_out)
        log.warning("%s may not %s %s", person.name, request.method, request.path)
        raise ApiError(HTTPStatus.FORBIDDEN, FOR_ADMINS if needed >= Role.ADMIN else None)
    if person is not None and _is_demo_elsewhere():
        if decided_here(needed, request.method):
            raise ApiError(HTTPStatus.FORBIDDEN, DEMO_ELSEWHERE)
        if person.is_admin and request.method not in SAFE:
            # What people may change of their own, an admin may change of everybody's.
            g.asker = replace(asker(), person=replace(person, is_admin=False))
    if request.method not in SAFE:
        _check_origin(needs_token=needed > Role.ANYBODY)


def _check_origin(*, needs_token: bool) -> None:
    if asker().origin is not None or jellyfin_web.is_preflight():
        return
    if is_from_elsewhere(request.environ):
        log.warning("refused a change that another site's page sent to %s", request.path)
        raise ApiError(
            HTTPStatus.FORBIDDEN, translatable("This request came from another site's page.")
        )
    session = asker().session
    if not needs_token or session is None:
        return
    token = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    if not compare_digest(unmask(token), session.csrf):
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            translatable("This page is out of date: load it again and try once more."),
        )


def _marks_name() -> str:
    return f"__Host-{MARKS}" if request.is_secure else MARKS


def _cookie_path() -> str:
    # Browsers accept `__Host-` cookies for the path `/` only.
    return "/" if request.is_secure else request.root_path.rstrip("/") or "/"


def own_secret() -> str | None:
    """Return the secret of the current request's session; None if it has none."""
    session = asker().session
    return session.secret if session else None


def leave(service: SignInService, end_session: EndSession) -> None:
    """End the current request's session, if it has one, and its live connections."""
    secret = own_secret()
    if secret is not None:
        service.sign_out(secret)
        end_session(secret)


def look_again(service: SignInService, seen: Identity) -> Identity:
    """Authenticate again the cookie or key of an identity."""
    if seen.session is not None:
        return who(service, cookie=seen.session.secret, authorization=None)
    return who(service, cookie=None, authorization=f"Bearer {seen.key}" if seen.key else None)
