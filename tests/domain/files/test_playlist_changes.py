"""What lists that come back from a device name, and what was changed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.files.m3u import PlaylistEntry, render
from sidecar.domain.files.playlist_changes import (
    MOST_ENTRIES,
    MOST_PARTS,
    compare,
    find_files,
    index_paths,
    is_conflict,
    is_hearts,
    merge,
    plan_moves,
    read_lines,
)
from sidecar.domain.files.presets import PRESETS, PresetName

GLOSOLI = "Sigur Rós/Takk… (2005)/1-02 - Glósóli.flac"
TONE = "The Sine Waves/First Light (2019)/1-01 - Tone 1.flac"
ROOT = "song.mp3"
FILES = index_paths([GLOSOLI, TONE, ROOT])
NAMES = st.lists(st.sampled_from("abcdefghij"), max_size=10)
DEEP = 2000
UNIQUE = st.lists(st.sampled_from("abcdefghij"), max_size=10, unique=True)


def look_up(keys: Collection[str]) -> Mapping[str, str]:
    return {key: FILES[key] for key in keys if key in FILES}


@pytest.mark.parametrize(
    "line",
    [
        f"../{TONE}",
        f"..\\{TONE}".replace("/", "\\"),
        f"/{TONE}",
        f"/storage/1234-ABCD/Music/{TONE}",
        f"E:\\{TONE}".replace("/", "\\"),
        f"/<microSD1>/{TONE}",
        f"../../card/./{TONE}",
        f"file:///storage/emulated/0/{TONE}".replace(" ", "%20"),
        TONE.upper(),
    ],
)
def test_however_a_player_writes_a_path_its_file_is_found(line: str) -> None:
    assert find_files([line], "Playlists", look_up).paths == (TONE,)


@pytest.mark.parametrize(
    "line",
    [
        "https://radio.example/stream",
        "Other/Tone 1.flac",
        f"../x/{ROOT}",
        "..",
        "/",
        "a\0b",
        "a%00b",
    ],
)
def test_what_is_no_file_of_the_device_is_counted_only(line: str) -> None:
    found = find_files([line], "Playlists", look_up)

    assert (found.paths, found.unknown) == ((), 1)


def test_all_files_of_a_list_are_asked_for_at_once_and_a_deep_path_means_few() -> None:
    asked: list[Collection[str]] = []
    lines = [f"/{'x/' * DEEP}{TONE}", f"../{GLOSOLI}", f"../x/{ROOT}"]

    def ask(keys: Collection[str]) -> Mapping[str, str]:
        asked.append(keys)
        return look_up(keys)

    assert find_files(lines, "Playlists", ask).paths == (TONE, GLOSOLI)
    assert len(asked) == 1
    assert len(asked[0]) < len(lines) * (MOST_PARTS + 2)


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", b""), ("utf-8-sig", b""), ("utf-16", b""), ("cp1252", b"")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_matter(encoding: str, mark: bytes, end: str) -> None:
    path = GLOSOLI.replace("ó", "ò")
    text = end.join(["#EXTM3U", "#EXTINF:1,x", f"../{path}", "", f"  ../{TONE} "])

    lines = list(read_lines(mark + text.encode(encoding)))

    files = index_paths([path, TONE])
    assert find_files(lines, "Playlists", lambda _keys: files).paths == (path, TONE)


@pytest.mark.parametrize("preset", list(PresetName))
def test_our_own_lists_are_read_back_as_they_were_written(preset: PresetName) -> None:
    there = PRESETS[preset]
    entries = [PlaylistEntry(one, "T", None, 1.0) for one in (TONE, GLOSOLI, TONE)]

    lines = read_lines(render("Road", entries, there))

    assert find_files(lines, there.folder, look_up).paths == (TONE, GLOSOLI, TONE)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_within_bounds(content: bytes) -> None:
    found = find_files(read_lines(content), "Playlists", look_up)

    assert set(found.paths) <= set(FILES.values())
    assert len(found.paths) + found.unknown <= MOST_ENTRIES


def test_a_list_is_read_to_a_bound() -> None:
    assert sum(1 for _ in read_lines(b"a\n" * (MOST_ENTRIES + 10))) == MOST_ENTRIES
    assert list(read_lines(b"x" * 5000)) == []


@given(NAMES, NAMES)
def test_what_was_added_and_removed_makes_the_one_list_of_the_other(
    before: list[str], after: list[str]
) -> None:
    changes = compare(before, after)

    assert sorted([*before, *changes.added]) == sorted([*after, *changes.removed])
    assert changes.is_any == (before != after)
    assert not set(changes.added) & set(changes.removed)


@given(UNIQUE, UNIQUE, UNIQUE)
def test_a_merge_keeps_what_both_did_and_doing_it_twice_changes_nothing(
    base: list[str], there: list[str], server: list[str]
) -> None:
    merged = merge(base, there, server)

    assert len(set(merged)) == len(merged)
    assert set(merged) == (set(server) | (set(there) - set(base))) - (set(base) - set(there))
    assert merge(base, there, merged) == merged
    assert merge(base, base, server) == server or set(base) - set(server) or not _same(base, server)
    if set(base) <= set(server):
        assert [one for one in merged if one in there] == there


def _same(base: list[str], server: list[str]) -> bool:
    return [one for one in server if one in base] == base


@given(UNIQUE.flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))))
def test_moves_lead_to_the_order_that_is_wanted(orders: tuple[list[str], list[str]]) -> None:
    current, target = orders
    now, moves = list(current), plan_moves(current, target)
    for one, index in moves:
        now.remove(one)
        now.insert(index, one)

    assert now == target
    assert len(moves) < max(1, len(target))


def test_one_entry_that_went_to_the_end_is_one_move_and_repeats_are_not_moved() -> None:
    assert plan_moves("abcdef", "bcdefa") == [("a", 5)]
    assert plan_moves("aab", "aba") == []


def test_both_changed_is_a_conflict_unless_they_say_the_same() -> None:
    assert not is_conflict("abc", "abcd", "abc")
    assert not is_conflict("abc", "ab", "axbycz"), "what is not on the device is no change"
    assert not is_conflict("abc", "abc", "ab")
    assert is_conflict("abc", "abcd", "ab")
    assert is_conflict("abc", "abcd", "cba")
    assert not is_conflict("abc", "ab", "ab")


def test_hearts_are_known_by_their_name_in_any_case_and_language() -> None:
    assert all(map(is_hearts, ("Hearts", "HEARTS", "herzen", "Favourites")))
    assert not is_hearts("Hearts of stone")
