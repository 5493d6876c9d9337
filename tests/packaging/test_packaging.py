"""What is built for others: the image, as far as that goes without an engine, and the unit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from sidecar.config import load
from sidecar.domain.processes.roles import read_roles
from tests.packaging.dockerfile import Step, is_ignored, read_copy, read_environment, read_steps
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
# Settings that the image does not set itself.
SETTABLE = {"SIDECAR_JELLYFIN__URL", "SIDECAR_SERVER__ALLOWED_HOSTS", "SIDECAR_DEVICES"}


def steps() -> list[Step]:
    """The instructions of the Dockerfile."""
    return read_steps((PACKAGING / "Dockerfile").read_text(encoding="utf-8"))


def test_what_the_image_copies_is_there() -> None:
    copied = [read_copy(one.rest) for one in steps() if one.word == "COPY"]
    ours = [source for one in copied if not one.stage for source in one.sources]

    assert [one for one in ours if not (ROOT / one).exists()] == []
    # What the wheel is made of is copied, or the image could not be built.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"sidecar", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE"}
    # What is built of the sources is not copied but built there as well.
    needed |= set(wheel["force-include"]) - {"static/vendor"}
    assert [one for one in needed if not any(Path(one).is_relative_to(two) for two in ours)] == []
    rules = (PACKAGING / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert [one for one in [*ours, *needed] if is_ignored(one, rules)] == []


def image_environment() -> dict[str, str]:
    found: dict[str, str] = {}
    for one in steps():
        if one.word == "ENV":
            found.update(read_environment(one.rest, {}))
    return found


def test_the_settings_of_the_image_are_settings() -> None:
    settings = load({**image_environment(), "SIDECAR_JELLYFIN__URL": "http://jellyfin:8096"})

    assert (str(settings.server.data_dir), settings.server.host) == ("/config", "0.0.0.0")  # noqa: S104


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_the_entrypoint_becomes_the_user_and_is_the_process(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    data = tmp_path / "config"
    data.mkdir()
    script = "echo $(id -u) $(id -g) $(id -G) $(umask) $$; grep CapEff /proc/self/status"
    environ = {
        "PATH": os.environ["PATH"],
        "PUID": "1234",
        "PGID": "2345",
        "UMASK": "027",
        "SIDECAR_SERVER__DATA_DIR": str(data),
    }

    with subprocess.Popen(
        [PACKAGING / "entrypoint.sh", "sh", "-c", script],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        told, _ = started.communicate(timeout=PATIENCE_S)

    who, capabilities = told.splitlines()
    assert who == f"1234 2345 2345 0027 {started.pid}"
    assert int(capabilities.split()[1], 16) == 0
    assert (data.stat().st_uid, data.stat().st_gid) == (1234, 2345)
    for wrong in ("0", "ann", ""):
        refused = subprocess.run(
            [PACKAGING / "entrypoint.sh", "true"],
            env={**environ, "PGID": wrong},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert (refused.returncode, "PUID" in refused.stderr) == (
            0 if not wrong else 2,
            bool(wrong),
        )


def test_the_service_is_locked_in() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd here")

    found = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20",
         PACKAGING / "jellyfin-sidecar.service"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip

    assert found.returncode == 0, found.stdout


def test_the_source_archive_brings_the_browser_code(tmp_path: Path) -> None:
    """Who installs from it needs no Node."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = tmp_path.iterdir()
    with tarfile.open(built) as archive:
        names = {one.partition("/")[2] for one in archive.getnames()}

    assert {"static/vendor/ready", "static/vendor/app.js", "LICENSE"} <= names
    assert not [one for one in names if one.startswith(("node_modules", ".venv", "build/"))]


def test_the_devices_of_the_compose_file_are_devices() -> None:
    text = (PACKAGING / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{\w+:-\}", "", text)  # as it is without `.env`
    found = dict(re.findall(r"^\s+(SIDECAR_\w+): ['\"]?(.*?)['\"]?(?: #.*)?$", text, re.MULTILINE))

    settings = load({**image_environment(), **found})

    assert [one.name for one in settings.devices] == [
        json.loads(found["SIDECAR_DEVICES"])[0]["name"]
    ]
    assert settings.jellyfin.url == "http://jellyfin:8096"


def test_the_shared_profile_of_the_compose_file_has_the_passwords_that_the_documented_commands_make(
    tmp_path: Path,
) -> None:
    text = (PACKAGING / "compose.yaml").read_text(encoding="utf-8")
    _, marked, told = (
        (ROOT / "docs" / "install.md").read_text(encoding="utf-8").partition("mkdir -p secrets")
    )
    commands = marked + told.partition("```")[0]
    subprocess.run(["sh", "-euc", commands], cwd=tmp_path, check=True, timeout=PATIENCE_S)
    chosen = dict(one.split("=", 1) for one in (tmp_path / ".env").read_text().splitlines())
    files = {
        name: value.replace("/run/secrets", str(tmp_path / "secrets" / "sidecar"))
        for name, value in chosen.items()
    }

    settings = load({**image_environment(), **files})

    services = re.findall(r"^  (\w+):$", text.partition("\nsecrets:")[0], re.MULTILINE)
    assert services == ["jellyfin", "sidecar", "postgresql", "redis"]
    assert text.count("    profiles: [shared]") == 2
    assert "./secrets/sidecar:/run/secrets:ro" in text
    assert settings.database.url is not None
    assert settings.redis.url is not None
    database, redis = (
        urlsplit(one.get_secret_value()) for one in (settings.database.url, settings.redis.url)
    )
    assert (database.hostname, redis.hostname) == ("postgresql", "redis")
    secrets = {
        one.name: one.read_text() for one in (tmp_path / "secrets").iterdir() if one.is_file()
    }
    assert secrets == {
        "postgresql-password": database.password,
        "redis.conf": f"requirepass {redis.password}\n",
    }
    for name in secrets:
        assert f"file: ./secrets/{name}" in text
    assert set(re.findall(r"\$\{(\w+):-\}", text)) == set(chosen)
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert read_roles(chosen["SIDECAR_RUN_OPTIONS"].removeprefix("--role ")).works


def test_the_unraid_template_names_what_the_image_has() -> None:
    template = ET.parse(PACKAGING / "unraid.xml")  # noqa: S314 - our own
    by_type: dict[str, dict[str, str]] = {}
    for one in template.iter("Config"):
        by_type.setdefault(one.attrib["Type"], {})[one.attrib["Target"]] = one.text or ""
        assert (one.text or "") == one.attrib["Default"], one.attrib["Name"]
    told = {one.word: one.rest for one in steps()}

    assert list(by_type["Port"]) == [told["EXPOSE"]]
    assert f"[PORT:{told['EXPOSE']}]" in template.findtext("WebUI", "")
    assert told["VOLUME"] in by_type["Path"]
    given = by_type["Variable"]
    assert {"PUID", "PGID", "UMASK"} <= {*given} <= {*image_environment(), *SETTABLE}
    # As it comes, and filled in as its descriptions say.
    assert load({**image_environment(), **given}).jellyfin.url is None
    filled = dict(given)
    for one in template.iter("Config"):
        if one.attrib["Target"] in {"SIDECAR_JELLYFIN__URL", "SIDECAR_DEVICES"}:
            example = re.search(
                r"such as (\S+?)\.(?: |$)|such as (\[.*\])", one.attrib["Description"]
            )
            assert example is not None
            filled[one.attrib["Target"]] = example[1] or example[2]
    settings = load({**image_environment(), **filled})
    assert settings.jellyfin.url == "http://192.168.1.10:8096"
    assert [str(one.path.parent) for one in settings.devices] == ["/media"]
    assert settings.server.allowed_hosts == ("tower.local",)


def test_the_debian_package_has_the_service_of_all_others() -> None:
    """Its rules put the program elsewhere, and what they call by name is there."""
    rules = (PACKAGING / "debian" / "rules").read_text(encoding="utf-8")
    unit = (PACKAGING / "jellyfin-sidecar.service").read_text(encoding="utf-8")

    assert unit.count("/opt/jellyfin-sidecar/") == 1
    assert "s|/opt/$(NAME)/|$(HOME_OF)/|" in rules
    command = (PACKAGING / "debian" / "command").read_text(encoding="utf-8")
    for name, value in re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE):
        home = command.replace("$HOME", "/var/lib/jellyfin-sidecar")
        assert f'{name}="${{{name}:-{value}}}"' in home
    (place,) = re.findall(r"^HOME_OF := (.*)$", rules, re.MULTILINE)
    assert f"program={place.replace('$(NAME)', 'jellyfin-sidecar')}/bin/jellyfin-sidecar" in command
    scripts = [PACKAGING / "debian" / "build", *(PACKAGING / "debian").glob("*.p*[mt]")]
    assert len(scripts) == 4
    for script in scripts:
        subprocess.run(["sh", "-n", script], check=True, timeout=PATIENCE_S)
