"""What a process does, from the words of the command line."""

from __future__ import annotations

import pytest

from sidecar.domain.processes.roles import ALONE, read_roles


def test_without_words_one_process_does_all_and_is_alone() -> None:
    assert (ALONE.serves_pages, ALONE.watches, ALONE.works, ALONE.is_alone) == (True,) * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", (True, False, False)),
        ("watch", (False, True, False)),
        ("work", (False, False, True)),
        ("web, watch", (True, True, False)),
        ("work,watch,web", (True, True, True)),
    ],
)
def test_each_word_is_a_part_and_none_is_alone(text: str, expected: tuple[bool, ...]) -> None:
    found = read_roles(text)

    assert (found.serves_pages, found.watches, found.works) == expected
    assert not found.is_alone


@pytest.mark.parametrize("text", ["", "all", "web;work", "web,"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Task"):
        read_roles(text)


def test_roles_are_said_as_they_are_read() -> None:
    assert read_roles("work, web").text == "web,work"
    assert ALONE.text == ""
