from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.items.natural_sort import natural_key


def test_numbers_count_as_numbers_wherever_they_stand() -> None:
    names = ["a/2-01 x", "a/1-10 x", "a/1-2 x", "b", "a/1-100 x", "10", "9", ""]

    assert sorted(names, key=natural_key) == [
        "",
        "9",
        "10",
        "a/1-2 x",
        "a/1-10 x",
        "a/1-100 x",
        "a/2-01 x",
        "b",
    ]


@given(st.lists(st.text()))
def test_any_texts_can_be_put_in_order(texts: list[str]) -> None:
    in_order = sorted(texts, key=natural_key)

    assert sorted(in_order) == sorted(texts)
