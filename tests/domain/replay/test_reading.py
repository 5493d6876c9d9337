from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sidecar.domain.replay.history import make_history
from sidecar.domain.replay.reading import NoHistory, read_plays

HEADING = "time,user,item_id,seconds"


def read(*lines: str) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    found = read_plays("".join(f"{one}\n" for one in lines).splitlines(keepends=True))
    plays: list[tuple[object, ...]] = [
        (one.began.isoformat(), one.user, one.item_id, one.seconds) for one in found.plays
    ]
    return plays, [(one.line, one.reason) for one in found.bad]


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        (HEADING, "2026-03-01T18:30:00,ann,a1,200"),
        ("\ufeffTime,User,Item_ID,Seconds", "2026-03-01 18:30,ann,a1,200.0"),
        ("seconds;item_id;user;time", "200;a1;ann;2026-03-01T20:30:00+02:00"),
        ("time\tuser\titem_id\tseconds", "2026-03-01T18:30:00Z\tann\ta1\t200"),
        (f"{HEADING},note", '2026-03-01T18:30:00,ann,a1,200,"with a\nline break"'),
        (HEADING, "\n2026-03-01T18:30:00,ann,a1,200"),
    ],
)
def test_a_csv_is_read_however_it_is_written(heading: str, row: str) -> None:
    assert read(heading, row) == ([("2026-03-01T18:30:00+00:00", "ann", "a1", 200.0)], [])


def test_bad_rows_are_told_with_their_lines_and_lose_nothing_else() -> None:
    plays, bad = read(
        HEADING,
        "2026-03-01T18:30:00,ann,a1,200",
        "yesterday,ann,a1,200",
        "2026-03-01T18:40:00,ann,a2,long",
        "2026-03-01T18:50:00,,a2,1",
        "2026-03-01T18:50:00,ann",
        "2026-03-01T18:50:00,ann,a3,-1",
        "2026-03-01T18:50:00,ann,a3,nan",
        "0001-01-01T00:00:00+14:00,ann,a3,1",
        "2026-03-01T19:00:00,bob,a2,100",
    )

    assert [one[1:3] for one in plays] == [("ann", "a1"), ("bob", "a2")]
    assert [line for line, _ in bad] == [3, 4, 5, 6, 7, 8, 9]
    assert bad[0][1] == "time is 'yesterday': must be a time such as 2026-03-01T18:30:00"
    assert bad[1][1] == "seconds is 'long': must be a number"
    assert bad[2][1] == "user is missing"


@pytest.mark.parametrize("closed", [True, False])
def test_a_quote_that_is_never_closed_swallows_no_other_row(closed: bool) -> None:
    later = [f"2026-03-02T18:{n:02}:00,ann,b{n},100,x" for n in range(60)]
    end = ['2026-03-03T18:30:00,ann,a9,200,"Low"'] if closed else []

    plays, bad = read(f"{HEADING},title", '2026-03-01T18:30:00,ann,a1,200,"Heroes', *later, *end)

    assert len(plays) == 61 + len(end)
    assert bad == []


@pytest.mark.parametrize("lines", [(), ("",), ("a,b,c",), ("2026-03-01T18:30:00,ann,a1,200",)])
def test_a_file_of_another_kind_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(NoHistory):
        read(*lines)


def test_the_export_of_playback_reporting_is_read_and_a_paused_play_is_one() -> None:
    item, other, ann = "A" * 32, "b" * 32, "c" * 32
    how = 'DirectPlay\tJellyfin "Web\tFirefox'
    found = read_plays(
        [
            f"2026-03-01 18:30:00.1234567\t{ann}\t{item}\tAudio\tMira - Dawn (Light)\t{how}\t100\n",
            f"2026-03-01 18:32:00.1234567\t{ann}\t{item}\tAudio\tMira - Dawn (Light)\t{how}\t90\n",
            f"2026-03-01 18:50:00\t{ann}\t{item}\tAudio\tMira - Dawn (Light)\t{how}\t190\n",
            f"2026-03-01 19:00:00\t{ann}\t{other}\tMovie\tA Film (2020)\t{how}\t6000\n",
            "2026-03-01 19:00:00\tann\n",
        ]
    )

    assert sorted((one.began.minute, one.seconds) for one in found.plays) == [
        (0, 6000.0),
        (30, 190.0),
        (50, 190.0),
    ]
    track, film = found.items[item.lower()], found.items[other]
    assert (track.artist, track.title, track.album) == ("Mira", "Dawn", "Light")
    assert (film.artist, film.title) == (None, "A Film (2020)")
    assert [one.line for one in found.bad] == [5]


def test_what_rows_do_not_say_is_completed_from_others_and_by_what_is_usual() -> None:
    read_from = read_plays(
        [
            f"{HEADING},title,album,artist,size\n",
            "2026-03-01T18:30:00,ann,a1,100,,Hits,Mira,\n",
            "2026-03-02T18:30:00,ann,a1,200,Dawn,,,5000\n",
            "2026-03-01T18:40:00,ann,a2,100,,Hits,Kaleo,\n",
            "2026-03-01T18:40:00,ann,a3,0,,,,\n",
            "2026-03-01T18:40:00,ann,a4,0,,Hits,Mira,1\n",
        ]
    )
    history = make_history(read_from.plays, read_from.items.values())

    first, second, third = (history.items[one] for one in ("a1", "a2", "a3"))
    assert (first.title, first.size, first.length) == ("Dawn", 5000, 200.0)
    assert (second.title, second.size) == ("a2", 3_200_000)
    assert third.size == 8_000_000
    # Two artists with an album of the same name each: not one album.
    assert first.album_id == history.items["a4"].album_id
    assert history.plays[0].began == datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
