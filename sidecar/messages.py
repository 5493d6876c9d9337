"""Sentences for people: an English text that is its own id, and the values in it.

    msg("{device} is full ({free} stay free)", device="Car stick", free=Size(2**30))
      as text, in logs and for programs   Car stick is full (1.1 GB stay free)
      in a column                         {"msg": "{device} is full (…", "values": {"device": …}}
      on a German page                    Car stick ist voll (1,1 GB bleiben frei)

A `Message` is a `str`, so whatever wants text has the English one; joined into another string it
is only that. To put one into a sentence, make it a value of that sentence's message. The ids are
found in the source by `make catalogues`, so `msg` and `counted` are called with literals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, Self, TypeAlias, cast

from sidecar.sizes import format_size

# What a stored message begins with; no sentence does.
MARK = '{"msg": '
_FIELD = re.compile(r"\{(\w+)\}")


def translatable(text: str) -> str:
    """Return the text as it is: a mark for the catalogues; it is translated where it is shown."""
    return text


class Size(int):
    """An amount of bytes, as a value of a message."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return it in English."""
        return format_size(self)


Value: TypeAlias = str | int | float


class Language(Protocol):
    """How a message becomes words: the catalogue and the numbers of one language."""

    def sentence(self, text: str, /) -> str:
        """Return the translation of a format text."""

    def counted(self, one: str, many: str, number: int, /) -> str:
        """Return the translated form that fits the number."""

    def size(self, octets: float, /) -> str:
        """Return an amount of bytes."""


class Message(str):
    """A sentence, or part of one, for people: an id with values. Equal to its English text.

    Attributes:
        id: The English format text.
        values: What stands in its `{fields}`: text, numbers, sizes, other messages.
        many: The format text for more than one; None if it does not count.
        count: What decides between the two.
    """

    __slots__ = ("count", "id", "many", "values")
    id: str
    values: Mapping[str, Value]
    many: str | None
    count: int  # type: ignore[assignment]  # hides the method of `str` that counts

    def __new__(
        cls,
        id: str,  # noqa: A002 - the name in gettext
        values: Mapping[str, Value] = MappingProxyType({}),
        many: str | None = None,
        count: int = 1,
    ) -> Self:
        """Make the message; its text is the English one."""
        text = id if many is None or count == 1 else many
        made = super().__new__(cls, _fill(text, {name: str(one) for name, one in values.items()}))
        made.id, made.values, made.many, made.count = id, dict(values), many, count
        return made

    def __str__(self) -> str:
        """Return itself, so that `str(error)` is still the message that the error was made with."""
        return self

    def format(self, *_args: object, **values: object) -> Message:
        """Return the message with further values."""
        return Message(self.id, {**self.values, **_checked(values)}, self.many, self.count)

    def translated(self, language: Language) -> str:
        """Return it in words of a language."""
        if self.many is None:
            text = language.sentence(self.id)
        else:
            text = language.counted(self.id, self.many, self.count)
        return _fill(text, {name: _shown(one, language) for name, one in self.values.items()})

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` makes the message from."""
        told: dict[str, object] = {"msg": self.id}
        if self.values:
            told["values"] = {name: _to_json(one) for name, one in self.values.items()}
        if self.many is not None:
            told |= {"many": self.many, "count": self.count}
        return told

    @staticmethod
    def from_json(told: Mapping[str, object]) -> Message:
        """Return the message that `to_json` told."""
        values = cast("Mapping[str, object]", told.get("values", {}))
        return Message(
            str(told["msg"]),
            {name: _from_json(one) for name, one in values.items()},
            cast("str | None", told.get("many")),
            cast("int", told.get("count", 1)),
        )


def msg(text: str, /, **values: object) -> Message:
    """Return a message.

    Args:
        text: The English format text; the catalogues have it.
        values: What stands in its fields; what is neither text nor number is told as text.
    """
    return Message(text, _checked(values))


def counted(one: str, many: str, count: int, /, **values: object) -> Message:
    """Return a message whose words depend on a number, which its texts call `{count}`."""
    return Message(one, {"count": count, **_checked(values)}, many, count)


def listed(parts: Iterable[str]) -> str:
    """Return parts as one value: "Ann, Ben and Tom"."""
    first, *rest = parts
    for number, one in enumerate(rest):
        if number == len(rest) - 1:
            first = msg("{first} and {last}", first=first, last=one)
        else:
            first = msg("{first}, {next}", first=first, next=one)
    return first


def clause(text: str) -> str:
    """Return a message, or old plain text, as a part of a sentence: without its full stop."""
    return text if isinstance(text, Message) else text.rstrip(".")


def as_sentence(text: str) -> str:
    """Return a message, or old plain text, with a full stop at its end."""
    if isinstance(text, Message) and text.endswith("."):
        return text
    return msg("{sentence}.", sentence=clause(text))


def store(text: str) -> str:
    """Return what stands for a message in a column; plain text is stored as it is."""
    return json.dumps(text.to_json(), ensure_ascii=False) if isinstance(text, Message) else text


def restore(stored: str) -> str:
    """Return what a column holds: a message, or the plain text of earlier versions."""
    if not stored.startswith(MARK):
        return stored
    return Message.from_json(json.loads(stored))


def translate(text: str, language: Language) -> str:
    """Return a message in a language; plain text stays as it is."""
    return text.translated(language) if isinstance(text, Message) else text


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: values.get(field[1], field[0]), text)


def _checked(values: Mapping[str, object]) -> dict[str, Value]:
    return {
        name: one if isinstance(one, str | int | float) else str(one)
        for name, one in values.items()
    }


def _shown(value: Value, language: Language) -> str:
    if isinstance(value, Size):
        return language.size(value)
    return translate(value, language) if isinstance(value, str) else str(value)


def _to_json(value: Value) -> object:
    if isinstance(value, Message):
        return value.to_json()
    return {"size": int(value)} if isinstance(value, Size) else value


def _from_json(told: object) -> Value:
    match told:
        case {"msg": _}:
            return Message.from_json(cast("Mapping[str, object]", told))
        case {"size": int(octets)}:
            return Size(octets)
        case _:
            return cast("Value", told)
