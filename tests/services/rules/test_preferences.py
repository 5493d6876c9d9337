from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.config.rules import ALL_RULES
from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.kinds import MediaKind
from sidecar.domain.rules import album_affinity, latest
from sidecar.domain.rules.context import Chosen
from sidecar.domain.wishes import PIN, PIN_PRIORITY, Reason, Wish
from sidecar.errors import (
    ConfigError,
    JellyfinError,
    NotAllowed,
    NotFound,
    NotPossible,
    NotVisible,
    UnexpectedAnswer,
)
from sidecar.jellyfin.listing import Listing
from sidecar.services.accounts.person import Person
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.health.problems import Problems
from sidecar.services.rules.explain import Explainer
from sidecar.services.rules.preferences import Excluded, Pinned, PreferenceService, Removed
from sidecar.services.rules.settings.editor import SettingsEditor
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.devices import Device
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.settings import RuleSettingsStore
from sidecar.store.rules.tombstones import Tombstones
from tests.services.conftest import ANN, STICK, World, access_to, track

BEN, EVE = "b" * 32, "e" * 32
PEOPLE = {
    "ann": Person(ANN, "ann", is_admin=False),
    "ben": Person(BEN, "ben", is_admin=False),
    "eve": Person(EVE, "eve", is_admin=True),
}
CARD = "22222222-2222-4222-8222-222222222222"
SONGS = [track(1), track(2), track(3)]
ALBUM = track(50, type=ItemType.ALBUM, title="First Light")
ROAD = track(60, type=ItemType.PLAYLIST, title="Road trip")
EMPTY = track(70, type=ItemType.ALBUM, title="Nothing")
SHELF = track(80, type=ItemType.OTHER, title="All films")
HIDDEN = track(90)


@dataclass
class Seen:
    """A library as one account sees it, made of values. Unlike the real one it never waits."""

    known: dict[str, Item]
    lists: dict[str, Listing]
    trouble: JellyfinError | None = None
    asked: list[str] = field(default_factory=list)

    def item(self, item_id: str) -> Item:
        self.asked.append(item_id)
        if self.trouble is not None:
            raise self.trouble
        if item_id not in self.known:
            raise NotFound("There is no such item")
        return self.known[item_id]

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        return {one: self.known[one] for one in ids if one in self.known}

    def expand(self, item: Item) -> Listing:
        return self.lists[item.id]


@dataclass
class House:
    """The desk with a real store."""

    world: World
    steering: PreferenceService
    editor: SettingsEditor
    planning: WishService
    library: Seen
    book: DeviceSettingsService
    said: dict[str, tuple[str, ...]]
    woken: list[str] = field(default_factory=list)

    def held(self, rule: str, user_id: str = ANN) -> list[str]:
        now = self.world.clock.now()
        return [
            one.item_id
            for one in self.world.holds.of_rule(user_id, STICK, rule)
            if one.release_at is None or one.release_at > now
        ]

    def want(self, rule: str, *items: Item, user_id: str = ANN, source: str = "7" * 32) -> None:
        why = Reason(rule, source, f"because of {rule}")
        wishes = [Wish(user_id, STICK, one, why) for one in items]
        self.planning.hold(wishes, self.library.items)

    def status(self, item: Item) -> Status | None:
        found = self.world.downloads.queries.by_item(STICK, item.id)
        return found.status if found else None

    def bring(self, item: Item) -> None:
        """Let the next one in the queue arrive; it is this one."""
        (claimed,) = self.world.downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        assert claimed.item_id == item.id
        self.world.downloads.transitions.mark_arrived(
            claimed, size=1000, content_hash="0" * 32, mime_type=None
        )

    def remove(self, item: Item) -> None:
        """A person removed the file."""
        there = self.world.downloads.queries.by_item(STICK, item.id)
        assert there is not None
        self.world.downloads.transitions.mark_missing(there)
        Tombstones(self.world.db, self.world.clock).put(ANN, STICK, item.id)


def account(world: World, name: str) -> None:
    person = PEOPLE[name]
    world.accounts.save(
        Account(
            user_id=person.user_id,
            name=name,
            server_id="5" * 32,
            is_admin=person.is_admin,
            may_download=True,
            jellyfin_device_id=f"sidecar-{name}",
            token_encrypted=None,
            is_signed_in=True,
            signed_in_at=world.clock.now(),
        )
    )


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    for name in PEOPLE:
        account(world, name)
    world.devices.save(Device(CARD, "Card", str(tmp_path / "card"), world.clock.now()))
    stick = DeviceSettings(name="Car stick", path=tmp_path / "stick", users=("ann",))
    card = DeviceSettings(
        name="Card", path=tmp_path / "card", budget=ByteSize(5000), managers=("ann",)
    )
    book = DeviceSettingsService(
        [stick, card],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=lambda _device: None,
        bus=world.bus,
    )
    rules = RuleSettingsService(ALL_RULES, RuleSettingsStore(world.db))
    planning = WishService(world.db, world.holds, world.downloads, world.clock)
    library = Seen(
        known={one.id: one for one in (*SONGS, ALBUM, ROAD, EMPTY, SHELF)},
        lists={
            ALBUM.id: Listing(tuple(SONGS), complete=True),
            EMPTY.id: Listing((), complete=True),
        },
    )
    said: dict[str, tuple[str, ...]] = {}
    woken: list[str] = []

    def remarks(user_id: str, device_id: str) -> Mapping[str, tuple[str, ...]]:
        return said if (user_id, device_id) == (ANN, STICK) else {}

    explaining = Explainer(
        stores=world.stores,
        problems=Problems(world.bus),
        devices=book,
        rules=rules,
        names=lambda: {one.user_id: name for name, one in PEOPLE.items()},
        clock=world.clock,
    )
    access = access_to(world, lambda: [stick, card])
    steering = PreferenceService(
        stores=world.stores,
        access=access,
        planning=planning,
        explaining=explaining,
        library=lambda _user: library,
        wake=woken.append,
    )
    editor = SettingsEditor(
        access=access,
        devices=book,
        rules=rules,
        holds=world.holds,
        accounts=world.accounts.all,
        remarks=remarks,
        space_on=lambda _device: None,
        wake=woken.append,
    )
    return House(world, steering, editor, planning, library, book, said, woken)


ANNA, BENN, EVA = PEOPLE["ann"], PEOPLE["ben"], PEOPLE["eve"]


# What is set


def test_settings_are_the_current_ones_with_their_defaults(house: House) -> None:
    house.editor.change(ANNA, CARD, {"budget": "8 GB"}, {"album_affinity": {"threshold": 5}})

    shown = house.editor.settings(ANNA, CARD)

    device = {one.key.name: (one.value, one.default) for one in shown.settings}
    assert device == {
        "budget": (8 * 10**9, 5000),
        "reserve": (None, None),
        "paused": (False, False),
        "cast": (True, True),
        "network": (None, None),
        "speed_limit": (None, None),
        "format": ("original", "original"),
        "bitrate": (None, None),
        "video": ("original", "original"),
        "audio_languages": (None, None),
        "subtitle_languages": (None, None),
        "keep_original": (False, False),
        "complete_tags": (False, False),
        "tag_separator": ("; ", "; "),
        "preset": ("generic", "generic"),
        "versions": ("largest", "largest"),
        **dict.fromkeys(map(str, MediaKind), (True, True)),
        "album_playlists": (False, False),
        "covers": (True, True),
        "lyrics": (True, True),
        "subtitles": (True, True),
        "index": (True, True),
        "time_zone": (None, None),
    }
    rules = {one.name: {key.key.name: key for key in one.settings} for one in shown.rules}
    threshold = rules["album_affinity"]["threshold"]
    assert (threshold.value, threshold.default) == (5, 3)
    assert (threshold.key.least, threshold.key.most) == (1, 50)
    assert rules["album_affinity"]["window"].value == "30 days"


def test_each_rule_says_what_it_wants_and_what_it_cannot_do(house: House) -> None:
    house.said["queue_ahead"] = ("Firefox plays shuffled",)
    text = "you played 3 of 11 tracks of First Light"
    wishes = [Wish(ANN, STICK, one, Reason("album_affinity", ALBUM.id, text)) for one in SONGS]
    house.planning.hold(wishes, house.library.items)

    rules = {one.name: one for one in house.editor.settings(ANNA, STICK).rules}

    assert rules["album_affinity"].because == (text,)
    assert rules["queue_ahead"].remarks == ("Firefox plays shuffled",)
    assert house.editor.settings(EVA, STICK).rules[2].because == ()


def test_a_change_wakes_everybody_whom_the_device_serves(house: House) -> None:
    house.editor.change(ANNA, STICK, {}, {latest.NAME: {"enabled": True}})
    assert house.woken == [ANN]

    house.editor.change(ANNA, CARD, {"paused": True}, {})
    assert sorted(house.woken[1:]) == [ANN, BEN, EVE]


@pytest.mark.parametrize(
    ("device", "rules"),
    [
        ({"budget": "many"}, {}),
        ({"users": "ben"}, {}),
        ({}, {"latest": {"albums": 0}}),
        ({}, {"latest": {"threshold": 3}}),
    ],
)
def test_of_a_change_that_is_partly_wrong_nothing_is_done(
    house: House, device: dict[str, object], rules: dict[str, dict[str, object]]
) -> None:
    before = house.editor.settings(ANNA, STICK)

    with pytest.raises(ConfigError):
        house.editor.change(
            ANNA,
            STICK,
            {"paused": True, **device},
            {album_affinity.NAME: {"threshold": 5}, **rules},
        )

    assert house.editor.settings(ANNA, STICK) == before
    assert house.woken == []


def test_a_rule_that_there_is_not_is_refused(house: House) -> None:
    with pytest.raises(NotPossible):
        house.editor.change(ANNA, STICK, {"paused": True}, {"favourites": {"enabled": False}})

    assert not house.editor.settings(ANNA, STICK).settings[2].value


# Who may


def test_a_device_that_does_not_serve_a_person_does_not_exist_for_them(house: House) -> None:
    for device_id in (STICK, "33333333-3333-4333-8333-333333333333"):
        for call in (
            lambda one: house.editor.settings(BENN, one),
            lambda one: house.editor.change(BENN, one, {"paused": True}, {}),
            lambda one: house.steering.pins(BENN, one),
            lambda one: house.steering.pin(BENN, one, SONGS[0].id),
            lambda one: house.steering.unpin(BENN, one, SONGS[0].id),
            lambda one: house.steering.exclude(BENN, one, latest.NAME, SONGS[0].id),
            lambda one: house.steering.include(BENN, one, latest.NAME, SONGS[0].id),
            lambda one: house.steering.playlists(BENN, one),
            lambda one: house.steering.choose(BENN, one, ROAD.id),
            lambda one: house.steering.drop(BENN, one, ROAD.id),
            lambda one: house.steering.removed(BENN, one),
            lambda one: house.steering.want_again(BENN, one, SONGS[0].id),
            lambda one: house.steering.why(BENN, one, SONGS[0].id),
        ):
            with pytest.raises(NotVisible):
                call(device_id)
    assert house.library.asked == []
    assert house.woken == []


def test_an_admin_may_steer_every_device(house: House) -> None:
    assert house.editor.change(EVA, STICK, {"paused": True}, {}).settings[2].value is True
    assert house.steering.pin(EVA, STICK, SONGS[0].id) == 1


# Pins


def test_a_pinned_track_is_kept_and_comes_first(house: House) -> None:
    assert house.steering.pin(ANNA, STICK, SONGS[0].id) == 1

    assert house.held(PIN) == [SONGS[0].id]
    queued = house.world.downloads.queries.by_item(STICK, SONGS[0].id)
    assert queued is not None
    assert queued.priority == PIN_PRIORITY
    assert house.woken == [ANN]


def test_a_pinned_album_is_all_it_holds_and_is_unpinned_as_a_whole(house: House) -> None:
    house.steering.pin(ANNA, STICK, SONGS[0].id)

    assert house.steering.pin(ANNA, STICK, ALBUM.id) == 2
    assert house.steering.pin(ANNA, STICK, ALBUM.id) == 0
    assert len(house.held(PIN)) == 4
    assert house.steering.pins(ANNA, STICK) == [
        Pinned(SONGS[0].id, f"downloaded by you ({SONGS[0].title})", 1),
        Pinned(ALBUM.id, "downloaded by you (First Light)", 3),
    ]
    assert house.steering.pins(ANNA, CARD) == house.steering.pins(EVA, STICK) == []

    house.steering.unpin(ANNA, STICK, ALBUM.id)

    assert house.held(PIN) == [SONGS[0].id]
    assert [house.status(one) for one in SONGS] == [Status.PENDING, None, None]
    with pytest.raises(NotVisible):
        house.steering.unpin(ANNA, STICK, ALBUM.id)


def test_a_pin_on_another_device_stays_when_this_one_s_is_taken_back(house: House) -> None:
    house.steering.pin(ANNA, STICK, SONGS[0].id)
    house.steering.pin(ANNA, CARD, SONGS[0].id)

    house.steering.unpin(ANNA, CARD, SONGS[0].id)

    assert house.held(PIN) == [SONGS[0].id]


@pytest.mark.parametrize("trouble", [NotAllowed("You may not"), None])
def test_what_the_account_cannot_see_is_not_there(
    house: House, trouble: JellyfinError | None
) -> None:
    house.library.trouble = trouble
    with pytest.raises(NotVisible):
        house.steering.pin(ANNA, STICK, HIDDEN.id)
    with pytest.raises(NotVisible):
        house.steering.choose(ANNA, STICK, HIDDEN.id)


@pytest.mark.parametrize("item", [EMPTY, SHELF])
def test_what_holds_nothing_to_fetch_is_not_pinned(house: House, item: Item) -> None:
    with pytest.raises(NotPossible, match=item.title):
        house.steering.pin(ANNA, STICK, item.id)


def test_an_album_that_was_not_listed_as_a_whole_is_not_pinned_in_part(house: House) -> None:
    house.library.lists[ALBUM.id] = Listing(tuple(SONGS[:1]), complete=False)

    with pytest.raises(UnexpectedAnswer, match="try again"):
        house.steering.pin(ANNA, STICK, ALBUM.id)

    assert house.held(PIN) == []


def test_a_pin_brings_back_what_was_removed(house: House) -> None:
    house.want("favourites", SONGS[0])
    house.bring(SONGS[0])
    house.remove(SONGS[0])

    assert house.steering.pin(ANNA, STICK, SONGS[0].id) == 1

    assert house.steering.removed(ANNA, STICK) == []
    assert house.status(SONGS[0]) is Status.PENDING


# Exclusions


def test_an_exclusion_ends_what_that_rule_holds_and_nothing_else(house: House) -> None:
    house.want("latest", *SONGS)
    house.want("favourites", SONGS[0])
    house.want("latest", SONGS[0], user_id=BEN)

    house.steering.exclude(ANNA, STICK, "latest", SONGS[0].id)

    assert house.held("latest") == [SONGS[1].id, SONGS[2].id]
    assert house.held("favourites") == [SONGS[0].id]
    assert house.held("latest", BEN) == [SONGS[0].id]
    assert house.status(SONGS[0]) is Status.PENDING
    assert house.woken == [ANN]


def test_what_only_that_rule_wanted_leaves_the_queue_even_within_its_grace(house: House) -> None:
    house.want("latest", SONGS[0])
    in_a_week = house.world.clock.now() + timedelta(days=7)
    held = house.world.holds.of_rule(ANN, STICK, "latest")
    house.world.holds.release_these(held, in_a_week)

    house.steering.exclude(ANNA, STICK, "latest", SONGS[0].id)

    assert house.status(SONGS[0]) is None


def test_a_whole_album_is_excluded_by_its_own_id(house: House) -> None:
    house.want("latest", *SONGS, source=ALBUM.id)

    house.steering.exclude(ANNA, STICK, "latest", ALBUM.id)

    assert house.held("latest") == []


def test_exclusions_are_listed_and_taken_back(house: House) -> None:
    house.steering.exclude(ANNA, STICK, "latest", SONGS[0].id)
    house.steering.exclude(ANNA, STICK, "favourites", SONGS[0].id)

    assert house.steering.exclusions(ANNA) == [
        Excluded(STICK, "favourites", SONGS[0].id, None),
        Excluded(STICK, "latest", SONGS[0].id, None),
    ]
    assert house.steering.exclusions(BENN) == []

    house.steering.include(ANNA, STICK, "latest", SONGS[0].id)
    with pytest.raises(NotVisible):
        house.steering.include(ANNA, STICK, "latest", SONGS[0].id)
    house.want("latest", SONGS[0])
    assert house.held("latest") == [SONGS[0].id]


def test_what_was_excluded_on_a_device_that_serves_one_no_more_is_not_listed(house: House) -> None:
    exclusions = Exclusions(house.world.db, house.world.clock)
    exclusions.put(BEN, "latest", SONGS[0].id, device_id=STICK)
    exclusions.put(BEN, "latest", SONGS[1].id)

    assert house.steering.exclusions(BENN) == [Excluded(None, "latest", SONGS[1].id, None)]


@pytest.mark.parametrize("rule", [PIN, "nothing", ""])
def test_only_from_a_rule_can_be_excluded(house: House, rule: str) -> None:
    with pytest.raises(NotVisible):
        house.steering.exclude(ANNA, STICK, rule, SONGS[0].id)


# Playlists


def test_playlists_are_chosen_for_a_device_and_dropped(house: House) -> None:
    road = Chosen(playlist_id=ROAD.id, title="Road trip")

    assert house.steering.choose(ANNA, STICK, ROAD.id) == road
    assert house.steering.playlists(ANNA, STICK) == (road,)
    assert house.steering.playlists(ANNA, CARD) == house.steering.playlists(EVA, STICK) == ()

    house.steering.drop(ANNA, STICK, ROAD.id)
    with pytest.raises(NotVisible):
        house.steering.drop(ANNA, STICK, ROAD.id)
    assert house.woken == [ANN, ANN]


def test_only_playlists_are_chosen(house: House) -> None:
    with pytest.raises(NotPossible, match="First Light is no playlist"):
        house.steering.choose(ANNA, STICK, ALBUM.id)


# What was removed


def test_what_was_removed_is_listed_until_it_is_wanted_again(house: House) -> None:
    house.want("favourites", SONGS[0])
    house.bring(SONGS[0])
    house.remove(SONGS[0])
    assert house.steering.removed(ANNA, STICK) == [Removed(SONGS[0].id, "Tone 1")]

    house.steering.want_again(ANNA, STICK, SONGS[0].id)

    assert house.steering.removed(ANNA, STICK) == []
    assert house.status(SONGS[0]) is Status.PENDING
    assert house.woken == [ANN]
    with pytest.raises(NotVisible):
        house.steering.want_again(ANNA, STICK, SONGS[0].id)


def test_what_no_rule_wants_is_not_fetched_again(house: House) -> None:
    house.want("latest", SONGS[0])
    house.bring(SONGS[0])
    house.remove(SONGS[0])
    house.planning.replace(ANN, STICK, "latest", [], house.library.items, grace=timedelta(days=7))

    house.steering.want_again(ANNA, STICK, SONGS[0].id)
    assert house.status(SONGS[0]) is Status.REMOVED

    # A rule that runs then and wants it has a new reason, whatever was left of the old one.
    house.want("latest", SONGS[0])
    assert house.status(SONGS[0]) is Status.PENDING
