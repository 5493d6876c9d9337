"""Signing in and out, Quick Connect, users and their rights, devices."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from sidecar.demo.protocol.formats import Json, parse_id
from sidecar.demo.protocol.messages import (
    Reply,
    empty_reply,
    json_reply,
    no_content,
    problem_reply,
    server_error,
)
from sidecar.demo.routes.routing import AccessLevel, RequestContext, Route
from sidecar.demo.state.activity_log import ActivityType
from sidecar.demo.state.devices import ClientDevice
from sidecar.demo.state.users import DemoUser


def _sign_in(ask: RequestContext) -> Reply:
    fields = ask.request.fields()
    name = str(fields.get("username") or "")
    if not name or not ask.claim.names_a_device:
        return server_error(HTTPStatus.BAD_REQUEST)
    user = ask.core.users.authenticate(name, str(fields.get("pw") or ""))
    if user is None:
        ask.core.activity_log.write(
            ActivityType.SIGN_IN_FAILED,
            f"Failed login try from {name}",
            f"IP address: {ask.request.remote_addr}",
        )
        return server_error(HTTPStatus.UNAUTHORIZED)
    if user.policy["IsDisabled"]:
        return server_error(HTTPStatus.FORBIDDEN)
    return json_reply(_signed_in(ask, user, _token_for(ask, user), ask.request.remote_addr))


def _token_for(ask: RequestContext, user: DemoUser) -> ClientDevice:
    made, replaced = ask.core.devices.sign_in(user.id, ask.claim)
    for old in replaced:
        ask.core.sockets.close_token(old.token)
    ask.core.save_soon()
    return made


def _signed_in(
    ask: RequestContext, user: DemoUser, device: ClientDevice, remote: str | None
) -> Json:
    core = ask.core
    session = core.join(device, ask.claim, remote)
    core.activity_log.write(
        ActivityType.SIGNED_IN,
        f"{user.name} successfully authenticated",
        f"IP address: {ask.request.remote_addr}",
        user_id=user.id,
    )
    core.news.activity(core.users.by_id)
    return {
        "User": user.to_dto(core.server_id),
        "SessionInfo": core.session_dto(session),
        "AccessToken": device.token,
        "ServerId": core.server_id,
    }


def _quick_connect_enabled(_: RequestContext) -> Reply:
    return json_reply(value=True)


def _initiate(ask: RequestContext) -> Reply:
    if not ask.claim.names_a_device:
        return server_error(HTTPStatus.BAD_REQUEST)
    return json_reply(ask.core.quick_connect.initiate(ask.claim).to_dto())


def _initiate_by_get(ask: RequestContext) -> Reply:
    if ask.core.speaks.initiates_quick_connect_on_get:
        return _initiate(ask)
    return empty_reply(HTTPStatus.METHOD_NOT_ALLOWED, Allow="POST")


def _connect(ask: RequestContext) -> Reply:
    request = ask.core.quick_connect.find(ask.request.value("secret") or "")
    if request is None:
        return json_reply("Unknown secret", HTTPStatus.NOT_FOUND)
    return json_reply(request.to_dto())


def _approve(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    request = ask.core.quick_connect.find_by_code(ask.request.value("code") or "")
    if request is None:
        return server_error(HTTPStatus.NOT_FOUND)
    device = _token_for(replace(ask, claim=request.claim), user)
    ask.core.quick_connect.approve(request, device)
    return json_reply(value=True)


def _sign_in_by_quick_connect(ask: RequestContext) -> Reply:
    secret = str(ask.request.fields().get("secret") or "")
    request = ask.core.quick_connect.find(secret)
    if request is None or request.device is None:
        return server_error(HTTPStatus.NOT_FOUND)
    user = ask.core.users.by_id[request.device.user_id]
    # Its session was made by the approval, which came from elsewhere: it has no address.
    return json_reply(_signed_in(replace(ask, claim=request.claim), user, request.device, None))


def _sign_out(ask: RequestContext) -> Reply:
    if ask.device is not None:
        ask.core.sign_out(ask.device.token)
    return no_content()


def _delete_device(ask: RequestContext) -> Reply:
    devices = ask.core.devices.with_id(ask.request.value("id") or "")
    if not devices:
        return problem_reply(HTTPStatus.NOT_FOUND)
    for one in devices:
        ask.core.sign_out(one.token)
    return no_content()


def _users(ask: RequestContext) -> Reply:
    return json_reply([one.to_dto(ask.core.server_id) for one in ask.core.users.by_id.values()])


def _public_users(_: RequestContext) -> Reply:
    # Everybody is hidden, as users are who are made by an administrator.
    return json_reply([])


def _me(ask: RequestContext) -> Reply:
    return json_reply(ask.asker.to_dto(ask.core.server_id))


def _user(ask: RequestContext) -> Reply:
    user = ask.core.users.by_id.get(parse_id(ask.places["user"]) or "")
    return (
        json_reply(user.to_dto(ask.core.server_id)) if user else problem_reply(HTTPStatus.NOT_FOUND)
    )


def _set_policy(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    names = {name.lower(): name for name in user.policy}
    fields = ask.request.fields()
    if not {"authenticationproviderid", "passwordresetproviderid"} <= fields.keys():
        return problem_reply(
            HTTPStatus.BAD_REQUEST, title="One or more validation errors occurred."
        )
    user.policy |= {names[key]: value for key, value in fields.items() if key in names}
    ask.core.save_soon()
    if user.policy["IsDisabled"]:
        for one in ask.core.devices.of_user(user.id):
            ask.core.sign_out(one.token)
    return no_content()


ROUTES = (
    Route("POST", "/Users/AuthenticateByName", _sign_in, AccessLevel.ANYONE),
    Route(
        "POST", "/Users/AuthenticateWithQuickConnect", _sign_in_by_quick_connect, AccessLevel.ANYONE
    ),
    Route("GET", "/QuickConnect/Enabled", _quick_connect_enabled, AccessLevel.ANYONE),
    Route("POST", "/QuickConnect/Initiate", _initiate, AccessLevel.ANYONE),
    Route("GET", "/QuickConnect/Initiate", _initiate_by_get, AccessLevel.ANYONE),
    Route("GET", "/QuickConnect/Connect", _connect, AccessLevel.ANYONE),
    Route("POST", "/QuickConnect/Authorize", _approve),
    Route("POST", "/Sessions/Logout", _sign_out),
    Route("DELETE", "/Devices", _delete_device, AccessLevel.ADMIN),
    Route("GET", "/Users", _users),
    Route("GET", "/Users/Public", _public_users, AccessLevel.ANYONE),
    Route("GET", "/Users/Me", _me),
    Route("GET", "/Users/{user}", _user),
    Route("POST", "/Users/{user}/Policy", _set_policy, AccessLevel.ADMIN),
)
