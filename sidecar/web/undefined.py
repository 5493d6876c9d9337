"""What a template gets for a name that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateRuntimeError, Undefined, UndefinedError
from jinja2.utils import missing


class OfObjects(Undefined):
    """Raises an error for an attribute that an object does not have; else it is empty, as usual.

    An attribute that was renamed would otherwise leave an empty place on a page, or a form without
    its token. A mapping may lack a key, and a page a value that only others have.
    """

    def __new__(  # type: ignore[misc]  # one of two others
        cls,
        hint: str | None = None,
        obj: Any = missing,  # noqa: ANN401 - whatever a template asks
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> Undefined:
        """Return what fits the object."""
        is_empty = obj is missing or obj is None or isinstance(obj, Mapping | Undefined)
        return (Undefined if is_empty else StrictUndefined)(hint, obj, name, exc)
