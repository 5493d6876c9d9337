from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.player_logs.changelog import (
    HEADER,
    LONGEST_LINE,
    LONGEST_PAIR,
    TAGS,
    ChangedTrack,
    change_line,
    is_other_version,
    parse_line,
    write_changelog,
    write_line,
)

LINE = (
    rb'artist="AC\"DC\\" album="Some" title="One\nTwo" filename="/<HDD0>/Music/1.mp3" '
    rb'playcount="3" rating="8" playtime="-1" lastplayed="7" lastelapsed="61000" '
    b'lastoffset="-5" '
)
NUMBERS = ("playcount", "rating", "lastplayed", "lastelapsed", "lastoffset")
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=700)
TRACKS = st.builds(
    lambda path, text, numbers: {"filename": f"/{path}", **text, **numbers},
    VALUES,
    st.dictionaries(st.sampled_from(["artist", "title", "comment", "album", "genre"]), VALUES),
    st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 2**31 - 1)),
)


def test_a_line_is_read() -> None:
    track = parse_line(LINE)

    assert track is not None
    assert track.path == "/<HDD0>/Music/1.mp3"
    assert track.values["artist"] == 'AC"DC\\'
    assert track.values["title"] == "One\nTwo"
    assert (track.plays, track.rating, track.elapsed_ms) == (3, 8, 61000)
    assert track.number("playtime") is None
    assert track.number("lastoffset") is None
    for nothing in (b"", HEADER, b'title="a" ', b"filename=", b'filename="" '):
        assert parse_line(nothing) is None
    assert is_other_version(b"## Changelog version 2\n")
    assert not is_other_version(HEADER + b"\r\n")


def test_numbers_that_cannot_be_true_mean_nothing() -> None:
    for wrong in (b"-1", b"x", b"", b"99999999999", b"2000000000", b"1.5"):
        track = parse_line(b'filename="/a" playcount="' + wrong + b'" rating="11" ')
        assert track is not None
        assert (track.plays, track.rating) == (0, None)


def test_the_run_that_a_player_writes_for_a_line_break_is_one() -> None:
    run = b"\\n" * 248
    track = parse_line(b'title="One' + run + b'" filename="/a" ')
    short = parse_line(b'title="One\\n\\nTwo\\\\nThree" filename="/a" ')

    assert track is not None
    assert short is not None
    assert track.values["title"] == "One\n"
    assert short.values["title"] == "One\n\nTwo\\nThree"


@given(TRACKS)
def test_what_is_written_is_read_alike(values: dict[str, str | int]) -> None:
    line = write_line(values)

    if line is None:
        assert len(str(values["filename"]).encode()) > 400 or "\n" in str(values["filename"])
        return
    assert len(line) <= LONGEST_LINE
    assert b"\n" not in line
    track = parse_line(line)
    assert track is not None
    assert track.path == values["filename"]
    for tag, value in values.items():
        if isinstance(value, int):
            assert track.number(tag) == value
        elif (told := track.values.get(tag)) is not None:
            cut = told.encode() + (b"\n" if value.startswith(f"{told}\n") else b"")
            assert value.encode().startswith(told.encode().rstrip(b"\n"))
            assert len(cut) >= min(len(value.encode()), (LONGEST_PAIR - 20) // 2 - 4) or (
                "\n" in value
            )


@given(st.binary(max_size=200), st.integers(0, 200), st.binary(max_size=5))
def test_no_damage_is_an_error(junk: bytes, at: int, more: bytes) -> None:
    for damaged in (junk, LINE[:at] + more + LINE[at:], LINE[:at] + LINE[at + 3 :]):
        track = parse_line(damaged)
        if track is not None:
            assert track.plays >= 0
            assert track.path
        change_line(damaged, {"rating": 10})
        write_changelog(damaged, [("/<HDD0>/Music/1.mp3", {"rating": 10})])


def test_other_lines_stay_and_ours_get_other_numbers() -> None:
    other = LINE.replace(b"1.mp3", b"2.mp3") + b"\n"
    content = HEADER + b"\n# of a person\n" + LINE + b"\n\xff odd\n" + other

    changed = write_changelog(
        content,
        [("/<HDD0>/Music/1.mp3", {"rating": 10, "mtime": 5}), ("/New.mp3", {"playcount": 2})],
    )

    first, second, third, fourth, fifth, new = changed.splitlines(keepends=True)
    assert first + second + fourth + fifth == content.replace(LINE + b"\n", b"", 1)
    assert third == LINE.replace(b'rating="8"', b'rating="10"') + b'mtime="5" \n'
    assert new == b'filename="/New.mp3" playcount="2" \n'
    assert write_changelog(b"", [("/a", {"rating": 10})]).startswith(HEADER + b"\nfilename=")
    assert write_changelog(changed, [("/New.mp3", {"playcount": 2})]) == changed


def test_a_line_that_a_player_could_not_read_to_its_end_is_not_made() -> None:
    long = b'filename="/a" comment="' + b"x" * (LONGEST_LINE - 25) + b'" '

    assert change_line(long, {"rating": 10}) is None
    assert write_changelog(long + b"\n", [("/a", {"rating": 10})]) == long + b"\n"
    assert write_line({"filename": "/" + "x" * 600, "rating": 10}) is None
    assert len(write_line(dict.fromkeys(TAGS, "y" * 600) | {"filename": "/a"}) or b"") <= 2047


def test_a_track_of_no_pairs_is_empty() -> None:
    assert ChangedTrack().path == ""
