"""Translatable messages: an English format text, which is also the id, and its values.

    msg("{device} is full ({free} stay free)", device="Car stick", free=Size(2**30))
      as text, in logs and for programs   Car stick is full (1.1 GB stay free)
      in a column                         {"msg": "{device} is full (…", "values": {"device": …}}
      on a German page                    Car stick ist voll (1,1 GB bleiben frei)

A `Message` is a `str` with the English text; concatenated with another string it loses its id and
values. To embed one in a sentence, pass it as a value of that sentence's message. `make
catalogues` extracts the ids from the source, so `msg` and `counted` are called with literals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, Self, TypeAlias, cast

from sidecar.sizes import format_size

# How a stored message begins; plain text that does is stored as the value of one.
MARK = '{"msg": '
_FIELD = re.compile(r"\{(\w+)\}")
# How earlier versions said what is stored; it is read in the words of today.
_EARLIER = MappingProxyType(
    {
        "downloaded by you": "downloaded by you",
        "downloaded by you ({title})": "downloaded by you ({title})",
        "next on this album": "next on this album",
        "{what} (playing on {player})": "{what} (playing on {player})",
        "{what}, estimated (playing on {player})": ("{what}, estimated (playing on {player})"),
        "Kept as is: already {has} kbit/s, and {format} would not be smaller": (
            "Kept as is: already {has} kbit/s, and {format} would not be smaller"
        ),
        "Kept as is: {format} would not be smaller": ("Kept as is: {format} would not be smaller"),
        "Was missing on {device}, downloading again": (
            "Was missing on {device}, downloading again"
        ),
    }
)


def translatable(text: str) -> str:
    """Mark a text for the catalogues and return it unchanged; it is translated when shown."""
    return text


class Size(int):
    """A number of bytes as a value of a message, formatted in the reader's language."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the size in English."""
        return format_size(self)


class Share(float):
    """A part of a whole as a value of a message, shown in per cent in the reader's language."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return it in English."""
        return f"{100 * self:.1f} %"


Value: TypeAlias = str | int | float


class Language(Protocol):
    """Translates sentences and formats numbers in one language."""

    def sentence(self, text: str, /) -> str:
        """Return the translation of a format text; its fields are not filled in."""

    def counted(self, one: str, many: str, number: int, /) -> str:
        """Return the translated plural form for the number."""

    def size(self, octets: float, /) -> str:
        """Return a formatted number of bytes."""

    def share(self, part: float, /) -> str:
        """Return a formatted part of a whole."""

    def number(self, amount: int, /) -> str:
        """Return a formatted whole number."""


class Message(str):
    """A sentence, or a part of one, that can be translated. As a `str`, its English text.

    Attributes:
        id: The English format text.
        values: The values of its `{fields}`: text, numbers, sizes, other messages.
        many: The plural format text; None if there is no plural.
        count: The number that selects the plural form.
    """

    __slots__ = ("count", "id", "many", "values")
    id: str
    values: Mapping[str, Value]
    many: str | None
    count: int  # type: ignore[assignment]  # hides the method of `str`

    def __new__(
        cls,
        id: str,  # noqa: A002 - the name in gettext
        values: Mapping[str, Value] = MappingProxyType({}),
        many: str | None = None,
        count: int = 1,
    ) -> Self:
        """Create the message with its English text."""
        text = id if many is None or count == 1 else many
        made = super().__new__(cls, _fill(text, {name: str(one) for name, one in values.items()}))
        made.id, made.values, made.many, made.count = id, dict(values), many, count
        return made

    def __str__(self) -> str:
        """Return itself, so that `str(error)` is still a `Message`."""
        return self

    def format(self, *_args: object, **values: object) -> Message:
        """Return the message with more values."""
        return Message(self.id, {**self.values, **_checked(values)}, self.many, self.count)

    def translated(self, language: Language) -> str:
        """Return the text in a language."""
        if self.many is None:
            text = language.sentence(self.id)
        else:
            text = language.counted(self.id, self.many, self.count)
        shown = {name: _shown(one, language) for name, one in self.values.items()}
        if self.many is not None:
            # Other numbers may be ports or years.
            shown["count"] = language.number(self.count)
        return _fill(text, shown)

    def to_json(self) -> dict[str, object]:
        """Return the message as JSON for `from_json`."""
        told: dict[str, object] = {"msg": self.id}
        if self.values:
            told["values"] = {name: _to_json(one) for name, one in self.values.items()}
        if self.many is not None:
            told |= {"many": self.many, "count": self.count}
        return told

    @staticmethod
    def from_json(told: Mapping[str, object]) -> Message:
        """Return the message from the JSON of `to_json`."""
        values = cast("Mapping[str, object]", told.get("values", {}))
        return Message(
            _EARLIER.get(str(told["msg"]), str(told["msg"])),
            {name: _from_json(one) for name, one in values.items()},
            cast("str | None", told.get("many")),
            cast("int", told.get("count", 1)),
        )


def msg(text: str, /, **values: object) -> Message:
    """Create a message.

    Args:
        text: The English format text.
        values: The values of its fields; converted to text unless they are text or numbers.
    """
    return Message(text, _checked(values))


def counted(one: str, many: str, count: int, /, **values: object) -> Message:
    """Create a message with a plural form; both texts can use the number as `{count}`."""
    return Message(one, {"count": count, **_checked(values)}, many, count)


def listed(parts: Iterable[str]) -> str:
    """Join parts to one value, such as "Ann, Ben and Tom"."""
    first, *rest = parts
    for number, one in enumerate(rest):
        if number == len(rest) - 1:
            first = msg("{first} and {last}", first=first, last=one)
        else:
            first = msg("{first}, {next}", first=first, next=one)
    return first


def clause(text: str) -> str:
    """Return text to embed in a sentence: a message as it is, plain text without its full stop."""
    return text if isinstance(text, Message) else text.rstrip(".")


def as_sentence(text: str) -> str:
    """Return a message or plain text with a full stop at its end."""
    if isinstance(text, Message) and text.endswith("."):
        return text
    return msg("{sentence}.", sentence=clause(text))


def store(text: str) -> str:
    """Return a message as text for a database column; plain text is stored as it is."""
    if isinstance(text, Message):
        return json.dumps(text.to_json(), ensure_ascii=False)
    # Somebody may have named a file like that.
    return store(Message("{text}", {"text": text})) if text.startswith(MARK) else text


def restore(stored: str) -> str:
    """Return the message, or the plain text of earlier versions, from a database column."""
    if not stored.startswith(MARK):
        return stored
    return Message.from_json(json.loads(stored))


def translate(text: str, language: Language) -> str:
    """Return a message in a language; plain text is returned as it is."""
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
    if isinstance(value, Share):
        return language.share(value)
    return translate(value, language) if isinstance(value, str) else str(value)


def _to_json(value: Value) -> object:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, Share):
        return {"share": float(value)}
    return {"size": int(value)} if isinstance(value, Size) else value


def _from_json(told: object) -> Value:
    match told:
        case {"msg": _}:
            return Message.from_json(cast("Mapping[str, object]", told))
        case {"size": int(octets)}:
            return Size(octets)
        case {"share": float(part)}:
            return Share(part)
        case _:
            return cast("Value", told)
