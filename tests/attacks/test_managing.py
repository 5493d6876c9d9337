"""Somebody who only uses a shared device, and would empty it for the others."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.routing import Rule

from sidecar.domain.downloads.download import Status
from sidecar.web.app import Web
from sidecar.web.security.permissions import Role
from tests.services.conftest import STICK
from tests.web.all_routes import all_routes, role_of_route
from tests.web.house import ANN, BEN, EVE, WebHouse
from tests.web.security.test_foreign import BODIES, FORMS


@dataclass(frozen=True)
class Asked:
    """One thing that only a manager may do."""

    endpoint: str
    verb: str
    rule: Rule


def managers_routes(web: Web) -> list[Asked]:
    return [
        Asked(rule.endpoint, verb, rule)
        for rule in all_routes(web).iter_rules()
        for verb in sorted(rule.methods or ())
        if role_of_route(web, rule.endpoint, verb) is Role.MANAGER
    ]


def test_who_only_uses_a_device_changes_nothing_that_is_there_for_all(house: WebHouse) -> None:
    kept = house.add(1, ANN, status=Status.COMPLETED)
    wanted = house.add(2, ANN)
    before = house.services.web.settings.settings(EVE, STICK)
    found: list[tuple[str, int]] = []
    ben, routes = house.come_in(BEN), managers_routes(house.web)
    with house.web.flask.test_request_context():
        adapter = all_routes(house.web).bind("localhost")
        for one in routes:
            named = dict.fromkeys(one.rule.arguments, "latest") | {"device_id": STICK}
            path = adapter.build(one.endpoint, named, method=one.verb)
            key = (one.endpoint, one.verb)
            is_form = key in FORMS or "/api/" not in path
            answer = (
                ben.press(path, **FORMS.get(key, {}))
                if is_form
                else ben.send(one.verb, path, BODIES.get(key))
            )
            found.append((one.endpoint, answer.status_code))

    assert [one for one in found if one[1] != 403] == []
    assert len(routes) > 10
    assert house.services.web.settings.settings(EVE, STICK) == before
    assert house.row(1) == kept
    assert house.row(2) == wanted
    assert house.path(kept).exists()
