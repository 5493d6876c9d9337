"""Routes whose addresses are written by code that is made when it is first needed.

Werkzeug compiles two functions for each route at once: for some two hundred routes that was a
seventh of the whole start, and a page links to thirty of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from werkzeug.routing import Rule


class LateRule(Rule):
    """A route of the application."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - Werkzeug's
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build
