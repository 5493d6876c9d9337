"""Describes the keys of a section (type, bounds, label) for the forms and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ByteSize, SecretStr
from pydantic.fields import FieldInfo

from sidecar.config.base import Section, format_duration


class KeyKind(StrEnum):
    """The type of a setting's value."""

    SWITCH = "switch"
    NUMBER = "number"
    TIME = "time"
    SIZE = "size"
    CHOICE = "choice"
    TEXT = "text"
    LIST = "list"
    SECRET = "secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class SettingKey:
    """One key of a section.

    Attributes:
        least, most: Bounds, as values are written; None if there is none.
        options: The values of a choice.
        can_be_empty: The value may be None.
        named: What some values of a number are called, in English: it is set with a slider.
        label: The name for people, in English; may be empty.
        details: A longer explanation, in English; may be empty.
    """

    name: str
    kind: KeyKind
    least: int | str | None = None
    most: int | str | None = None
    options: tuple[str, ...] = ()
    can_be_empty: bool = False
    label: str = ""
    details: str = ""
    named: tuple[tuple[int, str], ...] = ()


def describe_keys(section: type[Section]) -> tuple[SettingKey, ...]:
    """Return the description of each key of a section, in the order of the section."""
    return tuple(_describe_key(name, field) for name, field in section.model_fields.items())


def to_plain_value(value: object) -> str | int | float | bool | None:
    """Return a value for JSON: a duration in words, a size in bytes, a tuple as one text."""
    match value:
        case timedelta():
            return format_duration(value)
        case time():
            return f"{value:%H:%M}"
        case Enum():
            return str(value.value)
        case tuple():
            return ", ".join(map(str, value))
        case None | str() | bool() | int() | float():
            return value
        case _:
            return str(value)


def _describe_key(name: str, field: FieldInfo) -> SettingKey:
    kind, bounds = field.annotation, list(field.metadata)
    parts = [one for one in get_args(kind) if one is not type(None)]
    can_be_empty = type(None) in get_args(kind)
    if can_be_empty and len(parts) == 1:
        kind = parts[0]
    if get_origin(kind) is Annotated:
        kind, *further = get_args(kind)
        bounds += _flatten(further)
    least = next((one.ge for one in bounds if hasattr(one, "ge")), None)
    most = next((one.le for one in bounds if hasattr(one, "le")), None)
    kind_of_key, options = _choose_kind(kind)
    return SettingKey(
        name,
        kind_of_key,
        _read_bound(least),
        _read_bound(most),
        options,
        can_be_empty,
        label=field.title or "",
        details=field.description or "",
        named=_read_named(field),
    )


def _read_named(field: FieldInfo) -> tuple[tuple[int, str], ...]:
    extra = field.json_schema_extra
    return tuple(extra.get("named", ())) if isinstance(extra, dict) else ()  # type: ignore[arg-type]  # as `slider_setting` makes it


def _flatten(found: list[Any]) -> list[Any]:
    return [
        inner for one in found for inner in (one.metadata if isinstance(one, FieldInfo) else [one])
    ]


def _read_bound(value: object) -> int | str | None:
    told = to_plain_value(value)
    return told if isinstance(told, int | str) else None


def _choose_kind(kind: Any) -> tuple[KeyKind, tuple[str, ...]]:  # noqa: ANN401 - an annotation is anything
    if get_origin(kind) is Literal:
        return KeyKind.CHOICE, tuple(map(str, get_args(kind)))
    if get_origin(kind) is tuple:
        return KeyKind.LIST, ()
    if isinstance(kind, type):
        if issubclass(kind, Enum):
            return KeyKind.CHOICE, tuple(str(one.value) for one in kind)
        for known, told in (
            (bool, KeyKind.SWITCH),
            (ByteSize, KeyKind.SIZE),
            (int, KeyKind.NUMBER),
            (timedelta, KeyKind.TIME),
            (SecretStr, KeyKind.SECRET),
        ):
            if issubclass(kind, known):
                return told, ()
    return KeyKind.TEXT, ()


def is_secret(section: type[Section], place: tuple[str | int, ...]) -> bool:
    """Return whether a place is in a secret, by the kind that its section declares."""
    name, *further = place
    inner = section.model_fields[name].annotation if name in section.model_fields else None
    if isinstance(inner, type) and issubclass(inner, Section):
        return bool(further) and is_secret(inner, tuple(further))
    return any(key.name == name and key.kind is KeyKind.SECRET for key in describe_keys(section))
