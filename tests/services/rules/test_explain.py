"""Who is told what of one item: the sentences themselves are the domain's tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings
from sidecar.config.rules import ALL_RULES
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.rules import latest
from sidecar.domain.transfers.network import NetworkVerdict
from sidecar.domain.wishes import Reason, Wish
from sidecar.services.accounts.person import Person
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.rules.explain import Explainer
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.services.space.waits import Waits
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.settings import RuleSettingsStore
from sidecar.store.rules.tombstones import Tombstones
from tests.services.conftest import ANN, STICK, World, track

BEN = "b" * 32
ANNA, BENN = Person(ANN, "ann", is_admin=False), Person(BEN, "ben", is_admin=False)
EVA = Person("e" * 32, "eve", is_admin=True)
SONG = replace(track(1), album_id="7" * 32)
NOT_ASKED = "You have not downloaded it to Car stick, and no rule of yours does."


@dataclass
class House:
    """What is asked, with a real store; eviction and network say what a test lets them say."""

    world: World
    explaining: Explainer
    planning: WishService
    problems: Problems
    book: DeviceSettingsService
    rules: RuleSettingsService
    network: list[str]

    def want(self, user_id: str = ANN, text: str = "your favourite") -> None:
        wish = Wish(user_id, STICK, SONG, Reason("favourites", SONG.id, text))
        self.planning.hold([wish], lambda _ids: {SONG.id: SONG})

    def bring(self) -> Download:
        (claimed,) = self.world.downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        self.world.downloads.transitions.mark_arrived(
            claimed, size=1000, content_hash="0" * 32, mime_type=None
        )
        there = self.world.downloads.queries.get(claimed.id)
        assert there is not None
        return there

    def told(self, person: Person = ANNA) -> str:
        return " ".join(self.explaining.why(person, STICK, SONG.id).sentences)


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    book = DeviceSettingsService(
        [DeviceSettings(name="Car stick", path=tmp_path / "stick")],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=lambda _device: None,
        bus=world.bus,
    )
    rules = RuleSettingsService(ALL_RULES, RuleSettingsStore(world.db))
    problems = Problems(world.bus)
    network: list[str] = []
    explaining = Explainer(
        stores=world.stores,
        problems=problems,
        devices=book,
        rules=rules,
        names=lambda: {ANN: "ann", BEN: "ben"},
        clock=world.clock,
        waits=Waits(
            problems=problems,
            trouble_of=partial(problems.of, ProblemKind.DEVICE),
            settings_of=book.of,
            verdict_on=lambda _device: (
                NetworkVerdict(own_only=True, text=network[0]) if network else None
            ),
            waiting_for_room=lambda _device: None,
            holds=world.holds,
            clock=world.clock,
        ).of_one,
    )
    planning = WishService(world.db, world.holds, world.downloads, world.clock)
    return House(world, explaining, planning, problems, book, rules, network)


def test_a_file_that_only_others_hold_is_as_if_it_were_not_there(house: House) -> None:
    before = house.explaining.why(BENN, STICK, SONG.id)
    house.want()
    house.bring()

    assert house.explaining.why(BENN, STICK, SONG.id) == before
    assert before.sentences[0] == NOT_ASKED
    assert before.status is None
    assert not before.is_here


def test_reasons_of_others_are_told_only_to_an_admin(house: House) -> None:
    house.want()
    house.want(BEN, "on your favourite album Secrets")
    house.bring()

    ann, eve = (house.explaining.why(one, STICK, SONG.id) for one in (ANNA, EVA))

    assert ann.is_here
    assert ann.sentences == ("It is on Car stick.", "Needed for you: your favourite.")
    assert [(one.who, one.text) for one in eve.wanted] == [
        ("ann", "your favourite"),
        ("ben", "on your favourite album Secrets"),
    ]


def test_nobody_learns_from_a_trouble_who_else_wants_it(house: House) -> None:
    house.want(BEN)
    house.want()
    house.problems.note(ProblemKind.ACCOUNT, BEN, Problem("signed-out", "ben must sign in again"))

    assert "ben" not in house.told()
    assert "must sign in again" in house.told()
    assert "ben must sign in again" in house.told(EVA)
    assert "ben must sign in again" in house.told(BENN)


def test_what_waits_is_told_what_it_waits_for(house: House) -> None:
    house.want()
    assert "when it is its turn" in house.told()

    house.network.append("It waits until the network is not metered")
    assert "not metered" in house.told()

    house.problems.note(ProblemKind.SERVER, "server", Problem("server-away", "Jellyfin is away"))
    house.problems.note(ProblemKind.DEVICE, STICK, Problem("full", "Car stick is full"))
    house.book.change(STICK, {"paused": True})
    told = house.told()
    assert "Jellyfin is away" in told
    assert "Car stick is full" in told
    assert "paused" in told
    assert "its turn" not in told


def test_a_device_that_is_away_is_only_believed(house: House) -> None:
    house.want()
    house.bring()
    house.problems.note(ProblemKind.DEVICE, STICK, Problem("missing", "Car stick is not there"))

    assert house.told().startswith("It was on Car stick when Car stick was last seen.")


def test_what_the_person_said_against_it_is_told(house: House) -> None:
    house.want()
    there = house.bring()
    house.world.downloads.transitions.mark_missing(there)
    Tombstones(house.world.db, house.world.clock).put(ANN, STICK, SONG.id)
    exclusions = Exclusions(house.world.db, house.world.clock)
    exclusions.put(ANN, latest.NAME, "7" * 32)
    exclusions.put(ANN, "album_affinity", SONG.id, device_id=STICK)
    exclusions.put(ANN, "next_up", "8" * 32)

    told = house.told()

    assert "You removed it from Car stick" in told
    assert "from the rule “Newly added”" in told
    assert "from the rule “Albums you like”" in told
    assert "from the rule “Next up”" not in told
    assert "You removed" not in house.told(EVA)


def test_what_was_evicted_rests(house: House) -> None:
    house.want()
    there = house.bring()
    house.world.downloads.transitions.evict(there)
    in_a_week = house.world.clock.now() + timedelta(days=7)
    house.world.stores.rests.put(STICK, SONG.id, in_a_week)

    assert "it is not downloaded automatically for another 7 days" in house.told()


def test_rules_that_are_switched_off_are_named(house: House) -> None:
    assert "Switched off for Car stick: Next up, Newly added and Fill what is left." in house.told()

    house.rules.change(latest.RULE, STICK, {"enabled": True})
    assert "Switched off for Car stick: Next up and Fill what is left." in house.told()


def test_a_hold_that_is_over_is_no_reason_any_more(house: House) -> None:
    house.want()
    house.bring()
    house.planning.release(ANN, "favourites", SONG.id, grace=timedelta(hours=5))
    assert "for another 5 hours" in house.told()

    house.world.clock.advance(5 * 3600)

    assert house.explaining.why(ANNA, STICK, SONG.id).wanted == ()
    assert "No longer needed" in house.told()


def test_every_state_of_the_queue_is_told(house: House) -> None:
    house.want()
    assert house.explaining.why(ANNA, STICK, SONG.id).status is Status.PENDING
    (running,) = house.world.downloads.queue.claim_together(house.world.clock.now(), at_most=1)

    assert "being downloaded" in house.told()
    house.world.downloads.transitions.pause(running)
    assert "paused until somebody resumes it" in house.told()
