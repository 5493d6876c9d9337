"""What a device takes: the preset's default, a setting, and what says so where it takes none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings
from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import NOT_TAKEN, Status
from sidecar.domain.files.presets import PresetName
from sidecar.domain.items.kinds import ALL_MEDIA, Kind, MediaKind
from sidecar.domain.rules.favourites import FavouritesSettings
from sidecar.errors import NotPossible
from sidecar.jellyfin.library.browse import BrowseQuery
from sidecar.jellyfin.live.events import UserDataChanged, UserDataEntry
from sidecar.services.downloads.commands import AddResult, DownloadCommand, ResultKind
from sidecar.services.health.tasks import Tasks
from sidecar.services.library.download_state import ButtonState
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.favourites.favourites import FavouritesFollower
from sidecar.services.rules.favourites.states import AccountFavourites
from sidecar.services.rules.followed_account import FollowedAccount
from tests.fakes.libraries.tiny import episode, film, write
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks

TO_HEAR = {MediaKind.MUSIC, MediaKind.AUDIOBOOKS}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(
        tmp_path, tracks(1), change=lambda facts: facts.update(preset="rockbox")
    ) as built:
        built.listing.update(
            films=[film("Colour Bars", 1995)],
            episodes=[episode(season, number) for season in (1, 2) for number in (1, 2)],
        )
        write(built.library, built.listing)
        built.rescan()
        yield built


def follow(house: MovingHouse) -> FavouritesFollower:
    user_id = house.person("ann").user_id
    account = FollowedAccount(
        user_id=user_id,
        name="ann",
        devices=lambda _name: [STICK],
        tell=lambda _trouble: None,
        is_server_there=lambda: True,
    )
    follower = FavouritesFollower(
        account,
        house.client(),
        hearts=AccountFavourites(user_id, house.store.hearts, house.clock),
        planning=house.services.rules.planning,
        settings=FavouritesSettings(),
        clock=house.clock,
        acts=Acts(house.clock),
        tasks=Tasks(house.clock),
    )
    follower.step()
    return follower


def change(house: MovingHouse, **changes: object) -> None:
    house.services.web.settings.change(house.person("admin"), STICK, changes, {})


def titles(house: MovingHouse) -> list[str]:
    return sorted(one.title for one in house.rows())


@pytest.mark.parametrize(
    ("preset", "taken"),
    [
        (PresetName.GENERIC, ALL_MEDIA),
        (PresetName.ANDROID, ALL_MEDIA),
        (PresetName.JELLYFIN, ALL_MEDIA),
        (PresetName.ROCKBOX, TO_HEAR),
        (PresetName.CAR, TO_HEAR),
    ],
)
def test_what_a_device_takes_is_its_presets(preset: PresetName, taken: set[MediaKind]) -> None:
    assert DeviceSettings(name="x", path=Path("/x"), preset=preset).takes == taken


def test_a_setting_wins_over_the_preset() -> None:
    player = DeviceSettings(
        name="x", path=Path("/x"), preset=PresetName.CAR, films=True, music=False
    )

    assert player.takes == {MediaKind.FILMS, MediaKind.AUDIOBOOKS}


@pytest.mark.parametrize(
    ("heart", "files"),
    [
        ("film", ["Colour Bars"]),
        ("episode", ["The Signal S01E02"]),
        ("season", ["The Signal S02E01", "The Signal S02E02"]),
        (
            "series",
            [f"The Signal S0{season}E0{number}" for season in (1, 2) for number in (1, 2)],
        ),
    ],
)
def test_a_heart_on_what_is_seen_counts(house: MovingHouse, heart: str, files: list[str]) -> None:
    change(house, films=True, series=True)
    last = house.item("The Signal S02E01")
    ids = {
        "film": house.item("Colour Bars").id,
        "episode": house.item("The Signal S01E02").id,
        "season": last.season_id,
        "series": last.series_id,
    }
    house.client().set_favourite(ids[heart] or "", value=True)

    follow(house)

    assert titles(house) == files


def test_a_heart_on_a_series_arrives_by_the_message_and_goes_with_it(house: MovingHouse) -> None:
    change(house, series=True)
    follower, user_id = follow(house), house.person("ann").user_id
    series = house.item("The Signal S01E01").series_id or ""

    for value, held in ((True, 4), (False, 0)):
        house.client().set_favourite(series, value=value)
        entry = UserDataEntry(
            item_id=series,
            is_favorite=value,
            played=False,
            play_count=0,
            last_played=None,
            position_s=0.0,
        )
        follower.deliver(UserDataChanged(user_id, (entry,)))
        follower.step()
        house.clock.advance(2 * 86_400)
        house.services.rules.planning.release_expired()
        assert len(house.store.holds.of_rule(user_id, STICK, "favourites")) == held


def test_a_heart_that_the_device_does_not_take_says_so(house: MovingHouse) -> None:
    person, bars = house.person("ann"), house.item("Colour Bars")
    house.client().set_favourite(bars.id, value=True)
    follow(house)

    why = house.services.web.preferences.why(person, STICK, bars.id)
    (button,) = house.services.web.library.show(person, bars.id).buttons or ()

    assert house.rows() == []
    assert why.sentences == (
        "It is not on Car stick: Car stick takes no films, by its settings.",
        "Needed for you: your favourite.",
    )
    assert (button.state, button.text) == (ButtonState.NOT_TAKEN, "Car stick takes no films")


def test_a_list_says_what_the_device_does_not_take_before_its_files_are_known(
    house: MovingHouse,
) -> None:
    person, library = house.person("ann"), house.services.web.library
    asked = BrowseQuery(kinds=frozenset({Kind.SERIES}))

    (refused,) = library.listed(person, asked).items
    change(house, series=True)
    (taken,) = library.listed(person, asked).items

    (button,) = refused.buttons or ()
    assert (button.state, button.text) == (ButtonState.NOT_TAKEN, "Car stick takes no series")
    assert taken.buttons is None


def test_it_comes_when_the_device_takes_it(house: MovingHouse) -> None:
    bars = house.item("Colour Bars")
    house.client().set_favourite(bars.id, value=True)
    follower = follow(house)

    change(house, films=True)
    follower.look_through_soon()
    follower.step()

    assert titles(house) == ["Colour Bars"]


def test_what_waits_is_refused_and_queued_again_as_the_setting_goes(house: MovingHouse) -> None:
    change(house, films=True)
    bars = house.item("Colour Bars")
    house.want(bars, house.item("Tone 1"))

    change(house, films=False)
    refused, tone = house.row("Colour Bars"), house.row("Tone 1")
    why = house.services.web.preferences.why(house.person("ann"), STICK, bars.id).sentences

    assert (refused.status, refused.error_code) == (Status.FAILED, NOT_TAKEN)
    assert refused.error_message == "Car stick takes no films"
    assert tone.status is Status.PENDING
    assert why[0] == "It is not on Car stick: Car stick takes no films, by its settings."

    change(house, films=True)

    assert house.row("Colour Bars").status is Status.PENDING


def test_a_refused_file_cannot_be_retried_past_the_setting(house: MovingHouse) -> None:
    change(house, films=True)
    house.want(house.item("Colour Bars"))
    change(house, films=False)
    row = house.row("Colour Bars")

    told = house.services.web.actions.act(
        house.person("ann"), row.id, DownloadCommand(action=Action.RETRY)
    )

    assert (told.result, told.code) == (ResultKind.REFUSED, NOT_TAKEN)
    assert told.text == "Colour Bars does not come: Car stick takes no films, by its settings"


def test_asking_for_it_is_refused_in_a_sentence(house: MovingHouse) -> None:
    person, bars = house.person("ann"), house.item("Colour Bars")
    series = house.item("The Signal S01E01").series_id or ""

    told = house.services.web.actions.add(person, [bars.id, series])

    assert [(one.result, one.code) for one in told] == 2 * [(AddResult.REFUSED, NOT_TAKEN)]
    assert told[1].text == "The Signal does not come: Car stick takes no series, by its settings"
    with pytest.raises(NotPossible, match="Car stick takes no films"):
        house.services.web.preferences.pin(person, STICK, bars.id)
    assert house.rows() == []


def test_files_that_are_there_stay(house: MovingHouse) -> None:
    change(house, films=True)
    house.fill(house.item("Colour Bars"))

    change(house, films=False)

    assert house.row("Colour Bars").status is Status.COMPLETED


def test_a_device_that_is_set_to_the_presets_default_follows_the_preset(house: MovingHouse) -> None:
    settings = house.services.web.settings
    person = house.person("admin")

    def shown() -> dict[str, object]:
        told = settings.settings(person, STICK).settings
        return {one.key.name: one.value for one in told if one.key.name in set(MediaKind)}

    assert [name for name, value in shown().items() if value] == ["music", "audiobooks"]
    change(house, preset="android")
    assert all(shown().values())
