"""The routes of the application, and the numbers in their paths."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from werkzeug.routing import IntegerConverter, Map, Rule

from sidecar.web.request.query_params import LARGEST_ID

ITEM = "<string(length=32):item_id>"


class RowId(IntegerConverter):
    """The id of a row in a path; one that no row can have leads nowhere."""

    def __init__(self, map: Map) -> None:  # noqa: A002 - Werkzeug's
        super().__init__(map, max=LARGEST_ID)


class LateRule(Rule):
    """A route whose addresses are written by code that is made when it is first needed.

    Werkzeug compiles two functions for each route at once: for some two hundred routes that was a
    seventh of the whole start, and a page links to thirty of them.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - Werkzeug's
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build
