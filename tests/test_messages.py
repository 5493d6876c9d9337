"""A message is its English text to whoever wants text, and more to whoever translates it."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import DeviceError
from sidecar.messages import (
    MARK,
    Message,
    Size,
    as_sentence,
    counted,
    listed,
    msg,
    restore,
    store,
    translate,
)

FULL = msg("{device} is full ({free} stay free)", device="Car stick", free=Size(1_500_000_000))


class German:
    """A language of a few sentences."""

    def sentence(self, text: str, /) -> str:
        return {
            "{device} is full ({free} stay free)": "{device} ist voll ({free} bleiben frei)",
            "{why}: it waits": "{why}: Es wartet",
            "{first} and {last}": "{first} und {last}",
        }.get(text, text)

    def counted(self, one: str, many: str, number: int, /) -> str:
        known = {"{count} file": "{count} Datei", "{count} files": "{count} Dateien"}
        return known[one if number == 1 else many]

    def size(self, octets: float, /) -> str:
        return f"{octets / 10**9:.1f} GB".replace(".", ",")

    def share(self, part: float, /) -> str:
        return f"{100 * part:.1f} %".replace(".", ",")

    def number(self, amount: int, /) -> str:
        return f"{amount:,}".replace(",", ".")


def test_a_message_is_its_english_text() -> None:
    assert FULL == "Car stick is full (1.5 GB stay free)"
    assert json.dumps(FULL) == '"Car stick is full (1.5 GB stay free)"'
    assert f"{FULL}!" == "Car stick is full (1.5 GB stay free)!"


def test_an_error_still_tells_its_message() -> None:
    told = str(DeviceError("full", FULL))

    assert isinstance(told, Message)
    assert told.translated(German()) == "Car stick ist voll (1,5 GB bleiben frei)"


def test_messages_inside_a_message_are_translated_too() -> None:
    waits = msg("{why}: it waits", why=FULL)

    assert waits == "Car stick is full (1.5 GB stay free): it waits"
    assert translate(waits, German()) == "Car stick ist voll (1,5 GB bleiben frei): Es wartet"


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [
        (1, "1 file", "1 Datei"),
        (3, "3 files", "3 Dateien"),
        (2616, "2616 files", "2.616 Dateien"),
    ],
)
def test_a_number_chooses_the_words(count: int, english: str, german: str) -> None:
    files = counted("{count} file", "{count} files", count)

    assert files == english
    assert files.translated(German()) == german


@pytest.mark.parametrize(
    ("names", "english"),
    [(["Ann"], "Ann"), (["Ann", "Ben"], "Ann and Ben"), (["A", "B", "C"], "A, B and C")],
)
def test_a_list_is_one_value(names: list[str], english: str) -> None:
    assert listed(names) == english


def test_a_value_that_looks_like_a_field_stays_as_it_is() -> None:
    assert msg("{title} of {album}", title="{album}", album="Moon") == "{album} of Moon"


def test_a_full_stop_is_not_said_twice() -> None:
    assert as_sentence("Old plain text.") == "Old plain text."
    assert as_sentence(msg("It fits")) == "It fits."
    assert as_sentence(msg("It fits.")) == "It fits."


VALUES = st.text() | st.integers() | st.integers(min_value=0).map(Size)


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), VALUES | VALUES.map(lambda one: msg("{x}", x=one)))
)
def test_what_is_stored_comes_back(values: dict[str, object]) -> None:
    message = msg("{a} and {b}", **values)

    back = restore(store(message))

    assert isinstance(back, Message)
    assert (back, back.id, back.to_json()) == (message, message.id, message.to_json())


def test_what_counts_comes_back_too() -> None:
    back = restore(store(counted("{count} file", "{count} files", 3)))

    assert isinstance(back, Message)
    assert back.translated(German()) == "3 Dateien"


@given(st.text())
def test_plain_text_of_earlier_versions_stays_as_it_is(text: str) -> None:
    assert restore(store(text)) == text
    assert translate(text, German()) == text


@pytest.mark.parametrize("text", ['{"msg": "Safe to remove"}', '{"msg": cut off', MARK])
def test_plain_text_that_looks_like_a_stored_message_stays_plain(text: str) -> None:
    assert restore(store(text)) == text
    assert restore(store(msg("{title} waits", title=text))) == f"{text} waits"
    assert restore(store(msg("{title}", title=text))) == text


def test_a_copy_is_the_same_message() -> None:
    assert copy.deepcopy(FULL).to_json() == FULL.to_json()
