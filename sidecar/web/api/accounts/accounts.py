"""`/api/v1/session`, `/accounts`, `/sessions`, `/keys`: signing in, accounts and API keys."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Literal

from flask import Response, current_app
from pydantic import Field, SecretStr, StringConstraints

from sidecar.services.accounts.api_keys import LASTS_DAYS, LONGEST_DAYS, ApiKeyView
from sidecar.services.accounts.users import AccountView, SessionView
from sidecar.store.accounts.hidden_items import HiddenFiles
from sidecar.web.actions import LONGEST_LABEL, TOO_MANY, check_is_no_key, hidden_answered
from sidecar.web.api.endpoints import PREFIX, Endpoints, json_reply
from sidecar.web.api.schemas import users as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.api.schemas.downloads import Undoable, UndoToken
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body
from sidecar.web.request.query_params import Query
from sidecar.web.security import auth
from sidecar.web.security.auth import person
from sidecar.web.security.masking import mask
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

session = Endpoints("session", f"{PREFIX}/session")
people = Endpoints("people")
keys = Endpoints("keys", f"{PREFIX}/keys")
client_messages = Endpoints("client_messages", f"{PREFIX}/client-messages")


class Credentials(Body):
    """A Jellyfin name and password."""

    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(max_length=1000)]


class NewKey(Body):
    """A label for the key, and the days until it expires; null for a key that does not expire."""

    label: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_LABEL)
    ]
    expires_in_days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] | None = LASTS_DAYS


class HiddenAnswer(Body):
    """Whether files that are hidden from an account stay or are let go.

    Attributes:
        library: Only what was in this library, "" for an unknown one; null for all.
    """

    answer: Literal["keep", "let_go"]
    library: Annotated[str, Field(max_length=200)] | None = None


class ClientMessagesWanted(Body):
    """Whether your Jellyfin clients show what comes of what you do in them."""

    is_on: bool


class WithKeys(Query):
    """Whether the keys are revoked when all sessions end."""

    keys: Literal["keep", "revoke"] = "keep"


@session.post("", role=Role.ANYBODY, body=Credentials, returns=schemas.Session)
def begin(services: WebServices, body: Credentials) -> Response:
    """Sign in with a Jellyfin name and password."""
    made = services.sign_in.sign_in(body.username, body.password.get_secret_value(), auth.caller())
    _leave(services)
    user = schemas.User.model_validate(made.person)
    reply = json_reply(schemas.Session, schemas.Session(user=user, csrf=mask(made.csrf)))
    auth.give_cookie(reply, made)
    return reply


@session.get("", role=Role.SIGNED_IN, returns=schemas.Session)
def show(_services: WebServices) -> schemas.Session:
    """Show who is signed in."""
    user = schemas.User.model_validate(person())
    return schemas.Session(user=user, csrf=auth.csrf_token())


@session.delete("", role=Role.SIGNED_IN)
def end(services: WebServices) -> Response:
    """Sign out."""
    _leave(services)
    reply = Response(status=HTTPStatus.NO_CONTENT)
    auth.clear_cookie(reply)
    return reply


def _leave(services: WebServices) -> None:
    auth.leave(services.sign_in, current_app.extensions[auth.END_SESSION])


@client_messages.get("", role=Role.SIGNED_IN, returns=schemas.ClientMessages)
def show_client_messages(services: WebServices) -> schemas.ClientMessages:
    """Show whether your Jellyfin clients show short messages about what you do in them."""
    return schemas.ClientMessages(is_on=services.client_messages.is_on(person().user_id))


@client_messages.put("", role=Role.SIGNED_IN, body=ClientMessagesWanted)
def switch_client_messages(services: WebServices, body: ClientMessagesWanted) -> None:
    """Switch the short messages in your Jellyfin clients on or off."""
    services.client_messages.switch(person(), is_on=body.is_on)


@people.get("/accounts", role=Role.SIGNED_IN, returns=Listed[schemas.Account])
def accounts(services: WebServices) -> Sequence[AccountView]:
    """List your own account; admins see all accounts."""
    return services.users.accounts(person())


@people.post("/accounts/<string(length=32):user_id>/forget", role=Role.SIGNED_IN)
def forget(services: WebServices, user_id: str) -> None:
    """Revoke an account's Jellyfin token and end all its sessions and keys."""
    services.users.forget(person(), user_id)


@people.post("/accounts/<string(length=32):user_id>/try", role=Role.ADMIN)
def try_again(services: WebServices, user_id: str) -> None:
    """Ask Jellyfin at once whether an account that waits still has to, and sign it in if it can."""
    services.users.try_again(person(), user_id)


@people.get("/accounts/hidden", role=Role.SIGNED_IN, returns=Listed[schemas.HiddenFiles])
def hidden(services: WebServices) -> Sequence[HiddenFiles]:
    """List files whose items you may not see on the server any more; admins see all accounts'."""
    return services.hidden.files(person())


@people.post(
    "/accounts/<string(length=32):user_id>/hidden",
    role=Role.SIGNED_IN,
    body=HiddenAnswer,
    returns=Undoable,
)
def answer_hidden(services: WebServices, user_id: str, body: HiddenAnswer) -> Undoable:
    """Say whether such files of an account stay or are let go: nobody holds them for it then."""
    record = hidden_answered(services, user_id, body.library, body.answer)
    return Undoable(undo=UndoToken.of(record) if record else None)


@people.get("/sessions", role=Role.SIGNED_IN, returns=Listed[schemas.OpenSession])
def sessions(services: WebServices) -> Sequence[SessionView]:
    """List the browsers where you are signed in; admins see those of all accounts."""
    return services.users.sessions(person(), auth.own_secret())


@people.delete("/sessions", role=Role.SIGNED_IN, query=WithKeys, returns=schemas.Ended)
def end_all(services: WebServices, query: WithKeys) -> schemas.Ended:
    """End all your sessions; keys are kept unless `keys=revoke`."""
    revoked = services.api_keys.revoke_all(person()) if query.keys == "revoke" else 0
    return schemas.Ended(ended=services.users.end_sessions(person()), keys_revoked=revoked)


@people.delete("/sessions/<string(maxlength=64):session_id>", role=Role.SIGNED_IN)
def end_one(services: WebServices, session_id: str) -> None:
    """End a session."""
    services.users.end_session(person(), session_id)


@keys.get("", role=Role.SIGNED_IN, returns=Listed[schemas.Key])
def show_keys(services: WebServices) -> Sequence[ApiKeyView]:
    """List your API keys."""
    return services.api_keys.keys(person())


@keys.post(
    "", role=Role.SIGNED_IN, body=NewKey, returns=schemas.FreshKey, status=HTTPStatus.CREATED
)
def make(services: WebServices, body: NewKey) -> schemas.FreshKey:
    """Create an API key; its secret is only in this answer."""
    check_is_no_key()
    made = services.api_keys.make_key(person(), body.label, days=body.expires_in_days)
    if made is None:
        raise ApiError(HTTPStatus.CONFLICT, TOO_MANY, facts={"code": "too-many-keys"})
    view, secret = made
    return schemas.FreshKey(**dict(schemas.Key.model_validate(view)), key=secret)


@keys.delete("/<int:key_id>", role=Role.SIGNED_IN)
def revoke(services: WebServices, key_id: int) -> None:
    """Revoke an API key."""
    services.api_keys.revoke_key(person(), key_id)
