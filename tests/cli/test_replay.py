from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar import cli

ROWS = [f"2026-03-{day:02}T18:00:00,ann,a{day % 4},200" for day in range(1, 29)]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, no configuration, no data."""
    monkeypatch.setenv("SIDECAR_SERVER__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def write(tmp_path: Path, *rows: str) -> str:
    path = tmp_path / "plays.csv"
    path.write_text("\n".join(["time,user,item_id,seconds", *rows]) + "\n", encoding="utf-8")
    return str(path)


def test_a_file_is_replayed_without_a_server_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, ROWS[0], "soon,ann,a1,200", *ROWS[1:])

    code = cli.main(["replay", "--plays", path, "--budget", "50%,7MB", "--budget", "1GB", "--json"])

    printed = capsys.readouterr()
    runs = json.loads(printed.out)["runs"]
    library = 4 * 200 * 32_000
    assert code == 0
    assert [(one["name"], one["budget"]) for one in runs[:5]] == [
        (name, library // 2)
        for name in ("rules", "fill", "most_played", "least_recently_used", "chance")
    ]
    assert {one["budget"] for one in runs} == {library // 2, 7_000_000, 10**9}
    needed = {"plays", "hits", "hit_rate", "repeat_hit_rate", "bytes_fetched", "bytes_evicted"}
    assert all(needed <= one.keys() and one["plays"] == 28 for one in runs)
    assert "plays.csv, line 3: time is 'soon'" in printed.err
    assert "1 row left out, 28 read" in printed.err
    assert "100 %" in printed.err
    assert not (tmp_path / "data").exists()

    code = cli.main(["replay", "--plays", path, "--budget", "9MB", "--recommend", "--json"])
    (advice,) = json.loads(capsys.readouterr().out)["recommended"]
    assert (code, advice["budget"], advice["configured"]["album_affinity.threshold"]) == (
        0,
        9_000_000,
        3,
    )
    assert advice["set"] == advice["configured"] | {
        "fill.enabled": True,
        "album_affinity.enabled": False,
    }
    assert "Fill what is left" in advice["reason"]

    settings = ["--set", "fill.turnover=0", "--set", "album_affinity.enabled=false"]
    assert cli.main(["replay", "--plays", path, *settings]) == 0
    assert "least_recently_used" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--budget", "big"], 2, 'must be a size such as "32 GB", or a share'),
        (["--budget", "1GB,"], 2, "must be a size"),
        (["--set", "album_affinity.threshold=many"], 2, "threshold"),
        (["--set", "fill.turnover=much"], 2, "must be a whole number"),
        (["--set", "fill.whole_albums=1"], 2, "must be true or false"),
        (["--set", "fill.discovery=101"], 2, "at most 100"),
        (["--set", "fill.magic=1"], 2, "there is no such setting"),
        (["--set", "magic.power=1"], 2, "there is no such rule"),
        (["--plays", "nowhere.csv"], 1, "nowhere.csv could not be read"),
        (["--plays", "other.csv"], 2, "names no column time, user"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    path = write(tmp_path, *ROWS)

    assert cli.main(["replay", "--plays", path, *arguments]) == code
    assert said in capsys.readouterr().err


def test_without_any_play_it_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay"]) == 1
    assert "--plays FILE" in capsys.readouterr().err
