"""The routes of the pages and of the API, which are two applications, as if they were one."""

from __future__ import annotations

from werkzeug.routing import Map

from sidecar.web.app import Web
from sidecar.web.routing import RowId
from sidecar.web.security.permissions import Role, role_needed


def all_routes(web: Web) -> Map:
    """Return all that is served."""
    served = Map(converters={"int": RowId}, merge_slashes=False)
    for app in (web.flask, web.api.flask):
        for rule in app.url_map.iter_rules():
            if not rule.build_only:
                served.add(rule.empty())
    return served


def role_of_route(web: Web, endpoint: str, verb: str) -> Role | None:
    """Return what the application that serves a route says is needed for it."""
    is_page = endpoint in web.flask.view_functions
    return role_needed(web.flask if is_page else web.api.flask, endpoint, verb)
