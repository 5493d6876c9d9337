from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.bounded_json import UnboundedJson
from sidecar.jellyfin.http.skipping import MOST_HELD_BYTES, WithoutList

VALUES = st.recursive(
    st.none() | st.integers() | st.text('[]"\\\\{},:ab') | st.just("Full"),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", '"Full":[', "b"]), inner),
    max_leaves=8,
)


def passed(text: bytes, size: int) -> bytes:
    passing = WithoutList("Full")
    blocks = [passing.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return b"".join([*blocks, passing.end()])


@given(VALUES, st.lists(VALUES), VALUES, st.integers(1, 40))
def test_only_the_list_is_left_out_wherever_the_blocks_end(
    before: object, inside: list[object], after: object, size: int
) -> None:
    told = [{"before": before, "Full": inside, "after": after}, {"Full": inside}]
    text = json.dumps(told, separators=(",", ":")).encode()

    left = [{"before": before, "Full": [], "after": after}, {"Full": []}]
    assert json.loads(passed(text, size)) == left


@given(VALUES, st.integers(1, 40))
def test_what_has_no_such_list_passes_whole(value: object, size: int) -> None:
    text = json.dumps(value).encode()

    assert passed(text, size) == text


def test_a_list_that_does_not_end_is_no_list() -> None:
    assert passed(b'{"Full":[[1,2],"a', 5) == b'{"Full":["a'


def test_a_string_without_an_end_is_not_gathered() -> None:
    passing = WithoutList("Full")
    with pytest.raises(UnboundedJson):
        passing.feed(b'{"Full":["' + b"x" * MOST_HELD_BYTES)
