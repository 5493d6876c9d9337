from __future__ import annotations

from datetime import time, timedelta

from sidecar.domain.rules.registry import RULE_OF
from tests.services.conftest import STICK
from tests.web.house import Browser, WebHouse


def test_every_group_of_settings_is_shown(eve: Browser) -> None:
    assert eve.get("/settings").location == "/settings/jellyfin"
    for group in (
        "jellyfin",
        "downloads",
        "network",
        "rules",
        "syncthing",
        "backup",
        "server",
        "log",
        "metrics",
    ):
        assert eve.get(f"/settings/{group}").status_code == 200, group
    assert eve.get("/settings/nothing").status_code == 404


def test_the_address_of_the_file_is_locked_and_said_to_be(house: WebHouse, eve: Browser) -> None:
    page = eve.get("/settings/jellyfin").text

    assert "Set in the settings file" in page
    answer = eve.press("/settings/jellyfin", **{"jellyfin.url": "http://elsewhere:8096"})
    assert answer.status_code == 303
    assert house.services.configuration.now().jellyfin.url == house.jellyfin.url


def test_quiet_hours_and_limits_count_at_once(house: WebHouse, eve: Browser) -> None:
    before = house.services.transfers.network.verdict().own_only

    saved = eve.press(
        "/settings/network",
        **{"network.quiet_hours": "00:00-12:00, 12:00-00:00", "network.time_zone": "UTC"},
    )
    eve.press("/settings/downloads", **{"transfer.speed_limit": "2 MB"})

    assert saved.location == "/settings/network?saved=yes"
    assert "Saved." in eve.get(saved.location).text
    assert not before
    assert house.services.transfers.network.verdict().own_only
    assert house.services.transfers.speed.of_all() == 2_000_000
    assert "Waits for a restart" not in eve.get("/settings/network").text


def test_a_rule_is_switched_for_all_devices(house: WebHouse, eve: Browser) -> None:
    eve.press("/settings/rules", **{"rules.latest.enabled": "on", "rules.latest.grace": "2 weeks"})

    now = house.services.rules.settings.of(RULE_OF["latest"], STICK)
    assert (now.enabled, now.grace) == (True, timedelta(weeks=2))
    # A box that is not ticked is off.
    assert not house.services.rules.settings.of(RULE_OF["favourites"], STICK).enabled


def test_nightly_backups_are_switched_on(house: WebHouse, eve: Browser) -> None:
    wrong = eve.press("/settings/backup", **{"backup.nightly": "on", "backup.at": "late"})
    saved = eve.press("/settings/backup", **{"backup.nightly": "on", "backup.at": "4:15"})

    assert "Enter a time of day such as 03:30" in wrong.text
    assert saved.location == "/settings/backup?saved=yes"
    assert 'value="04:15"' in eve.get("/settings/backup").text
    chosen = house.services.configuration.now().backup
    assert (chosen.nightly, chosen.at, chosen.keep) == (True, time(4, 15), 7)


def test_what_is_wrong_is_marked_and_what_was_typed_stays(house: WebHouse, eve: Browser) -> None:
    answer = eve.press(
        "/settings/downloads",
        **{"transfer.workers": "many", "transfer.speed_limit": "10 elephants"},
    )

    assert answer.status_code == 422
    assert "Enter a whole number from 1 to 16" in answer.text
    assert "Enter a speed such as 2 MB" in answer.text
    assert 'value="10 elephants"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert house.services.transfers.speed.of_all() is None


def test_where_the_page_is_reached_is_not_saved_if_it_is_no_address(
    house: WebHouse, eve: Browser
) -> None:
    names = ("host", "base_url", "allowed_hosts", "trusted_proxies", "jellyfin_web_origins")
    answer = eve.press("/settings/server", **{f"server.{one}": "10 elephants" for one in names})

    assert answer.status_code == 422
    for sentence in (
        "Enter an address of this machine such as 127.0.0.1",
        "Enter a path such as /sidecar",
        "Enter names such as sidecar.example.org",
        "Enter addresses such as 10.0.0.2",
        "Enter addresses without a path such as https://jellyfin.example.org",
    ):
        assert sentence in answer.text
    assert answer.text.count('value="10 elephants"') == len(names)
    assert not house.services.configuration.waits_for_restart()


def test_times_are_shown_and_taken_in_the_language_of_the_reader(
    house: WebHouse, eve: Browser
) -> None:
    eve.client.set_cookie("sidecar_language", "de")
    assert 'value="10 Sekunden"' in eve.get("/settings/downloads").text

    wrong = eve.press("/settings/downloads", **{"transfer.connect_timeout": "lange"})
    eve.press("/settings/downloads", **{"transfer.connect_timeout": "2 Minuten"})

    assert "wie 30 Sekunden, 10 Minuten oder 1 Tag" in wrong.text
    assert 'value="lange"' in wrong.text
    page = eve.get("/settings/downloads").text
    assert 'value="2 Minuten"' in page
    assert "der Standard ist 10 Sekunden" in page
    assert house.services.configuration.now().transfer.connect_timeout == timedelta(minutes=2)
    eve.client.set_cookie("sidecar_language", "en")
    assert 'value="2 minutes"' in eve.get("/settings/downloads").text


def test_what_needs_a_restart_says_so(house: WebHouse, eve: Browser) -> None:
    eve.press("/settings/downloads", **{"transfer.workers": "5"})

    page = eve.get("/settings/downloads").text
    assert "Waits for a restart" in page
    assert "Some changes count only after a restart" in page
    # As before, which is what it runs with.
    eve.press("/settings/downloads", **{"transfer.workers": "3"})
    assert "Waits for a restart" not in eve.get("/settings/downloads").text


def test_a_restart_is_asked_for(house: WebHouse, eve: Browser) -> None:
    asked: list[bool] = []
    assert eve.press("/settings/restart").status_code == 404
    house.services.configuration.restart = lambda: asked.append(True)

    page = eve.press("/settings/restart")
    page.close()

    assert "it goes on by itself" in page.text
    assert asked == [True]


def test_settings_are_for_admins(ann: Browser) -> None:
    assert ann.get("/settings/downloads").status_code == 403
    assert ann.press("/settings/downloads", **{"transfer.workers": "5"}).status_code == 403
    assert "/settings" not in ann.get("/downloads").text


def test_the_page_speaks_german(eve: Browser) -> None:
    eve.client.set_cookie("sidecar_language", "de")

    page = eve.client.get("/settings/network", headers={"Accept-Language": "de"}).text

    assert "Ruhezeiten" in page
    assert "Automatische Downloads über" in page
