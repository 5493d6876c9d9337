"""What was heard at home comes to the player, and nothing of the player's is lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.player_logs.bookmarks import parse_bookmark
from sidecar.domain.player_logs.states import UserState
from sidecar.errors import DeviceError
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.players.player_logs.state_views import GivenView, NotTheListener
from sidecar.services.players.player_logs.states import Wanted
from tests.services.conftest import STICK, World
from tests.services.travelling import NOON, Traveller

CHANGELOG = ".rockbox/database_changelog.txt"
RECENT = ".rockbox/most-recent.bmark"
LATER = datetime.fromtimestamp(NOON + 3600, UTC)

pytestmark = pytest.mark.parametrize("server", [Version.V12_0], indirect=True)


@pytest.fixture
def away(world: World, server: DemoServer, tmp_path: Path) -> Iterator[Traveller]:
    world.clock.advance(86_400)
    made = Traveller(world, server, tmp_path / "stick")
    yield made
    made.close()


def on_device(one: Traveller, title: str, known: UserState) -> str:
    """Let a file be on the device, and Jellyfin know this of it; return its path."""
    download = one.has(title)
    one.puts(download.file_path, b"music")
    PlayStates(one.clients[one.ann.user_id]).change(download.item_id, UserState(), known)
    return download.file_path


def test_a_newer_position_comes_in_front_in_the_form_of_the_file_and_all_else_stays(
    away: Traveller,
) -> None:
    path = on_device(away, "Tone 1", UserState(9.0, last=LATER))
    folder, _, name = path.rpartition("/")
    old = f"4;16000;7;0;1000;1;0;/<HDD0>/{folder}/;{name}\r\nodd\xff\r\n".encode("latin-1")
    file = away.puts(f"{folder}.bmark", old)
    recent = away.puts(RECENT, b">1;0;0;0;5;0;0;9000;/Other/;1.mp3")
    give = away.giver.give
    with pytest.raises(NotTheListener):
        give(away.ann, STICK, bookmarks=True, changelog=True)
    assert file.read_bytes() == old
    away.listeners.choose(away.ann, STICK, away.ann.user_id)

    assert give(away.ann, STICK, bookmarks=True, changelog=False) == GivenView(
        bookmarks=1, tracks=0
    )

    line = f"4;144000;7;0;9000;1;0;/<HDD0>/{folder}/;{name}".encode()
    assert file.read_bytes() == line + b"\r\n" + old
    assert recent.read_bytes() == line + b"\n>1;0;0;0;5;0;0;9000;/Other/;1.mp3"
    assert not (away.folder / ".sidecar/player.draft").exists()
    assert give(away.ann, STICK, bookmarks=True, changelog=False).bookmarks == 0
    assert away.player.look(away.ann, STICK).positions == []
    # Moved on at home, it replaces ours; heard to its end, ours goes.
    states, item = PlayStates(away.clients[away.ann.user_id]), away.item("Tone 1")
    now = states.state(item.id)
    states.change(item.id, now, UserState(12.0, last=LATER))
    give(away.ann, STICK, bookmarks=True, changelog=False)
    assert (
        file.read_bytes()
        == line.replace(b"144000", b"192000").replace(b"9000", b"12000") + b"\r\n" + old
    )
    states.change(item.id, states.state(item.id), UserState(0.0, 1, LATER, is_played=True))
    give(away.ann, STICK, bookmarks=True, changelog=False)
    assert file.read_bytes() == old


def test_a_file_is_made_only_on_a_player_and_an_older_position_is_not_given(
    away: Traveller,
) -> None:
    away.listeners.choose(away.ann, STICK, away.ann.user_id)
    path = on_device(away, "Tone 1", UserState(9.0, last=LATER))
    folder, _, name = path.rpartition("/")
    file = away.folder / f"{folder}.bmark"
    away.giver.give(away.ann, STICK, bookmarks=True, changelog=False)
    assert away.giver.give(away.ann, STICK, bookmarks=False, changelog=True).tracks == 0
    assert not file.exists()
    assert not (away.folder / ".rockbox").exists()

    (away.folder / ".rockbox").mkdir()
    away.giver.give(away.ann, STICK, bookmarks=True, changelog=False)
    assert file.read_text() == f">0;0;0;0;9000;0;0;/{folder}/;{name}\n"
    mark = parse_bookmark(file.read_bytes())
    assert mark is not None
    theirs = file.read_bytes().replace(b"9000", b"20000")
    file.write_bytes(theirs)
    done = away.giver.give(away.ann, STICK, bookmarks=True, changelog=False)
    assert (done.bookmarks, file.read_bytes()) == (0, theirs)


def test_hearts_and_counts_go_as_a_changelog_and_do_not_come_back_as_new_plays(
    away: Traveller,
) -> None:
    away.listeners.choose(away.ann, STICK, away.ann.user_id)
    loved = UserState(3.0, 5, LATER, is_played=True, is_favourite=True)
    path = on_device(away, "Tone 1", loved)
    other = on_device(away, "Tone 2", UserState(count=1, last=LATER))
    on_device(away, "Tone 3", UserState())
    theirs = f'title="a" filename="/<HDD0>/{path}" playcount="2" rating="3" \n'.encode()
    file = away.puts(CHANGELOG, b"## Changelog version 1\n# mine\n" + theirs)

    done = away.giver.give(away.ann, STICK, bookmarks=False, changelog=True)

    # Two of its own are still to come home: the player has them beside the five.
    line = theirs.replace(b'"2"', b'"7"').replace(b'"3"', b'"10"')
    more = b'lastelapsed="3000" lastoffset="0" \n'
    assert done == GivenView(bookmarks=0, tracks=2)
    assert file.read_bytes() == (
        b"## Changelog version 1\n# mine\n"
        + line.replace(b"\n", more)
        + f'filename="/<HDD0>/{other}" playcount="1" \n'.encode()
    )
    counts = away.player.look(away.ann, STICK).counts
    assert [(one.title, one.plays) for one in counts] == [("Tone 1", 2)]
    away.player.take(away.ann, STICK, Wanted())
    assert away.mark("Tone 1")[0] == 7
    file.write_bytes(file.read_bytes().replace(b'playcount="7"', b'playcount="9"'))
    away.player.take(away.ann, STICK, Wanted())
    assert away.mark("Tone 1")[0] == 9
    assert away.mark("Tone 2")[0] == 1


def test_a_file_that_changed_meanwhile_is_left_alone(away: Traveller) -> None:
    file = away.puts("Book.bmark", b"new")
    files = away.registry.get(STICK).folder.player_files

    for before in (b"old", b"newer", None):
        with pytest.raises(DeviceError, match="has changed meanwhile"):
            files.replace("Book.bmark", before, b"ours")

    assert file.read_bytes() == b"new"
    files.replace("Book.bmark", b"new", b"ours")
    assert file.read_bytes() == b"ours"
