from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.assembly.possible import check_engine, check_listening
from sidecar.assembly.store import KEY_FILE, settings_with_page
from sidecar.config import JellyfinSettings, NetworkSettings, ServerSettings, Settings
from sidecar.config.page import Origin
from sidecar.config.settings import SyncthingSettings
from sidecar.domain.transfers.network import Use
from sidecar.errors import NotVisible
from sidecar.events import Event, NewsMissed, Sender, SettingsChanged
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.configuration.service import ConfigurationService, SettingsRefused
from tests.services.conftest import World


def service(world: World, base: Settings, *, ignored: tuple[str, ...] = ()) -> ConfigurationService:
    box = TokenBox(base.server.data_dir / KEY_FILE)
    return ConfigurationService(
        base, store=world.stores.page_settings, box=box, bus=world.bus, ignored=ignored
    )


@pytest.fixture
def base(tmp_path: Path) -> Settings:
    return Settings(server=ServerSettings(data_dir=tmp_path / "data", port=0))


def test_a_change_counts_at_once_and_after_a_restart(world: World, base: Settings) -> None:
    one = service(world, base)

    one.change({"network.quiet_hours": ["22:00-06:30"], "transfer.workers": 7})

    assert SettingsChanged() in world.news
    assert len(one.now().network.quiet_hours) == 1
    assert (one.running().transfer.workers, one.now().transfer.workers) == (3, 7)
    assert one.waits_for_restart()
    again = service(world, base)
    assert again.running().transfer.workers == 7
    assert not again.waits_for_restart()
    again.change({"transfer.workers": None})
    assert service(world, base).now().transfer.workers == 3


def test_commands_know_what_the_page_sets(world: World, base: Settings) -> None:
    service(world, base).change({"syncthing.api_key": "s3cret", "jellyfin.url": "http://nas:8096"})

    found = settings_with_page(base)

    assert found.jellyfin.url == "http://nas:8096"
    assert found.syncthing.api_key is not None
    assert found.syncthing.api_key.get_secret_value() == "s3cret"


def test_a_secret_is_sealed_in_the_database_and_shown_to_nobody(
    world: World, base: Settings
) -> None:
    one = service(world, base)
    one.change({"syncthing.api_key": "s3cret"})

    stored = world.stores.page_settings.all()
    shown = next(s for s in one.section("syncthing").settings if s.key.name == "api_key")

    assert "s3cret" not in str(stored)
    assert "s3cret" not in str(one.sections())
    assert (shown.value, shown.origin) == (True, Origin.PAGE)


def test_what_changes_nothing_is_told_to_nobody(
    world: World, base: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    one = service(world, base)

    with caplog.at_level(logging.INFO):
        one.change({})
        assert caplog.messages == []
        one.change({"transfer.workers": 7})

    assert caplog.messages == ["settings were changed on the page: transfer.workers"]


def test_all_that_is_wrong_is_said_and_nothing_is_stored(world: World, base: Settings) -> None:
    one = service(world, base)

    with pytest.raises(SettingsRefused) as refused:
        one.change(
            {
                "transfer.workers": 99,
                "network.use": "any",
                "network.quiet_hours": ["late"],
                "transfer.ffmpeg": "/bin/sh",
                "server.port": 9000,
            }
        )

    said = refused.value.reasons
    assert set(said) == {
        "transfer.workers",
        "network.quiet_hours",
        "transfer.ffmpeg",
        "server.port",
    }
    assert said["transfer.workers"] == "Enter a whole number from 1 to 16"
    assert world.stores.page_settings.all() == {}
    assert one.now() == base
    with pytest.raises(NotVisible):
        one.change({"server.nothing": 1})


def test_what_the_file_sets_is_locked(world: World, base: Settings) -> None:
    base = base.model_copy(update={"network": NetworkSettings(use=Use.ANY)})
    one = service(world, base)

    view = {s.key.name: s for s in one.section("network").settings}

    assert view["use"].is_locked
    assert not view["quiet_hours"].is_locked


def test_a_setting_with_which_the_start_failed_is_left_out(world: World, base: Settings) -> None:
    service(world, base).change({"transfer.workers": 7})

    assert service(world, base, ignored=("transfer.workers",)).now().transfer.workers == 3


def test_what_is_not_possible_here_is_refused(world: World, base: Settings) -> None:
    one = service(world, base.model_copy(update={"server": ServerSettings(port=8097)}))
    one.check_with((check_engine, check_listening))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        locked = service(world, base)
        locked.check_with((check_engine, check_listening))

        with pytest.raises(SettingsRefused) as refused:
            locked.change({"server.host": "203.0.113.7"})
        assert set(refused.value.reasons) == {"server.host"}
        free = Settings(server=ServerSettings(data_dir=base.server.data_dir))
        one = service(world, free)
        one.check_with((check_engine, check_listening))
        with pytest.raises(SettingsRefused) as refused:
            one.change({"server.port": port})
        assert set(refused.value.reasons) == {"server.port"}


def test_a_secret_goes_to_no_other_address_unless_it_is_given_again(
    world: World, base: Settings
) -> None:
    one = service(world, base)
    one.change({"syncthing.url": "http://127.0.0.1:8384", "syncthing.api_key": "s3cret"})

    with pytest.raises(SettingsRefused) as refused:
        one.change({"syncthing.url": "http://elsewhere:8384"})
    assert list(refused.value.reasons) == ["syncthing.api_key"]
    assert one.now().syncthing.url == "http://127.0.0.1:8384"

    one.change({"syncthing.url": "http://elsewhere:8384", "syncthing.api_key": "other"})
    one.change({"syncthing.url": "http://third:8384", "syncthing.api_key": None})
    assert one.now().syncthing.url == "http://third:8384"


def test_an_address_that_gets_a_secret_of_the_file_is_the_file_s(
    world: World, base: Settings
) -> None:
    files = base.model_copy(
        update={
            "syncthing": SyncthingSettings(api_key=SecretStr("s3cret")),
            "jellyfin": JellyfinSettings(password=SecretStr("s3cret")),
        }
    )
    one = service(world, files)

    for place in ("syncthing.url", "jellyfin.url"):
        with pytest.raises(SettingsRefused, match="Nothing was saved"):
            one.change({place: "http://elsewhere:8384"})
    one.change({"transfer.aria2.url": "http://127.0.0.1:6800/jsonrpc"})


def test_what_another_process_changes_is_found_once_without_any_news(
    world: World, base: Settings
) -> None:
    service(world, base).change({"network.quiet_hours": ["22:00-06:30"]})
    one = service(world, base)
    world.bus.subscribe(one.hear, Sender.ELSEWHERE)
    service(world, base).change({"network.quiet_hours": ["23:00-06:30"]})
    world.news.clear()

    one.read_again()
    one.read_again()

    assert [str(hours) for hours in one.now().network.quiet_hours] == ["23:00-06:30"]
    assert world.news == [SettingsChanged()]


@pytest.mark.parametrize("event", [SettingsChanged(), NewsMissed()])
def test_what_another_process_changes_counts_here(
    world: World, base: Settings, event: Event
) -> None:
    one = service(world, base, ignored=("transfer.workers",))
    world.bus.subscribe(one.hear, Sender.ELSEWHERE)
    service(world, base).change({"network.quiet_hours": ["22:00-06:30"], "transfer.workers": 7})
    assert one.now().network.quiet_hours == ()
    world.news.clear()
    world.bus.receive(event)
    assert len(one.now().network.quiet_hours) == 1
    assert one.now().transfer.workers == 3
    # Who takes the settings over is told, whatever was missed.
    assert SettingsChanged() in world.news
