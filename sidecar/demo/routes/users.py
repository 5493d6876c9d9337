"""Signing in and out, Quick Connect, users and their rights, devices."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from sidecar.demo.protocol.formats import Json, undashed
from sidecar.demo.protocol.messages import Reply, blank, done, failed, problem, told
from sidecar.demo.routes.routing import Access, Ask, Route
from sidecar.demo.state.activity_log import Event
from sidecar.demo.state.devices import Device
from sidecar.demo.state.users import User


def _sign_in(ask: Ask) -> Reply:
    fields = ask.request.fields()
    name = str(fields.get("username") or "")
    if not name or not ask.claim.names_a_device:
        return failed(HTTPStatus.BAD_REQUEST)
    user = ask.core.users.signing_in(name, str(fields.get("pw") or ""))
    if user is None:
        ask.core.diary.write(
            Event.SIGN_IN_FAILED,
            f"Failed login try from {name}",
            f"IP address: {ask.request.remote_addr}",
        )
        return failed(HTTPStatus.UNAUTHORIZED)
    if user.policy["IsDisabled"]:
        return failed(HTTPStatus.FORBIDDEN)
    return told(_signed_in(ask, user, _token_for(ask, user), ask.request.remote_addr))


def _token_for(ask: Ask, user: User) -> Device:
    made, replaced = ask.core.devices.sign_in(user.id, ask.claim)
    for old in replaced:
        ask.core.hub.hang_up(old.token)
    ask.core.changed()
    return made


def _signed_in(ask: Ask, user: User, device: Device, remote: str | None) -> Json:
    core = ask.core
    session = core.join(device, ask.claim, remote)
    core.diary.write(
        Event.SIGNED_IN,
        f"{user.name} successfully authenticated",
        f"IP address: {ask.request.remote_addr}",
        user_id=user.id,
    )
    core.news.activity(core.users.by_id)
    return {
        "User": user.told(core.server_id),
        "SessionInfo": core.session_told(session),
        "AccessToken": device.token,
        "ServerId": core.server_id,
    }


def _quick_connect_enabled(_: Ask) -> Reply:
    return told(value=True)


def _initiate(ask: Ask) -> Reply:
    if not ask.claim.names_a_device:
        return failed(HTTPStatus.BAD_REQUEST)
    return told(ask.core.quick_connect.initiate(ask.claim).told())


def _initiate_by_get(ask: Ask) -> Reply:
    if ask.core.speaks.initiates_quick_connect_on_get:
        return _initiate(ask)
    return blank(HTTPStatus.METHOD_NOT_ALLOWED, Allow="POST")


def _connect(ask: Ask) -> Reply:
    request = ask.core.quick_connect.find(ask.request.value("secret") or "")
    if request is None:
        return told("Unknown secret", HTTPStatus.NOT_FOUND)
    return told(request.told())


def _approve(ask: Ask) -> Reply:
    user = ask.on_behalf_of()
    request = ask.core.quick_connect.waiting(ask.request.value("code") or "")
    if request is None:
        return failed(HTTPStatus.NOT_FOUND)
    device = _token_for(replace(ask, claim=request.claim), user)
    ask.core.quick_connect.approve(request, device)
    return told(value=True)


def _sign_in_by_quick_connect(ask: Ask) -> Reply:
    secret = str(ask.request.fields().get("secret") or "")
    request = ask.core.quick_connect.find(secret)
    if request is None or request.device is None:
        return failed(HTTPStatus.NOT_FOUND)
    user = ask.core.users.by_id[request.device.user_id]
    # Its session was made by the approval, which came from elsewhere: it has no address.
    return told(_signed_in(replace(ask, claim=request.claim), user, request.device, None))


def _sign_out(ask: Ask) -> Reply:
    if ask.device is not None:
        ask.core.sign_out(ask.device.token)
    return done()


def _delete_device(ask: Ask) -> Reply:
    devices = ask.core.devices.with_id(ask.request.value("id") or "")
    if not devices:
        return problem(HTTPStatus.NOT_FOUND)
    for one in devices:
        ask.core.sign_out(one.token)
    return done()


def _users(ask: Ask) -> Reply:
    return told([one.told(ask.core.server_id) for one in ask.core.users.by_id.values()])


def _public_users(_: Ask) -> Reply:
    # Everybody is hidden, as users are who are made by an administrator.
    return told([])


def _me(ask: Ask) -> Reply:
    return told(ask.asker.told(ask.core.server_id))


def _user(ask: Ask) -> Reply:
    user = ask.core.users.by_id.get(undashed(ask.places["user"]) or "")
    return told(user.told(ask.core.server_id)) if user else problem(HTTPStatus.NOT_FOUND)


def _set_policy(ask: Ask) -> Reply:
    user = ask.on_behalf_of()
    names = {name.lower(): name for name in user.policy}
    fields = ask.request.fields()
    if not {"authenticationproviderid", "passwordresetproviderid"} <= fields.keys():
        return problem(HTTPStatus.BAD_REQUEST, title="One or more validation errors occurred.")
    user.policy |= {names[key]: value for key, value in fields.items() if key in names}
    ask.core.changed()
    if user.policy["IsDisabled"]:
        for one in ask.core.devices.of_user(user.id):
            ask.core.sign_out(one.token)
    return done()


ROUTES = (
    Route("POST", "/Users/AuthenticateByName", _sign_in, Access.ANYONE),
    Route("POST", "/Users/AuthenticateWithQuickConnect", _sign_in_by_quick_connect, Access.ANYONE),
    Route("GET", "/QuickConnect/Enabled", _quick_connect_enabled, Access.ANYONE),
    Route("POST", "/QuickConnect/Initiate", _initiate, Access.ANYONE),
    Route("GET", "/QuickConnect/Initiate", _initiate_by_get, Access.ANYONE),
    Route("GET", "/QuickConnect/Connect", _connect, Access.ANYONE),
    Route("POST", "/QuickConnect/Authorize", _approve),
    Route("POST", "/Sessions/Logout", _sign_out),
    Route("DELETE", "/Devices", _delete_device, Access.ADMIN),
    Route("GET", "/Users", _users),
    Route("GET", "/Users/Public", _public_users, Access.ANYONE),
    Route("GET", "/Users/Me", _me),
    Route("GET", "/Users/{user}", _user),
    Route("POST", "/Users/{user}/Policy", _set_policy, Access.ADMIN),
)
