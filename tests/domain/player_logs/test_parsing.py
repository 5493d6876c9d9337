from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.player_logs.parsing import (
    LONGEST_LINE,
    LoggedPlay,
    LogKind,
    UnreadableLine,
    read_log,
)


def read_scrobbler(lines: list[bytes]) -> list[LoggedPlay | UnreadableLine]:
    return list(read_log(LogKind.SCROBBLER, lines))


def read_playback(lines: list[bytes]) -> list[LoggedPlay | UnreadableLine]:
    return list(read_log(LogKind.PLAYBACK, lines))


HEAD = [b"#AUDIOSCROBBLER/1.1\n", b"#TZ/UNKNOWN\n", b"#CLIENT/Rockbox ipodvideo $Revision$\n"]
LINE = "Sigur Rós\tTakk...\tGlósóli\t3\t375\tL\t1761998400\t62c2e20a\n".encode()


def heard(**facts: object) -> LoggedPlay:
    values: dict[str, object] = {"kind": LogKind.SCROBBLER, "line": 4, "stamp": 1761998400}
    return LoggedPlay(**{**values, **facts})  # type: ignore[arg-type]


WHOLE = heard(length_s=375.0, artist="Sigur Rós", album="Takk...", title="Glósóli", number=3)


def test_a_log_as_rockbox_writes_it() -> None:
    assert read_scrobbler([*HEAD, LINE]) == [WHOLE]


def test_a_skip_is_a_skip() -> None:
    skipped = LINE.replace(b"\tL\t", b"\tS\t")

    [one] = read_scrobbler([*HEAD, skipped])

    assert isinstance(one, LoggedPlay)
    assert one.is_skip


def test_only_the_header_says_that_the_clock_told_utc() -> None:
    utc = [line.replace(b"UNKNOWN", b"UTC") for line in HEAD]

    both = list(read_scrobbler([*utc, LINE, *HEAD, LINE]))

    assert [one.is_utc for one in both if isinstance(one, LoggedPlay)] == [True, False]


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace(b"\n", b"\r\n"),
        LINE.replace(b"\t62c2e20a", b""),
        LINE.replace(b"\tL\t", b"\tl \t"),
        "Sigur Rós\tTakk...\tGlósóli\t3\t375\tL\t1761998400\t\n".encode("latin-1"),
        LINE.replace(b"\t375\t", b"\t 375\t"),
        LINE.removesuffix(b"\n"),
    ],
    ids=["windows", "no last field", "rating", "latin-1", "space", "no line end"],
)
def test_what_other_programs_leave_is_read(line: bytes) -> None:
    assert read_scrobbler([*HEAD, line]) == [WHOLE]


def test_a_log_without_a_header_is_read() -> None:
    [one] = read_scrobbler([b"\xef\xbb\xbf" + LINE])

    assert one == heard(
        line=1, length_s=375.0, artist="Sigur Rós", album="Takk...", title="Glósóli", number=3
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"nonsense\n", "it has 1 fields, not 8"),
        (b"a\tb\tc\td\te\tf\tg\th\ti\n", "it has 9 fields, not 8"),
        (LINE.replace(b"\tL\t", b"\tX\t"), "it is rated neither L nor S"),
        (LINE.replace(b"375", b"long"), "its length is no number"),
        (LINE.replace(b"375", b"-5"), "its length is negative"),
        (LINE.replace(b"1761998400", b""), "its time is no number"),
        (b"a\tb\t\t1\t2\tL\t3\t\n", "it has no title"),
        (b"\0" * 40 + b"\n", "it is damaged: the player lost power while it wrote"),
        (b"# FAILED - a\tb\n", "the player itself could not write it"),
        (b"a" * (LONGEST_LINE + 1), "it is far too long"),
        (b"a\tb\tc\t1\t2\tL\t17619", "it is cut off"),
    ],
)
def test_a_bad_line_is_told_and_the_next_one_is_read(line: bytes, why: str) -> None:
    bad, good = read_scrobbler([line, LINE])

    assert isinstance(bad, UnreadableLine)
    assert (bad.line, bad.why) == (1, why)
    assert isinstance(good, LoggedPlay)


def test_a_track_without_tags_is_named_by_its_path() -> None:
    [one] = read_scrobbler([b"<UNTAGGED>\t\t/Music/a.mp3\t\t0\tL\t1761998400\t\n"])

    assert one == heard(line=1, title="/Music/a.mp3", is_untagged=True)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (b"-1", None),
        (b"0", None),
        (b"", None),
        (b" -1 ", None),
        (b"A1", None),
        (b"3/12", 3),
        (b"03", 3),
    ],
)
def test_a_number_that_is_not_known_loses_no_play(number: bytes, told: int | None) -> None:
    [one] = read_scrobbler([LINE.replace(b"\t3\t375", b"\t" + number + b"\t375")])

    assert isinstance(one, LoggedPlay)
    assert (one.number, one.length_s) == (told, 375.0)


def test_a_length_that_is_not_known_loses_no_play() -> None:
    [one] = read_scrobbler([LINE.replace(b"\t375\t", b"\t-1\t")])

    assert isinstance(one, LoggedPlay)
    assert one.length_s is None


@pytest.mark.parametrize(
    "mark", [b"> ", b"*", b"+", b"\t", b"!! ", b"\xc2\xbb", b"L:", b"S ", b"[x] "]
)
def test_a_mark_before_the_time_of_a_playback_log_loses_no_play(mark: bytes) -> None:
    line = b"1761998400:200000:375000:/A/B.flac\n"

    [plain], [marked] = read_playback([line]), read_playback([mark + line])

    assert marked == plain
    assert isinstance(plain, LoggedPlay)


def test_a_minus_is_no_mark_and_a_comment_stays_one() -> None:
    [odd] = read_playback([b"-1761998400:200000:375000:/A/B.flac\n"])

    assert isinstance(odd, UnreadableLine)
    assert odd.why == "its time is negative"
    assert list(read_playback([b"#1761998400:200000:375000:/A/B.flac\n"])) == []


def test_a_playback_log_as_rockbox_writes_it() -> None:
    lines = [
        b"# Started Ver. 4.0 2026-11-01 Time 12-00-00\n",
        b"1761998400:200000:375000:/<HDD0>/A/B: C/01 - D.flac\n",
    ]

    assert read_playback(lines) == [
        LoggedPlay(
            kind=LogKind.PLAYBACK,
            line=2,
            stamp=1761998400,
            length_s=375.0,
            heard_s=200.0,
            path="/<HDD0>/A/B: C/01 - D.flac",
        )
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"1761998400:200000:C:/A/B.flac\n", "its length is no number"),
        (b"1761998400:200000\n", "it is not time:heard:length:path"),
        (b"1761998400:-1:375000:/A/B.flac\n", "its time heard is negative"),
        (b"1761998400:200000:375000:\n", "it names no file"),
    ],
)
def test_a_bad_line_of_a_playback_log_is_told(line: bytes, why: str) -> None:
    [bad] = read_playback([line])

    assert isinstance(bad, UnreadableLine)
    assert (bad.line, bad.why) == (1, why)


def test_nobody_heard_more_of_a_track_than_there_is() -> None:
    [one] = read_playback([b"1761998400:400000:375000:/A.flac\n"])

    assert isinstance(one, LoggedPlay)
    assert one.heard_s == 375.0


KINDS = st.sampled_from(LogKind)
BYTES = st.lists(st.binary(max_size=60).map(lambda one: one.replace(b"\n", b"") + b"\n"))
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), min_size=1, max_size=20
)


@given(KINDS, BYTES)
def test_whatever_a_log_holds_each_line_gives_one_answer_at_most(
    kind: LogKind, lines: list[bytes]
) -> None:
    found = list(read_log(kind, lines))

    assert [one.line for one in found] == sorted({one.line for one in found})
    assert len(found) <= len(lines)
    assert not any(
        lines[one.line - 1].startswith(b"#") for one in found if isinstance(one, LoggedPlay)
    )


@st.composite
def listenings(draw: st.DrawFn) -> LoggedPlay:
    return heard(
        stamp=draw(st.integers(0, 2**32)),
        length_s=float(draw(st.integers(1, 100_000))),
        is_skip=draw(st.booleans()),
        artist=draw(NAMES.filter(lambda one: not one.startswith("#"))),
        album=draw(NAMES),
        title=draw(NAMES),
        number=draw(st.integers(1, 999)),
    )


@given(listenings())
def test_what_was_written_is_what_is_read(one: LoggedPlay) -> None:
    rating = "S" if one.is_skip else "L"
    facts = [one.artist, one.album, one.title, one.number, int(one.length_s or 0), rating]
    text = "\t".join(map(str, [*facts, one.stamp, ""])) + "\n"

    assert read_scrobbler([*HEAD, text.encode()]) == [one]
