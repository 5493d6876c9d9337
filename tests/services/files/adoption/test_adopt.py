"""Files that were on a stick before the sidecar, and the demo server's library in both voices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash

from sidecar.demo.server.server import DemoServer
from sidecar.domain.downloads.download import Download, Status
from sidecar.errors import NotVisible, ServerAway
from sidecar.services.files.adoption.adopt import (
    CHANGED,
    HAS_ONE,
    NO_BUDGET,
    NOT_ALLOWED,
    NOT_OFFERED,
    OTHER_BYTES,
    AdoptedView,
    OfferView,
)
from tests.fakes.libraries.tiny import FIRST_LIGHT, listing, track, write
from tests.fakes.media.tagged import mp3
from tests.fakes.servers.demo import House, device_of
from tests.services.conftest import STICK, World
from tests.services.travelling import Travel, Traveller, travelling

TAGGED = mp3("Tone 4", "The Sine Waves", "First Light", "4", seconds=27.0)
TWIN = mp3("Twin", "Somebody", "Else", "1", seconds=27.0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "library"
    listed = listing()
    listed["tracks"] += [
        track(FIRST_LIGHT, 4, "Tone 4", path=f"{FIRST_LIGHT}/four.mp3"),
        track(FIRST_LIGHT, 5, "Twin", path=f"{FIRST_LIGHT}/five.mp3"),
    ]
    (folder / FIRST_LIGHT).mkdir(parents=True)
    (folder / FIRST_LIGHT / "four.mp3").write_bytes(TAGGED)
    (folder / FIRST_LIGHT / "five.mp3").write_bytes(TWIN)
    house = House(write(folder, listed))
    with house.open:
        yield house


@pytest.fixture
def travel(world: World, server: DemoServer, tmp_path: Path) -> Iterator[Travel]:
    with travelling(world, server, tmp_path / "stick") as travel:
        yield travel


@pytest.fixture
def away(travel: Travel) -> Traveller:
    return travel()


PLACE = "The Sine Waves/First Light (2019)/1-01 - Tone 1.flac"


def facts(file: Path) -> tuple[int, int, int]:
    told = file.stat()
    return told.st_ino, told.st_size, told.st_mtime_ns


def offered(one: Traveller) -> OfferView:
    return one.adoption.offer(one.ann, STICK)


def adopted(one: Traveller, *ids: str) -> AdoptedView:
    return one.adoption.adopt(one.ann, STICK, ids or None)


def row(one: Traveller, title: str) -> Download:
    found = one.world.downloads.queries.by_item(STICK, one.item(title).id)
    assert found is not None
    return found


def test_a_file_at_our_place_with_the_right_size_is_adopted_without_a_transfer(
    away: Traveller,
) -> None:
    file = away.puts(PLACE, away.original("Tone 1"))
    before = facts(file)

    view, outcome = offered(away), adopted(away)

    assert [(one.path, one.title) for one in view.matched] == [(PLACE, "Tone 1")]
    assert outcome == AdoptedView(adopted=1, left=0)
    download = row(away, "Tone 1")
    assert (download.status, download.file_path) == (Status.COMPLETED, PLACE)
    assert download.content_hash == xxhash.xxh3_128_hexdigest(file.read_bytes())
    assert facts(file) == before
    [hold] = away.world.holds.of_item(STICK, download.item_id)
    assert (hold.user_id, hold.reason.rule) == (away.ann.user_id, "pin")
    assert offered(away).found == 0


def test_a_file_anywhere_is_known_by_its_tags_and_stays_where_it_is(away: Traveller) -> None:
    file = away.puts("Old music/x/4.MP3", TAGGED)

    assert [one.title for one in offered(away).matched] == ["Tone 4"]
    adopted(away)

    assert row(away, "Tone 4").file_path == "Old music/x/4.MP3"
    assert file.read_bytes() == TAGGED


def test_strangers_stay_untouched(away: Traveller) -> None:
    away.puts(PLACE, away.original("Tone 1") + b"longer")
    away.puts("notes.txt", b"mine")
    away.puts("Own/song.mp3", mp3("Mine", "Me", "Own", "1"))
    before = {one: one.read_bytes() for one in away.folder.rglob("*.*") if one.is_file()}

    view, outcome = offered(away), adopted(away)

    assert (view.found, view.strangers, view.matched, view.doubtful) == (2, 2, [], [])
    assert view.examples == ["Own/song.mp3", PLACE]
    assert outcome.adopted == 0
    assert {one: one.read_bytes() for one in before} == before


def test_a_device_that_was_copied_here_is_named_and_nothing_in_it_is_offered(
    away: Traveller,
) -> None:
    file = away.puts(f"Copy/{PLACE}", away.original("Tone 1"))
    away.puts("Copy/.sidecar/device.json", b"{}")

    view = offered(away)

    assert (view.found, view.matched, view.devices) == (0, [], ["Copy"])
    assert adopted(away).adopted == 0
    assert file.exists()


def test_what_is_in_doubt_is_adopted_only_if_its_bytes_are_the_originals(
    away: Traveller,
) -> None:
    away.puts("a/five.mp3", TWIN)
    away.puts("b/five.mp3", TWIN[:-1] + b"\1")

    view = offered(away)

    assert view.matched == []
    assert sorted(one.path for one in view.doubtful) == ["a/five.mp3", "b/five.mp3"]
    assert adopted(away).adopted == 0
    by_path = {one.path: one.id for one in view.doubtful}
    wrong = adopted(away, by_path["b/five.mp3"])
    right = adopted(away, by_path["a/five.mp3"])
    assert (wrong.adopted, [one.why for one in wrong.refused]) == (0, [OTHER_BYTES])
    assert right.adopted == 1
    assert row(away, "Twin").file_path == "a/five.mp3"


def test_of_two_copies_one_is_adopted(away: Traveller) -> None:
    away.puts("a/four.mp3", TAGGED)
    away.puts("b/four.mp3", TAGGED)

    view = offered(away)

    assert ([one.path for one in view.matched], view.strangers) == (["a/four.mp3"], 1)
    assert adopted(away).adopted == 1
    assert offered(away).strangers == 1


def test_a_file_that_changed_since_is_left_alone(away: Traveller) -> None:
    file = away.puts(PLACE, away.original("Tone 1"))
    offered(away)
    file.write_bytes(bytes(file.stat().st_size))

    outcome = adopted(away)

    assert [one.why for one in outcome.refused] == [CHANGED]
    assert away.world.downloads.queries.by_item(STICK, away.item("Tone 1").id) is None


def test_what_waits_in_the_queue_needs_no_transfer_any_more(away: Traveller) -> None:
    waiting = away.has("Tone 4")
    part = away.registry.get(STICK).folder.part(waiting.id)
    with part.open() as begun:
        begun.write(b"half")
    away.puts("Old/4.mp3", TAGGED)

    adopted(away)

    there = away.world.downloads.queries.get(waiting.id)
    assert there is not None
    assert (there.status, there.file_path) == (Status.COMPLETED, "Old/4.mp3")
    assert not away.world.downloads.queue.claim_together(away.world.clock.now(), at_most=1)
    assert part.size() is None


def test_what_is_being_fetched_is_not_adopted(away: Traveller) -> None:
    away.puts("Old/4.mp3", TAGGED)
    [match] = offered(away).matched
    away.has("Tone 4")
    away.world.downloads.queue.claim_together(away.world.clock.now(), at_most=1)

    outcome = adopted(away, match.id)

    assert [one.why for one in outcome.refused] == [HAS_ONE]
    assert row(away, "Tone 4").status is Status.DOWNLOADING


def test_nothing_is_adopted_beyond_the_budget(travel: Travel) -> None:
    away = travel(budget=10)
    away.puts("Old/4.mp3", TAGGED)

    assert [one.why for one in adopted(away).refused] == [NO_BUDGET]


def test_who_may_not_download_does_not_adopt(away: Traveller, server: DemoServer) -> None:
    admin = device_of(server, "admin", "desk")
    policy = admin.get(f"/Users/{away.ann.user_id}")["Policy"]
    changed = {**policy, "EnableContentDownloading": False}
    admin.post(f"/Users/{away.ann.user_id}/Policy", changed)
    away.puts("Old/4.mp3", TAGGED)

    assert [one.why for one in adopted(away).refused] == [NOT_ALLOWED]


def test_what_was_never_offered_is_refused(away: Traveller) -> None:
    assert [one.why for one in adopted(away, "0" * 16).refused] == [NOT_OFFERED]


def test_a_long_work_is_done_in_parts(away: Traveller) -> None:
    away.puts(PLACE, away.original("Tone 1"))
    away.puts("Old/4.mp3", TAGGED)
    offered(away)
    away.hurried = True

    first = adopted(away)

    assert (first.adopted, first.left) == (1, 1)
    assert adopted(away).adopted == 1


def test_tags_that_were_not_read_in_time_are_read_the_next_time(away: Traveller) -> None:
    away.puts("a/4.mp3", mp3("Mine", "Me"))
    away.puts("b/4.mp3", TAGGED)
    away.hurried = True

    assert offered(away).unread == 1
    away.hurried = False
    assert [one.path for one in offered(away).matched] == ["b/4.mp3"]


def test_without_jellyfin_nothing_is_adopted(away: Traveller, server: DemoServer) -> None:
    away.puts("Old/4.mp3", TAGGED)
    server.stop()

    with pytest.raises(ServerAway):
        away.adoption.adopt(away.ann, STICK, None)


def test_links_and_hidden_folders_are_no_files_to_adopt(away: Traveller, tmp_path: Path) -> None:
    (tmp_path / "outside.mp3").write_bytes(TAGGED)
    (away.folder / "link.mp3").symlink_to(tmp_path / "outside.mp3")
    away.puts(".Trash-1000/4.mp3", TAGGED)

    assert offered(away).found == 0


def test_a_device_of_others_does_not_exist(away: Traveller) -> None:
    ben = away.sign_in("ben")

    with pytest.raises(NotVisible):
        away.adoption.offer(ben, STICK)
    with pytest.raises(NotVisible):
        away.adoption.adopt(ben, STICK, None)
