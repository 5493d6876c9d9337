from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.player_logs.bookmarks import (
    LONGEST_LINE,
    Bookmark,
    bookmark_file,
    is_at_end,
    parse_bookmark,
    put_in_front,
    split_lines,
)

NEW = b">3;4;123456;7;61000;1;0;10000;12000;/<microSD1>/Books/Dune/;05 - Part; five.mp3"
PLAIN = b">0;0;99;0;5000;0;0;/Books/Dune/;1.mp3"
OLD = b"2;555;0;0;7000;0;1;/Playlists/Night.m3u8;2.ogg"
LINES = st.one_of(
    st.binary(max_size=60).map(lambda one: one.replace(b"\n", b"")),
    st.sampled_from([NEW, PLAIN, OLD]),
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@st.composite
def bookmarks(draw: st.DrawFn) -> Bookmark:
    number = st.integers(0, 2**31 - 1)
    is_old = draw(st.booleans())
    optional = st.none() if is_old else st.none() | st.integers(-10, 30_000)
    return Bookmark(
        index=draw(number),
        offset=draw(number),
        seed=draw(st.integers(-(2**31), 2**31)),
        elapsed_ms=draw(number),
        repeat=draw(st.integers(0, 4)),
        shuffle=draw(st.integers(0, 1)),
        pitch=draw(optional),
        speed=draw(optional),
        folder=f"/{draw(TEXT.map(lambda one: one.replace(';', '')))}/",
        file=draw(TEXT.map(lambda one: one.replace("/", "") or "a")),
        first=0 if is_old else None,
    )


def test_the_new_form_and_the_old_one_are_read() -> None:
    new, plain, old = map(parse_bookmark, (NEW, PLAIN, OLD))

    assert new == Bookmark(
        index=4,
        offset=123456,
        seed=7,
        elapsed_ms=61000,
        repeat=1,
        pitch=10000,
        speed=12000,
        folder="/<microSD1>/Books/Dune/",
        file="05 - Part; five.mp3",
    )
    assert plain is not None
    assert old is not None
    assert (plain.path, plain.elapsed_ms, plain.pitch) == ("/Books/Dune/1.mp3", 5000, None)
    assert (old.path, old.elapsed_ms, old.shuffle, old.first) == (None, 7000, 1, 0)
    assert parse_bookmark(PLAIN.replace(b">0", b">2").replace(b";/B", b";80;/B")).speed == 80  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b">",
        b">4;0;0;0;5;0;0;/a/;b",
        b">1;0;0;0;5;0;0;/a/;b",
        b">0;0;0;0;-5;0;0;/a/;b",
        b">0;0;0;0;x;0;0;/a/;b",
        b">0;0;0;0;5;0;0;/a/",
        b">0;0;0;0;5;0;0;/a/;",
        b">0;0;0;0;5;0;0;/a/;b/c",
        b">0;0;0;0;99999999999;0;0;/a/;b",
        b">0;0;0;0;5;0;0;/a/;b\0",
        b"0;0;0;5;0;0;/a/;b",
    ],
)
def test_what_names_no_place_is_none(line: bytes) -> None:
    assert parse_bookmark(line) is None


@given(bookmarks())
def test_what_is_written_is_read_alike(bookmark: Bookmark) -> None:
    line = bookmark.to_line()

    if line is not None:
        assert len(line) <= LONGEST_LINE
        assert parse_bookmark(line) == bookmark
        assert parse_bookmark(line + b"\r\n") == bookmark


@given(st.binary(max_size=200), st.integers(0, 80), st.sampled_from([NEW, PLAIN, OLD]))
def test_no_damage_is_an_error_and_what_is_read_can_be_written(
    junk: bytes, at: int, line: bytes
) -> None:
    for damaged in (junk, line[:at] + junk, line[:at] + junk + line[at:]):
        found = parse_bookmark(damaged)
        if found is not None and (written := found.to_line()) is not None:
            assert parse_bookmark(written) == found


@given(st.lists(LINES, max_size=14), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_lines_that_are_not_ours_stay_byte_for_byte(
    lines: list[bytes], end: bytes, is_ended: bool
) -> None:
    content = end.join(lines) + (end if is_ended and lines else b"")
    ours = b">0;1;0;0;1;0;0;/Ours/;1.mp3"

    once = put_in_front(content, ours)
    again = put_in_front(once, ours + b"2", ours={ours})

    for changed, line in ((once, ours), (again, ours + b"2")):
        first, *others = split_lines(changed)
        assert first.rstrip(b"\r\n") == line
        assert b"".join(others) == b"".join(split_lines(content)[: len(others)])
        assert len(others) >= min(len(split_lines(content)), 9)
        assert len(others) < max(10, len(split_lines(content)) + 1)
    if len(split_lines(content)) < 10:
        assert put_in_front(once, None, ours={ours}) == content


def test_where_the_file_of_a_folder_is() -> None:
    assert bookmark_file("Books/Dune") == "Books/Dune.bmark"
    assert bookmark_file("") == "root_dir.bmark"


def test_the_end_is_a_tenth_and_five_minutes_at_most() -> None:
    assert is_at_end(24.4, 27.0)
    assert not is_at_end(24.0, 27.0)
    assert not is_at_end(35_000, 36_000)
    assert is_at_end(35_701, 36_000)
    assert not is_at_end(5.0, None)
