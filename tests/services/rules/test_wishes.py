from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Move, Status
from sidecar.domain.files.groups import Container, Group, make_groups
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import PIN_PRIORITY, Reason, Wish
from sidecar.errors import ServerAway
from sidecar.services.rules.wishes import WishService
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.queue import NewDownload
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.tombstones import Tombstones
from tests.services.conftest import ANN, STICK, World, track
from tests.statements import hook

WHY = Reason("favourites", "f" * 32, "your favourite")
BEN = "b" * 32


class Describer:
    """Answers as Jellyfin would, and remembers what was asked."""

    def __init__(self, *items: Item) -> None:
        self.items = {one.id: one for one in items}
        self.asked: list[Sequence[str]] = []

    def __call__(self, ids: Sequence[str]) -> dict[str, Item]:
        self.asked.append(ids)
        return {one: self.items[one] for one in ids if one in self.items}


@pytest.fixture
def planning(world: World) -> WishService:
    return WishService(world.db, world.holds, world.downloads, world.clock)


def wishes(items: Iterable[Item], user_id: str = ANN, why: Reason = WHY) -> list[Wish]:
    return [Wish(user_id, STICK, one, why) for one in items]


def test_a_wish_is_held_and_queued_under_its_name(world: World, planning: WishService) -> None:
    describe = Describer(track(1))

    assert planning.hold(wishes([track(1, size=None, extension=None)]), describe) == 1

    queued = world.downloads.queries.by_item(STICK, track(1).id)
    assert queued is not None
    assert queued.status is Status.PENDING
    assert queued.file_path == "The Sine Waves/First Light/01 - Tone 1.flac"
    assert queued.expected_size == 1000
    assert world.holds.holders(STICK, track(1).id) == [ANN]


@pytest.mark.parametrize("other_extension", ["mkv", "mp4"])
def test_two_films_of_one_title_and_year_share_no_folder(
    world: World, planning: WishService, other_extension: str
) -> None:
    film = track(1, type=ItemType.MOVIE, title="Hit", year=2001, extension="mkv")
    other = track(2, type=ItemType.MOVIE, title="Hit", year=2001, extension=other_extension)
    mark = f"Hit (2001) [{other.id[:8]}]"

    planning.hold(wishes([film, other]), Describer(film, other))

    rows = [world.downloads.queries.by_item(STICK, one.id) for one in (film, other)]
    assert [one and one.file_path for one in rows] == [
        "Hit (2001)/Hit (2001).mkv",
        f"{mark}/{mark}.{other_extension}",
    ]


def test_a_track_without_a_disc_comes_in_its_albums_order(
    world: World, planning: WishService
) -> None:
    album = "a" * 32
    first, second = track(1, album_id=album), track(2, album_id=album, disc=2)
    planning.hold(wishes([second]), Describer(second))

    planning.hold(wishes([first, second]), Describer(first))

    row = world.downloads.queries.by_item(STICK, first.id)
    assert row is not None
    assert row.file_path == "The Sine Waves/First Light/1-01 - Tone 1.flac"


def test_a_film_that_has_a_row_keeps_its_name(world: World, planning: WishService) -> None:
    film = track(1, type=ItemType.MOVIE, title="Hit (2001)", year=2001, extension="mkv")
    was = FilePlace("Hit (2001) (2001)/Hit.mkv", make_path_key("Hit (2001) (2001)/Hit.mkv"))
    world.downloads.queue.add_all(
        [NewDownload(item=film, device_id=STICK, user_id=ANN, places=[was])]
    )

    assert planning.hold(wishes([film]), Describer(film)) == 0

    row = world.downloads.queries.by_item(STICK, film.id)
    assert row is not None
    assert (row.file_path, row.status) == (was.path, Status.PENDING)


def test_the_same_wish_again_asks_and_changes_nothing(world: World, planning: WishService) -> None:
    describe = Describer(track(1))
    planning.hold(wishes([track(1)]), describe)
    world.news.clear()

    assert planning.hold(wishes([track(1)]), describe) == 0

    assert len(describe.asked) == 1
    assert world.news == []


def test_fifty_who_want_it_at_once_make_one_row(world: World, planning: WishService) -> None:
    def ask(number: int) -> int:
        with world.db.thread():
            return planning.hold(wishes([track(1)], user_id=f"{number:032x}"), Describer(track(1)))

    with ThreadPoolExecutor(50) as pool:
        queued = sum(pool.map(ask, range(50)))

    assert queued == 1
    assert waiting(world) == [("Tone 1", 0)]


def test_many_wishes_are_described_in_few_requests(planning: WishService) -> None:
    items = [track(number) for number in range(1050)]
    describe = Describer(*items)

    assert planning.hold(wishes(items), describe) == 1050

    assert [len(ids) for ids in describe.asked] == [1000, 50]


def test_the_first_of_many_can_be_fetched_while_the_rest_is_written(
    world: World, planning: WishService
) -> None:
    many = [track(number) for number in range(100)]
    there: list[int] = []

    planning.hold(
        wishes(many),
        Describer(*many),
        between=lambda: there.append(
            world.downloads.queries.counts(DownloadFilter())[Status.PENDING]
        ),
    )

    assert there == [0, 5, 15, 35, 75]


def test_two_items_with_one_name_both_get_a_place(world: World, planning: WishService) -> None:
    twins = [track(1), replace(track(2), title="TONE 1", number=1)]

    planning.hold(wishes(twins), Describer(*twins))

    paths = [world.downloads.queries.by_item(STICK, one.id) for one in twins]
    assert len({one.file_path.casefold() for one in paths if one}) == 2


def test_a_pointer_without_a_file_is_refused_with_the_reason(
    world: World, planning: WishService
) -> None:
    pointer = track(1, is_remote=True)

    planning.hold(wishes([pointer]), Describer(pointer))

    refused = world.downloads.queries.by_item(STICK, pointer.id)
    assert refused is not None
    assert (refused.status, refused.error_code) == (Status.FAILED, "no-file")


def test_what_the_account_may_not_download_is_refused(world: World, planning: WishService) -> None:
    forbidden = [track(number, can_download=False) for number in (1, 2)]

    planning.hold(wishes(forbidden), Describer(*forbidden))

    refused = [world.downloads.queries.by_item(STICK, one.id) for one in forbidden]
    # One reason for all, as "Why not here?" tells those of an album together.
    assert {(one.status, one.error_code, one.error_message) for one in refused if one} == {
        (Status.FAILED, "not-allowed", "Jellyfin does not let this account download it")
    }


def test_an_item_the_server_hides_is_held_but_not_queued(
    world: World, planning: WishService
) -> None:
    assert planning.hold(wishes([track(1)]), Describer()) == 0

    assert world.downloads.queries.by_item(STICK, track(1).id) is None


def test_a_released_wish_lasts_for_its_grace(world: World, planning: WishService) -> None:
    planning.hold(wishes([track(1)]), Describer(track(1)))

    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(days=1))
    world.clock.advance(86_399)
    planning.release_expired()
    assert world.holds.holders(STICK, track(1).id) == [ANN]

    world.clock.advance(1)
    planning.release_expired()
    assert world.holds.holders(STICK, track(1).id) == []
    assert world.downloads.queries.by_item(STICK, track(1).id) is None


def test_a_heart_pressed_again_within_the_grace_calls_it_off(
    world: World, planning: WishService
) -> None:
    planning.hold(wishes([track(1)]), Describer(track(1)))
    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(days=1))

    planning.hold(wishes([track(1)]), Describer(track(1)))
    world.clock.advance(2 * 86_400)
    planning.release_expired()

    assert world.holds.holders(STICK, track(1).id) == [ANN]


def test_what_somebody_else_still_wants_stays_in_the_queue(
    world: World, planning: WishService
) -> None:
    describe = Describer(track(1))
    planning.hold(wishes([track(1)]), describe)
    planning.hold(wishes([track(1)], user_id=BEN), describe)

    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(0))
    planning.release_expired()

    assert world.downloads.queries.by_item(STICK, track(1).id) is not None
    assert world.holds.holders(STICK, track(1).id) == [BEN]


def test_a_file_that_is_there_stays_when_nobody_holds_it_any_more(
    world: World, planning: WishService
) -> None:
    planning.hold(wishes([track(1)]), Describer(track(1)))
    (claimed,) = world.downloads.queue.claim_together(world.clock.now(), at_most=1)
    world.downloads.transitions.mark_arrived(
        claimed, size=1000, content_hash="0" * 32, mime_type=None
    )

    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(0))
    planning.release_expired()

    there = world.downloads.queries.by_item(STICK, track(1).id)
    assert there is not None
    assert there.status is Status.COMPLETED


def test_a_removed_file_comes_back_only_for_a_new_reason(
    world: World, planning: WishService
) -> None:
    describe = Describer(track(1))
    planning.hold(wishes([track(1)]), describe)
    (claimed,) = world.downloads.queue.claim_together(world.clock.now(), at_most=1)
    world.downloads.transitions.mark_arrived(
        claimed, size=1000, content_hash="0" * 32, mime_type=None
    )
    there = world.downloads.queries.by_item(STICK, track(1).id)
    assert there is not None
    world.downloads.transitions.move(there, Move.VANISH)

    planning.hold(wishes([track(1)]), describe)
    removed = world.downloads.queries.by_item(STICK, track(1).id)
    assert removed is not None
    assert removed.status is Status.REMOVED

    planning.hold(wishes([track(1)], user_id=BEN), describe)
    wanted = world.downloads.queries.by_item(STICK, track(1).id)
    assert wanted is not None
    assert wanted.status is Status.PENDING


def test_only_what_left_a_container_is_released(world: World, planning: WishService) -> None:
    items = [track(1), track(2)]
    planning.hold(wishes(items), Describer(*items))

    planning.release_items(ANN, "favourites", WHY.source_id, [track(1).id], grace=timedelta(0))
    planning.release_expired()

    assert world.holds.holders(STICK, track(1).id) == [ANN]
    assert world.holds.holders(STICK, track(2).id) == []


AHEAD = Reason("queue_ahead", "9" * 32, "next")


def ahead(number: int, priority: int = 130) -> Wish:
    return Wish(ANN, STICK, track(number), AHEAD, priority)


def held(world: World, rule: str) -> list[str]:
    now = world.clock.now()
    return [
        one.item_id
        for one in world.holds.of_rule(ANN, STICK, rule)
        if one.release_at is None or one.release_at > now
    ]


def replace_ahead(planning: WishService, *numbers: int, unsure_of: Iterable[str] = ()) -> int:
    everything = Describer(*(track(number) for number in range(20)))
    wanted = [ahead(number, 130 - place) for place, number in enumerate(numbers)]
    return planning.replace(
        ANN,
        STICK,
        AHEAD.rule,
        wanted,
        everything,
        grace=timedelta(0),
        unsure_of=frozenset(unsure_of),
    )


def waiting(world: World) -> list[tuple[str, int]]:
    found = [world.downloads.queries.by_item(STICK, track(number).id) for number in range(20)]
    there = [one for one in found if one is not None]
    return [(one.title, one.priority) for one in sorted(there, key=lambda one: -one.priority)]


def test_what_was_skipped_leaves_the_queue_at_once(world: World, planning: WishService) -> None:
    assert replace_ahead(planning, 1, 2, 3) == 3
    assert world.downloads.queue.claim_together(world.clock.now(), at_most=1)

    assert replace_ahead(planning, 3, 4) == 1

    assert held(world, AHEAD.rule) == [track(3).id, track(4).id]
    assert waiting(world) == [("Tone 3", 130), ("Tone 4", 129)]


def test_what_is_put_before_the_next_comes_first(world: World, planning: WishService) -> None:
    replace_ahead(planning, 1, 2)

    replace_ahead(planning, 3, 1, 2)

    assert waiting(world) == [("Tone 3", 130), ("Tone 1", 129), ("Tone 2", 128)]


def test_the_next_one_overtakes_what_waits_already_and_falls_back_when_skipped(
    world: World, planning: WishService
) -> None:
    planning.hold(wishes([track(1), track(2)]), Describer(track(1), track(2)))

    replace_ahead(planning, 2)
    assert waiting(world) == [("Tone 2", 130), ("Tone 1", 0)]

    replace_ahead(planning)
    assert waiting(world) == [("Tone 1", 0), ("Tone 2", 0)]


def test_what_a_rule_no_longer_wants_lasts_for_its_grace(
    world: World, planning: WishService
) -> None:
    describe = Describer(track(1), track(2))
    planning.hold(wishes([track(1), track(2)]), describe)

    planning.replace(ANN, STICK, WHY.rule, wishes([track(2)]), describe, grace=timedelta(days=1))
    assert held(world, WHY.rule) == [track(1).id, track(2).id]

    world.clock.advance(86_400)
    planning.release_expired()
    assert held(world, WHY.rule) == [track(2).id]


def test_a_source_that_was_not_seen_as_a_whole_keeps_what_it_had(
    world: World, planning: WishService
) -> None:
    replace_ahead(planning, 1, 2)

    replace_ahead(planning, 3, unsure_of=[AHEAD.source_id])

    assert held(world, AHEAD.rule) == [track(1).id, track(2).id, track(3).id]


def test_a_failed_look_up_lets_nothing_go(world: World, planning: WishService) -> None:
    replace_ahead(planning, 1)

    def away(ids: Sequence[str]) -> dict[str, Item]:
        raise ServerAway("Jellyfin does not answer")

    with pytest.raises(ServerAway):
        planning.replace(ANN, STICK, AHEAD.rule, [ahead(2)], away, grace=timedelta(0))
    assert held(world, AHEAD.rule) == [track(1).id]


def test_a_rule_replaces_nothing_of_other_rules_users_and_devices(
    world: World, planning: WishService
) -> None:
    describe = Describer(track(1))
    planning.hold(wishes([track(1)]), describe)
    planning.hold(wishes([track(1)], user_id=BEN, why=AHEAD), describe)
    planning.pin(ANN, STICK, track(1), describe)

    replace_ahead(planning)

    assert held(world, WHY.rule) == [track(1).id]
    assert held(world, "pin") == [track(1).id]
    assert world.holds.holders(STICK, track(1).id) == [ANN, BEN]
    with pytest.raises(ValueError, match="pinned"):
        planning.replace(ANN, STICK, "pin", [], describe, grace=timedelta(0))


def test_what_a_person_removed_is_not_fetched_by_any_rule_until_they_ask(
    world: World, planning: WishService
) -> None:
    Tombstones(world.db, world.clock).put(ANN, STICK, track(1).id)
    describe = Describer(track(1))

    assert planning.hold(wishes([track(1)]), describe) == 0
    assert replace_ahead(planning, 1) == 0
    assert held(world, WHY.rule) == []

    assert planning.pin(ANN, STICK, track(1), describe) == 1
    assert waiting(world) == [("Tone 1", PIN_PRIORITY)]
    replace_ahead(planning, 1)
    assert held(world, AHEAD.rule) == [track(1).id]


def test_a_file_that_was_removed_comes_back_whenever_a_person_asks(
    world: World, planning: WishService
) -> None:
    describe = Describer(track(1))
    for _ in range(2):
        planning.pin(ANN, STICK, track(1), describe)
        (claimed,) = world.downloads.queue.claim_together(world.clock.now(), at_most=1)
        world.downloads.transitions.mark_arrived(
            claimed, size=1000, content_hash="0" * 32, mime_type=None
        )
        there = world.downloads.queries.by_item(STICK, track(1).id)
        assert there is not None
        world.downloads.transitions.move(there, Move.VANISH)


def test_an_exclusion_counts_for_one_rule_and_ends_what_it_held(
    world: World, planning: WishService
) -> None:
    describe = Describer(track(1), track(2))
    planning.hold(wishes([track(1), track(2)]), describe)
    replace_ahead(planning, 1, 2)

    Exclusions(world.db, world.clock).put(ANN, AHEAD.rule, track(1).id, device_id=STICK)
    replace_ahead(planning, 1, 2, unsure_of=[AHEAD.source_id])

    assert held(world, AHEAD.rule) == [track(2).id]
    assert held(world, WHY.rule) == [track(1).id, track(2).id]


@pytest.mark.parametrize("word", ["exclude", "remove"])
def test_a_no_that_is_said_while_jellyfin_is_asked_counts(
    world: World, planning: WishService, word: str
) -> None:
    def describe(ids: Sequence[str]) -> dict[str, Item]:
        if word == "exclude":
            Exclusions(world.db, world.clock).put(ANN, WHY.rule, track(1).id, device_id=STICK)
        else:
            Tombstones(world.db, world.clock).put(ANN, STICK, track(1).id)
        return Describer(track(1), track(2))(ids)

    assert planning.hold(wishes([track(1), track(2)]), describe) == 1

    assert held(world, WHY.rule) == [track(2).id]


def test_an_album_can_be_excluded_with_all_it_holds(world: World, planning: WishService) -> None:
    Exclusions(world.db, world.clock).put(ANN, AHEAD.rule, AHEAD.source_id)

    assert replace_ahead(planning, 1, 2) == 0


def test_a_pinned_album_is_unpinned_as_a_whole(world: World, planning: WishService) -> None:
    songs = [track(1), track(2)]
    album = track(9, type=ItemType.ALBUM, title="First Light")
    planning.pin(ANN, STICK, album, Describer(*songs), playable=songs)
    assert held(world, "pin") == [track(1).id, track(2).id]

    assert planning.unpin(ANN, STICK, album.id, grace=timedelta(0)) == 2
    planning.release_expired()

    assert waiting(world) == []


def test_what_was_removed_stays_so_if_jellyfin_cannot_be_asked_about_the_pin(
    world: World, planning: WishService
) -> None:
    def describe(_ids: Sequence[str]) -> dict[str, Item]:
        raise ServerAway("Jellyfin does not answer")

    removed = Tombstones(world.db, world.clock)
    removed.put(ANN, STICK, track(1).id)

    with pytest.raises(ServerAway):
        planning.pin(ANN, STICK, track(1), describe)
    assert removed.items(ANN, STICK) == {track(1).id}

    planning.pin(ANN, STICK, track(1), Describer(track(1)))
    assert removed.items(ANN, STICK) == set()


def test_the_reason_is_always_the_latest_one(world: World, planning: WishService) -> None:
    planning.hold(wishes([track(1)]), Describer(track(1)))

    planning.hold(wishes([track(1)], why=replace(WHY, text="on your list")), Describer(track(1)))

    (hold,) = world.holds.of_rule(ANN, STICK, WHY.rule)
    assert hold.reason.text == "on your list"


def test_the_album_of_a_single_track_decides_its_name(world: World) -> None:
    """Its folder and number are those that it has when all of the album comes."""
    album = "a" * 32
    asked: list[tuple[str, int]] = []

    def groups_of(
        user_id: str, items: Collection[Item], known: Collection[Item]
    ) -> Mapping[str, Group]:
        asked.append((user_id, len(known)))
        hundred = track(100, album_id=album, artist="Guest")
        within = Container(title="First Light", artist="Various", year=1999)
        return make_groups(items, [*known, hundred], {album: within})

    planning = WishService(world.db, world.holds, world.downloads, world.clock, groups_of=groups_of)
    first = track(1, album_id=album, year=1990)

    planning.hold(wishes([first]), Describer(first))
    planning.hold(wishes([first]), Describer(first))

    row = world.downloads.queries.by_item(STICK, first.id)
    assert row is not None
    assert row.file_path == "Various/First Light (1999)/001 - Tone 1.flac"
    assert asked == [(ANN, 1)]


def test_an_album_and_its_remaster_have_a_folder_each(world: World, planning: WishService) -> None:
    first = track(1, album_id="a" * 32, year=2001)
    again = replace(first, id="2" * 32, album_id="11aff194" + "0" * 24)

    planning.hold(wishes([first, again]), Describer(first, again))

    rows = [world.downloads.queries.by_item(STICK, one.id) for one in (first, again)]
    assert [one and one.file_path for one in rows] == [
        "The Sine Waves/First Light (2001)/01 - Tone 1.flac",
        "The Sine Waves/First Light (2001) [11aff194]/01 - Tone 1.flac",
    ]


def test_the_same_album_again_takes_a_few_queries_however_long_it_is(
    world: World, planning: WishService
) -> None:
    album = [track(number, album_id="a" * 32) for number in range(1, 101)]
    whole = track(0, id="a" * 32)
    asked: list[str] = []
    hook(world.db, lambda sql, _values: asked.append(sql))

    taken = []
    for _ in range(2):
        asked.clear()
        planning.pin(ANN, STICK, whole, Describer(*album), playable=album)
        taken.append(len(asked))

    # A path that is free, the last place, a kept part and the row itself, for each new track.
    assert taken[0] <= 4 * len(album) + 30
    assert taken[1] <= 12


def test_what_a_device_takes_no_more_once_jellyfin_has_answered_is_only_held(world: World) -> None:
    refused: list[str] = []
    planning = WishService(
        world.db,
        world.holds,
        world.downloads,
        world.clock,
        not_taken=lambda _device_id, _item_type: refused[0] if refused else None,
    )

    def describe(ids: Sequence[str]) -> dict[str, Item]:
        refused.append("Car stick takes films only")
        return Describer(track(1))(ids)

    assert planning.hold(wishes([track(1)]), describe) == 0

    assert world.downloads.queries.by_item(STICK, track(1).id) is None
    assert world.holds.holders(STICK, track(1).id) == [ANN]
