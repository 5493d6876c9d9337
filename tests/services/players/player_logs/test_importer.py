"""What was heard on a music player comes to the demo server, in both voices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar.demo.server.server import DemoServer
from sidecar.domain.player_logs.matching import Tally
from sidecar.errors import DeviceError, NotAllowed, NotFound, NotVisible, ServerAway
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.players.player_logs.reporter import PlayReporter
from sidecar.services.players.player_logs.views import LogInUse, LogView, TakenView
from tests.fakes.servers.demo import device_of
from tests.services.conftest import STICK, World
from tests.services.travelling import HEADER, NOON, Travel, Traveller, moment, travelling

SCROBBLER = ".scrobbler.log"
PLAYBACK = ".rockbox/playback.log"


@pytest.fixture
def travel(world: World, server: DemoServer, tmp_path: Path) -> Iterator[Travel]:
    with travelling(world, server, tmp_path / "stick") as travel:
        yield travel


@pytest.fixture
def away(travel: Travel) -> Traveller:
    return travel()


def scrobble(title: str, stamp: int, rating: str = "L", length: int = 27) -> str:
    return f"The Sine Waves\tFirst Light\t{title}\t\t{length}\t{rating}\t{stamp}\t\n"


def ended(path: str, stamp: int, heard: int = 27) -> str:
    return f"{stamp}:{heard * 1000}:27000:/<HDD0>/{path}\n"


def seen(one: Traveller) -> LogView:
    return one.desk.log(one.ann, STICK)


def taken(one: Traveller) -> TakenView:
    return one.desk.take(one.ann, STICK)


def test_a_play_comes_to_jellyfin_with_its_real_date(away: Traveller) -> None:
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON))

    view, outcome = seen(away), taken(away)

    assert [(one.title, one.seconds_heard) for one in view.plays] == [("Tone 1", 13.5)]
    assert (outcome.taken, outcome.left, outcome.refused) == (1, 0, ())
    assert away.mark("Tone 1") == (1, moment(NOON), True)
    assert away.said == [away.ann.user_id]


def test_what_a_player_does_not_know_of_a_track_loses_no_play(away: Traveller) -> None:
    """As Rockbox writes them: no number is -1 or 0, and without tags there is a file's name."""
    name = away.has("Tone 2").file_path.rpartition("/")[2]
    away.has("Tone 1")
    away.has("Tone 3")
    row = "{}\t{}\t{}\t{}\t27\tL\t{}\t\n".format
    lines = [
        row("The Sine Waves", "First Light", "Tone 1", -1, NOON),
        row("<UNTAGGED>", "", name, -1, NOON + 100),
        row("The Sine Waves", "", "Tone 3", 0, NOON + 200),
    ]
    away.writes(SCROBBLER, HEADER + "".join(lines))

    assert taken(away).taken == 3
    for number, title in enumerate(("Tone 1", "Tone 2", "Tone 3")):
        assert away.mark(title) == (1, moment(NOON + 100 * number), True)


def test_looking_changes_nothing(away: Traveller) -> None:
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON))
    before = (away.folder / SCROBBLER).read_bytes()

    assert seen(away) == seen(away)

    assert away.mark("Tone 1")[0] == 0
    taken(away)
    assert (away.folder / SCROBBLER).read_bytes() == before


def test_the_same_log_again_brings_nothing_and_a_grown_one_only_what_is_new(
    away: Traveller,
) -> None:
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON) + scrobble("Tone 1", NOON + 100))

    first, second = taken(away), taken(away)
    away.writes(SCROBBLER, scrobble("Tone 1", NOON + 5000))
    third = taken(away)

    assert [one.taken for one in (first, second, third)] == [2, 0, 1]
    assert away.mark("Tone 1") == (3, moment(NOON + 5000), True)
    assert seen(away).counts.known == 3


def test_each_import_is_taken_back_and_leaves_what_others_have_brought(away: Traveller) -> None:
    away.has("Tone 1")
    away.has("Tone 2")

    def history() -> list[datetime]:
        return sorted(one.started_at for one in away.tables.plays.newest(away.ann.user_id, 10))

    first = scrobble("Tone 1", NOON + 900) + scrobble("Tone 1", NOON) + scrobble("Tone 2", NOON)
    away.writes(SCROBBLER, HEADER + first)
    assert taken(away).taken == 3
    away.writes(SCROBBLER, scrobble("Tone 1", NOON + 300))
    assert taken(away).taken == 1
    newer, older = seen(away).imports
    assert (older.items, newer.items, newer.title) == (2, 1, "Tone 1")
    with pytest.raises(NotVisible):
        away.player.undo(away.sign_in("ben"), STICK, older.id)
    assert away.player.undo(away.sign_in("admin"), STICK, older.id) == 0, "it is ann's"

    assert away.player.undo(away.ann, STICK, older.id) == 2
    assert away.mark("Tone 1") == (1, moment(NOON + 900), True), "of the newer one"
    assert away.mark("Tone 2") == (0, None, False)
    assert history() == [datetime.fromtimestamp(NOON + 300, UTC)]
    assert [one.id for one in seen(away).imports] == [newer.id]
    assert seen(away).counts.plays == 3, "they are offered again"
    assert taken(away).taken == 3
    assert away.mark("Tone 1") == (3, moment(NOON + 900), True)
    for one in seen(away).imports:
        away.player.undo(away.ann, STICK, one.id)
    assert away.mark("Tone 1")[0] == 0
    assert (history(), seen(away).imports) == ([], [])


def test_a_date_never_goes_back(away: Traveller) -> None:
    away.has("Tone 1")
    item = away.item("Tone 1")
    away.phone.post(f"/UserPlayedItems/{item.id}", datePlayed=moment(NOON + 9999))
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON))

    taken(away)

    assert away.mark("Tone 1") == (2, moment(NOON + 9999), True)


def test_a_playback_log_names_our_own_paths(away: Traveller) -> None:
    path = away.has("Tone 2").file_path
    away.writes(
        PLAYBACK,
        "# Started Ver. 4.0\n"
        + ended(path, NOON)
        + ended(path, NOON + 500, heard=5)
        + ended("Somebody/Else/1.mp3", NOON),
    )
    away.writes(".rockbox/playback_0001.log", ended(path, NOON - 500))

    view = seen(away)
    outcome = taken(away)

    assert (view.counts.plays, view.counts.skipped, view.counts.unknown) == (2, 1, 1)
    assert [one.path for one in view.files] == [".rockbox/playback_0001.log", PLAYBACK]
    assert view.remarks[0].text == "/<HDD0>/Somebody/Else/1.mp3"
    assert outcome.taken == 2
    assert away.mark("Tone 2") == (2, moment(NOON - 27), True)


def test_a_listening_in_both_logs_counts_once(away: Traveller) -> None:
    path = away.has("Tone 2").file_path
    away.writes(PLAYBACK, ended(path, NOON + 30))
    away.writes(SCROBBLER, HEADER + scrobble("Tone 2", NOON + 3))

    assert taken(away).taken == 1
    assert taken(away).taken == 0
    assert away.mark("Tone 2")[0] == 1


def test_what_is_not_sure_is_told_and_not_guessed(away: Traveller) -> None:
    away.has("Tone 1")
    away.writes(
        SCROBBLER,
        HEADER
        + scrobble("Tone 1", NOON, "S")
        + scrobble("Tone 1", NOON, length=99)
        + scrobble("Tone 1", 3600)
        + scrobble("Tone 3", NOON)
        + "nonsense\n",
    )

    view = seen(away)

    counts = view.counts
    assert (counts.plays, counts.skipped, counts.unknown) == (0, 1, 2)
    assert (counts.undated, counts.bad) == (1, 1)
    assert [one.line for one in view.remarks] == [7, 8, 5, 6]
    assert taken(away).taken == 0
    assert away.mark("Tone 1") == (0, None, False)


def test_two_files_of_one_name_are_told_apart_or_left_alone(
    away: Traveller,
) -> None:
    away.has("Hit of Choir")
    away.has("Hit of Kettle")
    away.writes(SCROBBLER, HEADER + f"Choir\t\tHit of Choir\t\t27\tL\t{NOON}\t\n")

    assert taken(away).taken == 1
    assert away.mark("Hit of Kettle")[0] == 0


def test_the_clock_on_the_wall_is_read_in_the_devices_time_zone(travel: Travel) -> None:
    away = travel(time_zone="America/New_York")
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON))

    taken(away)

    assert away.mark("Tone 1")[1] == moment(NOON + 4 * 3600)


def test_another_time_zone_later_brings_nothing_twice(travel: Travel, world: World) -> None:
    away = travel(time_zone="America/New_York")
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON))
    taken(away)
    marks = list(away.tables.imported.marks(STICK))

    assert [one.stamp for _, one in marks] == [NOON]


def test_the_plays_are_ours_as_well_and_count_as_use(away: Traveller, world: World) -> None:
    download = away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON))

    taken(away)

    [play] = away.tables.plays.page(away.ann.user_id, 1, 10)[0]
    assert (play.play.client, play.play.device_name) == ("Rockbox", "Car stick")
    assert play.play.counts
    now = world.downloads.queries.get(download.id)
    assert now is not None
    assert now.last_used_seq > download.last_used_seq


class LosesTheAnswer(PlayStates):
    """Marks over a line that breaks before (or after) Jellyfin has written.

    Unlike a real line it breaks exactly there.
    """

    arrives = True

    def set(self, item_id: str, before: Tally, after: Tally) -> None:
        if self.arrives:
            super().set(item_id, before, after)
        raise ServerAway("Jellyfin does not answer")


class LosesTheItem(PlayStates):
    """Marks of an item that Jellyfin does not know any more after the first answer."""

    may_set = True
    asked = 0

    def of(self, item_id: str) -> Tally:
        self.asked += 1
        if self.asked > 1:
            raise NotFound("gone")
        return super().of(item_id)

    def set(self, item_id: str, before: Tally, after: Tally) -> None:
        raise ServerAway("Jellyfin does not answer") if self.may_set else NotAllowed("no")


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("meanwhile", [0, 1, 3])
def test_what_was_cut_off_is_finished_and_never_counted_twice(
    away: Traveller, arrives: bool, meanwhile: int
) -> None:
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON) + scrobble("Tone 1", NOON + 100))
    item = away.item("Tone 1")
    marks = LosesTheAnswer(away.clients[away.ann.user_id])
    marks.arrives = arrives
    telling = PlayReporter(away.tables, marks, away.ann.user_id, STICK, device_name="Car stick")
    with pytest.raises(ServerAway):
        telling.report(item, away.fresh())
    for one in range(meanwhile if arrives else min(meanwhile, 1)):
        away.phone.post(f"/UserPlayedItems/{item.id}", datePlayed=moment(NOON + 200 + one))

    outcome = taken(away)

    others = meanwhile if arrives else min(meanwhile, 1)
    assert outcome.taken == 2
    assert away.mark("Tone 1")[0] == 2 + others
    assert taken(away).taken == 0
    assert away.tables.plays.page(away.ann.user_id, 1, 10)[1] == 2


@pytest.mark.parametrize("one_by_one", [True, False])
def test_what_vanishes_from_the_server_meanwhile_leaves_nothing_begun(
    away: Traveller, server: DemoServer, one_by_one: bool
) -> None:
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON) + scrobble("Tone 1", NOON + 100))
    item = away.item("Tone 1")
    marks = LosesTheItem(away.clients[away.ann.user_id])
    marks.may_set = not one_by_one
    telling = PlayReporter(away.tables, marks, away.ann.user_id, STICK, device_name="Car stick")
    if one_by_one:
        telling.report(item, away.fresh())
    else:
        with pytest.raises(ServerAway):
            telling.report(item, away.fresh())
        [begun] = telling.unfinished()
        telling.resume(item, begun)

    assert telling.unfinished() == []
    assert {one.item_id for one in telling.refused} == {item.id}
    assert telling.taken == 0


def test_who_may_not_change_counts_still_gets_plays_one_by_one(
    away: Traveller, server: DemoServer
) -> None:
    _forbid(server, away.ann.user_id, EnableUserPreferenceAccess=False)
    away.has("Tone 1")
    item = away.item("Tone 1")
    away.phone.post(f"/UserPlayedItems/{item.id}", datePlayed=moment(NOON + 50))
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON) + scrobble("Tone 1", NOON + 100))

    assert taken(away).taken == 2
    assert away.mark("Tone 1") == (3, moment(NOON + 100), True)
    assert taken(away).taken == 0


def _forbid(server: DemoServer, user_id: str, **changes: object) -> None:
    admin = device_of(server, "admin", "desk")
    policy = admin.get(f"/Users/{user_id}")["Policy"]
    admin.post(f"/Users/{user_id}/Policy", {**policy, **changes})


def test_on_a_shared_device_nobody_reads_what_others_heard(travel: Travel) -> None:
    away = travel(users=("ann", "ben"))
    ben = away.sign_in("ben")
    away.has("Tone 1", ben)
    away.has("Tone 2")
    away.writes(
        SCROBBLER,
        HEADER + scrobble("Tone 1", NOON) + scrobble("Tone 2", NOON) + scrobble("Secret", NOON),
    )

    view = seen(away)

    assert [one.title for one in view.plays] == ["Tone 2"]
    assert (view.counts.others, view.counts.unknown) == (1, 1)
    assert view.remarks == []
    assert taken(away).taken == 1
    assert away.desk.take(ben, STICK) == TakenView(taken=1, left=0)
    assert away.mark("Tone 1", device_of(away.server, "ben"))[0] == 1
    assert away.mark("Tone 1")[0] == 0


def test_a_device_of_others_does_not_exist(away: Traveller) -> None:
    ben = away.sign_in("ben")

    for who, device_id in ((ben, STICK), (away.ann, "no such device")):
        for ask in (away.desk.log, away.desk.take):
            with pytest.raises(NotVisible):
                ask(who, device_id)


def test_a_device_that_is_away_says_so(away: Traveller) -> None:
    away.folder.rename(away.folder.with_name("gone"))

    with pytest.raises(DeviceError):
        away.desk.log(away.ann, STICK)


def test_what_the_server_hides_by_now_is_told(away: Traveller, server: DemoServer) -> None:
    away.has("Tone 1")
    away.writes(SCROBBLER, HEADER + scrobble("Tone 1", NOON))
    _forbid(server, away.ann.user_id, EnableAllFolders=False, EnabledFolders=[])

    view = seen(away)

    assert (view.counts.plays, view.counts.gone) == (0, 1)
    assert taken(away).taken == 0


def test_what_takes_too_long_is_gone_on_with_the_next_time(away: Traveller, world: World) -> None:
    for title in ("Tone 1", "Tone 2", "Tone 3"):
        away.has(title)
        away.writes(SCROBBLER, scrobble(title, NOON))
    away.hurried = True

    assert [(one.taken, one.left) for one in (taken(away), taken(away), taken(away))] == [
        (1, 2),
        (1, 1),
        (1, 0),
    ]


def test_one_at_a_time(away: Traveller) -> None:
    with away.desk.alone(STICK, "Car stick"), pytest.raises(LogInUse):
        away.desk.take(away.ann, STICK)

    assert taken(away).taken == 0
