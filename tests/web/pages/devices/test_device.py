from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.downloads.download import Status
from sidecar.domain.rules.album_affinity import NAME as AFFINITY
from sidecar.domain.rules.context import Chosen
from sidecar.domain.wishes import PIN
from sidecar.services.rules.settings.view import DEVICE_KEYS
from sidecar.web.i18n import labels
from sidecar.web.pages.devices.device import GROUPS
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.web.house import ANN, Browser, WebHouse

PAGE = f"/devices/{STICK}"
ALBUM = track(50).id


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


def press(one: Browser, path: str, **form: str) -> TestResponse:
    return one.press(f"{PAGE}/{path}", **form)


def pin_album(house: WebHouse, ann: Browser) -> None:
    """Let Ann ask for an album of two tracks."""
    album = row(50, Type="MusicAlbum", Name="First Light", CanDownload=None)
    house.library(album, row(1, ParentId=ALBUM), row(2, ParentId=ALBUM))
    assert ann.send("PUT", f"/api/v1{PAGE}/pins/{ALBUM}").json == {"queued": 2}


def settings(ann: Browser) -> dict[str, object]:
    told = ann.told(f"/api/v1{PAGE}/settings")
    return {
        "budget": told["settings"]["budget"]["value"],
        "network": told["settings"]["network"]["value"],
        "window": told["rules"][AFFINITY]["settings"]["window"]["value"],
    }


def test_the_page_tells_of_rules_settings_and_what_was_said(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    pin_album(house, ann)
    house.store.chosen.choose(ANN.user_id, STICK, Chosen(playlist_id="6" * 32, title="Road trip"))

    page = ann.get(PAGE).text

    for words in (
        "<h1>Car stick</h1>",
        "Albums you like",
        "downloaded by you (First Light)",
        "2 files",
        "Road trip",
        'role="img" aria-label="Space on Car stick"',
        "The rule for favourites is the same for all devices.",
    ):
        assert words in page
    to_change_it = '<a href="/settings/rules">Change it in the settings</a>'
    assert to_change_it not in page
    assert to_change_it in eve.get(PAGE).text


def test_what_is_changed_is_kept_and_nothing_else(ann: Browser) -> None:
    answer = press(ann, "settings", budget="8 GB", network="")

    assert answer.status_code == 303
    assert answer.location == f"{PAGE}?saved=settings#form-settings"
    assert "Saved." in ann.get(answer.location.partition("#")[0]).text
    assert settings(ann) == {"budget": 8 * 10**9, "network": None, "window": "30 days"}


def test_a_limit_above_the_drive_is_said_to_be_never_reached(ann: Browser) -> None:
    assert re.search(r"The drive holds \d[\d.]* .B\.", ann.get(PAGE).text)

    press(ann, "settings", budget="9000 TB")

    found = re.search(
        r"The drive holds only (\d[\d.]* .B): this limit is never", ann.get(PAGE).text
    )
    assert found
    assert found[1] != "9000 TB"


def test_more_than_the_drive_cannot_stay_free(ann: Browser) -> None:
    answer = press(ann, "settings", budget="many", reserve="9000 TB")

    assert answer.status_code == 422
    assert "Enter a size such as 10 GB" in answer.text
    assert re.search(r"The drive holds only \d[\d.]* .B, so nothing could be", answer.text)
    assert ann.told(f"/api/v1{PAGE}/settings")["settings"]["reserve"]["value"] is None
    refused = ann.send("PATCH", f"/api/v1{PAGE}/settings", {"settings": {"reserve": 9 * 10**15}})
    assert refused.status_code == 422
    assert "The drive holds only" in refused.text


def test_an_emptied_field_takes_a_change_back(ann: Browser) -> None:
    press(ann, f"rules/{AFFINITY}", window="60 days")
    assert settings(ann)["window"] == "60 days"

    press(ann, f"rules/{AFFINITY}", window="")
    assert settings(ann)["window"] == "30 days"


def test_what_cannot_be_set_is_told_on_the_page(ann: Browser) -> None:
    answer = press(ann, "settings", budget="many", bitrate="loud", reserve="2 GB")

    assert answer.status_code == 422
    # All of it at once, each at its field; what was typed stays.
    assert "Enter a size such as 10 GB" in answer.text
    assert "Enter a bitrate such as 128k" in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    for typed in ("many", "loud", "2 GB"):
        assert f'value="{typed}"' in answer.text
    assert "<h1>Car stick</h1>" in answer.text
    assert 'rule" id="form-latest" open' not in answer.text
    assert settings(ann)["budget"] is None


def test_a_wrong_value_of_a_rule_is_told_in_that_rule(ann: Browser) -> None:
    answer = press(ann, f"rules/{AFFINITY}", enabled="on", window="soon", threshold="3")

    assert answer.status_code == 422
    assert "Enter a time such as 30 seconds, 10 minutes or 1 day" in answer.text
    assert 'value="soon"' in answer.text
    assert f'id="form-{AFFINITY}" open' in answer.text
    assert answer.text.count(" open>") == 1


def test_every_setting_of_a_device_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]

    assert sorted(grouped) == sorted(one.name for one in DEVICE_KEYS)


def test_a_playlist_and_a_removal_are_taken_back(house: WebHouse, ann: Browser) -> None:
    house.store.chosen.choose(ANN.user_id, STICK, Chosen(playlist_id="6" * 32, title="Road trip"))
    house.store.tombstones.put(ANN.user_id, STICK, track(1).id)

    for kept, item in (("playlist", "6" * 32), ("removal", track(1).id)):
        # Pressed twice, or after something else has let it go: it is as it was asked for.
        for _ in range(2):
            assert press(ann, "take-back", kept=kept, item=item, sure="yes").status_code == 303

    assert ann.told(f"/api/v1{PAGE}/playlists")["items"] == []
    assert ann.told(f"/api/v1{PAGE}/removed")["items"] == []


def test_a_wish_of_many_files_is_asked_about_first_and_undone_afterwards(
    house: WebHouse, ann: Browser
) -> None:
    pin_album(house, ann)
    pins = f"/api/v1{PAGE}/pins"

    question = press(ann, "take-back", kept="pin", item=ALBUM)
    assert "Unpin 2 files?" in question.text
    assert ann.told(pins)["items"] != []

    done = press(ann, "take-back", kept="pin", item=ALBUM, sure="yes")
    page = ann.get(done.location).text
    assert "2 files are unpinned." in page
    assert ann.told(pins)["items"] == []
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    form = {"token": token[1], "next": PAGE}
    undone = ann.press("/undo", **form)

    assert undone.status_code == 303
    assert undone.location == f"{PAGE}?done={token[1]}"
    assert "It is undone." in ann.get(undone.location).text
    assert [one["files"] for one in ann.told(pins)["items"]] == [2]
    assert [house.row(number).status for number in (1, 2)] == [Status.PENDING] * 2
    assert ann.press("/undo", **form).status_code == 409


def test_the_question_about_missing_files_is_answered(house: WebHouse, ann: Browser) -> None:
    files = house.ask_about_removals()
    assert files[0].file_path in ann.get(PAGE).text

    assert press(ann, "removals", gone="no").status_code == 303

    assert {house.status(one) for one in files} == {Status.PENDING}


@pytest.mark.parametrize("users", [()])
def test_a_device_is_ejected_and_attached_again_by_who_manages_it(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    registry = house.services.devices.registry
    assert press(ann, "unplug").status_code == 403
    assert not registry.is_ejected(STICK)

    assert press(eve, "unplug").status_code == 303
    assert registry.is_ejected(STICK)
    assert registry.all() == []
    assert "Safe to remove" in eve.get(PAGE).text

    press(eve, "unplug", use="yes")
    assert not registry.is_ejected(STICK)


def test_a_device_of_others_is_as_if_it_did_not_exist(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    house.add(1, rule=PIN)

    assert ben.get(PAGE).status_code == 404
    assert ben.get("/devices/none").status_code == 404
    assert press(ben, "settings", budget="8 GB").status_code == 404
    assert press(ben, "take-back", kept="pin", item=track(1).id).status_code == 404
    assert settings(ann)["budget"] is None
    assert house.row(1).status is Status.PENDING


@pytest.mark.parametrize(
    ("octets", "written"),
    [(None, ""), (0, "0"), (10 * 10**9, "10 GB"), (10_500_000_000, "10500 MB"), (1025, "1025 B")],
)
def test_a_size_is_written_so_that_nothing_of_it_is_lost(octets: int | None, written: str) -> None:
    assert labels.size(octets) == written
