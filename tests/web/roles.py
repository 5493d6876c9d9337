"""Who may ask for what, as every route of the application declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import SimpleNamespace
from typing import cast

from sidecar.events import Bus
from sidecar.web.app import Web, create_app
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices
from tests.web.all_routes import all_routes, role_of_route


def web_without_services() -> Web:
    """Return the application with its routes: no service is asked before a request comes."""
    nothing = SimpleNamespace(**dict.fromkeys(one.name for one in fields(WebServices)))
    return create_app(cast("WebServices", nothing), Bus())


def declared_roles() -> Mapping[tuple[str, str], Role | None]:
    """Return what each route and verb needs; None where nothing was said."""
    web = web_without_services()
    return {
        (rule.endpoint, verb): role_of_route(web, rule.endpoint, verb)
        for rule in all_routes(web).iter_rules()
        for verb in (rule.methods or set()) - {"HEAD"}
    }
