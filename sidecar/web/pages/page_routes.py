"""Declares the routes of pages together with the role that they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint

from sidecar.web.security.permissions import Role, declare

V = TypeVar("V", bound=Callable[..., Any])


class PageRoutes:
    """A group of page routes; its name is the prefix of their names.

    Attributes:
        blueprint: The blueprint to register in the application.
    """

    def __init__(self, name: str, *, url_prefix: str | None = None) -> None:
        self.blueprint = Blueprint(name, __name__, url_prefix=url_prefix)

    def get(self, path: str, *, role: Role) -> Callable[[V], V]:
        """Declare a GET route and the role that is needed at least."""
        return self._add("GET", path, role)

    def post(self, path: str, *, role: Role) -> Callable[[V], V]:
        """Declare a POST route and the role that is needed at least."""
        return self._add("POST", path, role)

    def _add(self, verb: str, path: str, role: Role) -> Callable[[V], V]:
        def add(view: V) -> V:
            declared = declare(view, role, (verb,))
            self.blueprint.add_url_rule(path, view.__name__, declared, methods=[verb])
            return view

        return add
