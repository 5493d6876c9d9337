"""`/profile`: a person's API keys, messages in clients, and sessions."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.services.accounts.api_keys import LASTS_DAYS, ApiKeyService
from sidecar.services.accounts.users import UserService
from sidecar.web.actions import LONGEST_LABEL, TOO_MANY, check_is_no_key
from sidecar.web.i18n.languages import Languages
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.redirects import safe_target
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import own_secret, person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

# The choices for a key's lifetime, in days.
LASTS = MappingProxyType({"30": 30, "90": 90, "365": 365, "ever": None})


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    keys, people, messages = services.api_keys, services.users, services.client_messages
    profile = PageRoutes("profile", url_prefix="/profile")

    @profile.get("", role=Role.SIGNED_IN)
    def show() -> Response:
        return _page(services)

    @profile.post("/client-messages", role=Role.SIGNED_IN)
    def switch_messages() -> Response:
        messages.switch(person(), is_on=request.form.get("is_on") == "on")
        messages.learn_language(person(), Languages().now())
        return redirect(url_for("profile.show"), 303)

    @profile.post("/keys", role=Role.SIGNED_IN)
    def make_key() -> Response:
        label = " ".join(request.form.get("label", "").split())
        if not 0 < len(label) <= LONGEST_LABEL:
            raise ApiError(HTTPStatus.BAD_REQUEST)
        check_is_no_key()
        days = LASTS.get(request.form.get("lasts", ""), LASTS_DAYS)
        made = keys.make_key(person(), label, days=days)
        if made is None:
            return _page(services, trouble=TOO_MANY, status=HTTPStatus.CONFLICT)
        return _page(services, fresh=made[1], label=label, status=HTTPStatus.CREATED)

    @profile.post("/keys/<int:key_id>/revoke", role=Role.SIGNED_IN)
    def revoke_key(key_id: int) -> Response:
        keys.revoke_key(person(), key_id)
        return redirect(url_for("profile.show"), 303)

    _sessions(profile, keys, people)
    return profile.blueprint


def _sessions(profile: PageRoutes, keys: ApiKeyService, people: UserService) -> None:
    @profile.post("/sessions/<string(maxlength=64):session_id>/end", role=Role.SIGNED_IN)
    def end_session(session_id: str) -> Response:
        people.end_session(person(), session_id)
        return redirect(safe_target(url_for("profile.show")), 303)

    @profile.post("/sessions/end", role=Role.SIGNED_IN)
    def end_sessions() -> Response:
        if request.form.get("keys") == "revoke":
            keys.revoke_all(person())
        people.end_sessions(person())
        return redirect(url_for("sign_in.show"), 303)

    @profile.post("/forget/<string(length=32):user_id>", role=Role.SIGNED_IN)
    def forget(user_id: str) -> Response:
        people.forget(person(), user_id)
        return redirect(safe_target(url_for("sign_in.show")), 303)


def _page(
    services: WebServices,
    *,
    fresh: str | None = None,
    label: str = "",
    trouble: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    people = services.users
    page = render_template(
        "account/profile.html",
        keys=services.api_keys.keys(person()),
        client_messages=services.client_messages.is_on(person().user_id),
        sessions=[
            one for one in people.sessions(person(), own_secret()) if one.account == person().name
        ],
        fresh=fresh,
        label=label,
        trouble=trouble,
    )
    return make_response(page, status)
