"""Values that one process tells another, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from sidecar.messages import restore, store

R = TypeVar("R")


def write_value(value: object) -> str:
    """Return a value of a service as JSON; its messages can still be translated."""
    return json.dumps(_plain(value))


def read_value(form: type[R], told: str) -> R:
    """Return the value again.

    Raises:
        pydantic.ValidationError: A process of another version has written it.
    """
    read: R = _restored(_make_adapter(form).validate_json(told))
    return read


# Made once for each form: that takes longer than to read a value.
_make_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return store(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return to_jsonable_python(value)


def _restored(value: Any) -> Any:  # noqa: ANN401 - of any form
    """Return a value with its messages again: the validation makes plain strings of them."""
    if type(value) is str:
        return restore(value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{one.name: _restored(getattr(value, one.name)) for one in fields(value)}
        )
    if isinstance(value, list | tuple):
        return type(value)(map(_restored, value))
    if isinstance(value, dict):
        return {name: _restored(one) for name, one in value.items()}
    return value
