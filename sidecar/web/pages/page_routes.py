"""The routes of pages: each says at its place who may ask for it, as those of the API do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint

from sidecar.web.security.permissions import Role, declare

V = TypeVar("V", bound=Callable[..., Any])


class PageRoutes:
    """The pages of one subject. Their names begin with that of the subject.

    Attributes:
        blueprint: What the application registers.
    """

    def __init__(self, name: str, *, url_prefix: str | None = None) -> None:
        self.blueprint = Blueprint(name, __name__, url_prefix=url_prefix)

    def get(self, path: str, *, role: Role) -> Callable[[V], V]:
        """Declare what the view below shows, and what a person must at least be to see it."""
        return self._add("GET", path, role)

    def post(self, path: str, *, role: Role) -> Callable[[V], V]:
        """Declare what the view below does, and what a person must at least be to have it done."""
        return self._add("POST", path, role)

    def _add(self, verb: str, path: str, role: Role) -> Callable[[V], V]:
        def add(view: V) -> V:
            declared = declare(view, role, (verb,))
            self.blueprint.add_url_rule(path, view.__name__, declared, methods=[verb])
            return view

        return add
