from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.config import Settings, load
from sidecar.domain.rules import favourites
from sidecar.errors import ConfigError


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"SIDECAR_SERVER__DATA_DIR": str(tmp_path / "data-dir"), **more}


def test_nothing_configured_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(environ(tmp_path))

    assert settings.jellyfin.url is None
    assert settings.server.host == "127.0.0.1"
    assert settings.transfer.workers == 3
    assert settings.rules.of(favourites.RULE).grace == timedelta(days=1)


def test_the_file_in_the_working_folder_is_read(tmp_path: Path, file: Path) -> None:
    file.write_text('[jellyfin]\nurl = "http://nas:8096/jellyfin/"\n')

    assert load(environ(tmp_path)).jellyfin.url == "http://nas:8096/jellyfin"


def test_the_file_beside_the_data_comes_before_the_working_folder(
    tmp_path: Path, file: Path
) -> None:
    (tmp_path / "data-dir").mkdir()
    (tmp_path / "data-dir" / "config.toml").write_text("[server]\nport = 1111\n")
    file.write_text("[server]\nport = 2222\n")

    assert load(environ(tmp_path)).server.port == 1111


def test_the_environment_wins_over_the_file(tmp_path: Path, file: Path) -> None:
    file.write_text("[transfer]\nworkers = 2\n")

    assert load(environ(tmp_path, SIDECAR_TRANSFER__WORKERS="5")).transfer.workers == 5


def test_an_empty_variable_sets_nothing(tmp_path: Path, file: Path) -> None:
    file.write_text('[jellyfin]\nurl = "http://nas:8096"\n', encoding="utf-8")
    empty = {"SIDECAR_JELLYFIN__URL": "", "SIDECAR_DEVICES": "", "SIDECAR_SERVER__HOST": ""}

    settings = load(environ(tmp_path, **empty))

    assert (settings.jellyfin.url, settings.server.host) == ("http://nas:8096", "127.0.0.1")
    assert not {"jellyfin.url", "devices", "server.host"} & settings.from_environment


def test_devices_come_as_json_from_the_environment(tmp_path: Path) -> None:
    devices = [{"name": "Car stick", "path": "/media/car", "budget": "10 GB", "users": ["ann"]}]

    (device,) = load(environ(tmp_path, SIDECAR_DEVICES=json.dumps(devices))).devices

    assert (device.name, device.path, device.budget) == (
        "Car stick",
        Path("/media/car"),
        10_000_000_000,
    )
    assert device.serves("Ann")
    assert not device.serves("ben")


def test_a_secret_is_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")

    settings = load(environ(tmp_path, SIDECAR_JELLYFIN__PASSWORD_FILE=str(secret)))

    assert settings.jellyfin.password is not None
    assert settings.jellyfin.password.get_secret_value() == "open sesame"
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(
    ("held", "secret"),
    [
        (b"\xef\xbb\xbfopen sesame\r\n", "open sesame"),
        (b"open sesame\n\n", "open sesame"),
        ("päss wörd ".encode(), "päss wörd "),
        ("a\u00a0b\n".encode(), "a\u00a0b"),
    ],
)
def test_a_secret_is_read_as_editors_save_it(tmp_path: Path, held: bytes, secret: str) -> None:
    (tmp_path / "password").write_bytes(held)

    settings = load(environ(tmp_path, SIDECAR_JELLYFIN__PASSWORD_FILE=str(tmp_path / "password")))

    assert settings.jellyfin.password is not None
    assert settings.jellyfin.password.get_secret_value() == secret


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (b"p\xe4ss\n", r"is not UTF-8 \(line 1\): save it as UTF-8"),
        ("päss".encode("utf-16"), "is saved as UTF-16: save it as UTF-8"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n", "is empty"),
        (b"name\npass\n", "must hold one line"),
        (b"pass\0", "must hold one line"),
        (b"x" * 20_000, "is far too long"),
    ],
)
def test_a_password_that_cannot_be_one_is_never_used(tmp_path: Path, held: bytes, why: str) -> None:
    """A wrong one that is sent may lock the account."""
    (tmp_path / "password").write_bytes(held)

    with pytest.raises(ConfigError, match=f"PASSWORD_FILE = .*: {why}") as refused:
        load(environ(tmp_path, SIDECAR_JELLYFIN__PASSWORD_FILE=str(tmp_path / "password")))

    assert "ss" not in refused.value.reason.replace("password", "")


def test_a_variable_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="JELLYFIN__PASSWORD: is not UTF-8"):
        load(environ(tmp_path, SIDECAR_JELLYFIN__PASSWORD="p\udce4ss"))


def test_a_variable_for_a_section_that_another_sets_to_one_value_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match="aria2 is set to one value as well"):
        load(
            environ(tmp_path, SIDECAR_TRANSFER__ARIA2="on", SIDECAR_TRANSFER__ARIA2__URL="http://x")
        )


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf[server]\nport = 1234\n",
        b"[server]\r\nport = 1234\r\n",
        b"[server]\n\tport\t=\t1234\t# one\n",
        b"\xef\xbb\xbf\r\n# \xc3\xa4\r\n[ server ]\r\nport = 1_234",
    ],
    ids=["mark", "windows", "tabs", "all"],
)
def test_settings_are_read_as_editors_save_them(tmp_path: Path, file: Path, text: bytes) -> None:
    file.write_bytes(text)

    assert load(environ(tmp_path)).server.port == 1234


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'[[devices]]\nname = "B\xfccher"\n', r"is not UTF-8 \(line 2\): save it as UTF-8"),
        ("[server]".encode("utf-16"), "is saved as UTF-16"),
        ("[server]".encode("utf-16-le"), "is not valid TOML"),
        (b"[server]\nport = 1\nport = 2\n", r"stands there twice \(at line 3"),
        (b"[server]\nport = 1\n[server]\n", r"stands there twice \(at line 3"),
        (b"a = " + b"[" * 5000, "is not valid TOML"),
        (b'[[devices]]\nname = "S"\npath = "/m"\nbudget = "50%"\n', '"10 GB": a share'),
        (b'[[devices]]\nname = "S"\npath = "/m"\nbudget = 1.5\n', 'such as "10 GB"'),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(
    tmp_path: Path, file: Path, text: bytes, why: str
) -> None:
    file.write_bytes(text)

    with pytest.raises(ConfigError, match=f"config.toml: .*{why}"):
        load(environ(tmp_path))


def test_a_budget_with_a_comma_is_what_it_says(tmp_path: Path, file: Path) -> None:
    file.write_text('[[devices]]\nname = "Stick"\npath = "/media/stick"\nbudget = "1,5 GB"\n')

    assert load(environ(tmp_path)).devices[0].budget == 1_500_000_000


def test_a_secret_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"PASSWORD_FILE.*No such file"):
        load(environ(tmp_path, SIDECAR_JELLYFIN__PASSWORD_FILE="/nowhere"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[transfer]\nworkers = 0\n", "transfer.workers = 0: .*greater than or equal to 1"),
        ("[transfer]\nwrokers = 3\n", "transfer.wrokers: there is no such setting"),
        ("[server]\nport = 'x'\n", "server.port = 'x': must be a whole number"),
        ("[jellyfin]\nurl = 'nas'\n", "jellyfin.url = 'nas': must be a web address"),
        (
            "[server]\njellyfin_web_origins = ['https://jelly.example/web']\n",
            "server.jellyfin_web_origins.0 = .*must be an address without a path",
        ),
        ("[rules.favourites]\ngrace = 'soon'\n", "rules.favourites.grace = 'soon': must be a time"),
        ("[[devices]]\nname = 'Stick'\n", "devices.0.path: must be given"),
        ("[[devices]]\nname = 'S'\npath = 'car'\n", "devices.0.path = 'car': must be a full path"),
        ("[jellyfin\n", "file: is not valid TOML"),
        ("[transfer]\nengine = 'magic'\n", "transfer.engine = 'magic'"),
    ],
)
def test_a_wrong_setting_names_file_key_value_and_reason(
    tmp_path: Path, file: Path, text: str, message: str
) -> None:
    file.write_text(text)

    with pytest.raises(ConfigError, match=f"config.toml: {message}"):
        load(environ(tmp_path))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SIDECAR_SERVER__PROT", "1", "environment: SIDECAR_SERVER__PROT: there is no such"),
        ("SIDECAR_DEVICES", "[", "environment: SIDECAR_DEVICES: must be a JSON list"),
        ("SIDECAR_DEVICES", '{"name": "x"}', "SIDECAR_DEVICES: must be a list"),
        (
            "SIDECAR_DEVICES",
            "[1]",
            "SIDECAR_DEVICES number 1: must be settings with their names",
        ),
        ("SIDECAR_DEVICES", '[{"path": "/a"}]', "SIDECAR_DEVICES number 1, name: must be given"),
        ("SIDECAR_TRANSFER__WORKERS", "x", "WORKERS = 'x': must be a whole number"),
        ("SIDECAR_TRANSFER__WORKERS", "99", "WORKERS = '99': must be less than or equal to 16"),
        ("SIDECAR_TRANSFER__ENGINE", "curl", "ENGINE = 'curl': must be 'threads' or 'aria2'"),
        ("SIDECAR_METRICS__ENABLED", "maybe", "ENABLED = 'maybe': must be true or false"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(environ(tmp_path, **{name: value}))


def test_a_password_is_never_in_the_message(tmp_path: Path, file: Path) -> None:
    file.write_text("[jellyfin]\npassword = 12345\n")

    with pytest.raises(ConfigError) as caught:
        load(environ(tmp_path))

    assert "12345" not in str(caught.value)


def test_a_file_named_on_the_command_line_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: file: cannot be read"):
        load(environ(tmp_path), file=tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        ([{"name": "A", "path": "/x"}, {"name": "a", "path": "/y"}], "two devices have this name"),
        ([{"name": "A", "path": "/x"}, {"name": "B", "path": "/x"}], "two devices share it"),
        (
            [{"name": "A", "path": "/x"}, {"name": "B", "path": "/x/y/z"}],
            r"= '/x/y/z': B is in the folder of A \(/x\): give each a folder of its own",
        ),
        (
            [{"name": "A", "path": "/x/y"}, {"name": "B", "path": "/x"}],
            r"= '/x/y': A is in the folder of B \(/x\): give each a folder of its own",
        ),
        ([{"name": "A", "path": "/"}], "holds the sidecar's own data"),
    ],
)
def test_devices_that_cannot_be_are_refused(
    tmp_path: Path, devices: list[object], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        load(environ(tmp_path, SIDECAR_DEVICES=json.dumps(devices)))


def test_devices_side_by_side_may_have_names_that_begin_alike(tmp_path: Path) -> None:
    devices = [{"name": "A", "path": "/x"}, {"name": "B", "path": "/xy"}]

    assert len(load(environ(tmp_path, SIDECAR_DEVICES=json.dumps(devices))).devices) == 2


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings: Settings = load(environ(tmp_path))

    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1


def test_origins_are_kept_as_browsers_write_them(tmp_path: Path) -> None:
    told = "HTTPS://Jelly.Example:443/,http://[fd00::1]:8096"

    settings = load(environ(tmp_path, SIDECAR_SERVER__JELLYFIN_WEB_ORIGINS=told))

    assert settings.server.jellyfin_web_origins == (
        "https://jelly.example",
        "http://[fd00::1]:8096",
    )


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("host", "10 elephants", ("192.168.1.2", "::", "fe80::1%eth0", "my-machine.lan")),
        ("base_url", "/a page?", ("/sidecar", "/one/two", "")),
        ("allowed_hosts", "10 elephants", ("sidecar.example.org", ".lan", "[fd00::1]")),
        ("trusted_proxies", "my-proxy", ("10.0.0.2", "172.16.0.0/12", "::1")),
    ],
)
def test_where_the_page_is_reached_must_be_an_address(
    tmp_path: Path, name: str, wrong: str, right: tuple[str, ...]
) -> None:
    key = f"SIDECAR_SERVER__{name.upper()}"

    with pytest.raises(ConfigError, match="must be"):
        load(environ(tmp_path, **{key: wrong}))
    for one in right:
        told = getattr(load(environ(tmp_path, **{key: one})).server, name)
        assert told in (one, (one,))
