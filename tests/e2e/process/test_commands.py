"""The command line, as scripts use it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
import requests

from sidecar.cli import main
from sidecar.cli.commands.demo import DemoOptions, run_demo
from tests.e2e.conftest import PASSWORDS, PYTHON, Person, Sidecar
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_each_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        "run",
        "demo",
        "sign-in",
        "status",
        "plan",
        "doctor",
        "support",
        "api-key",
        "backup",
        "restore",
        "adopt",
        "server",
    ):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: jellyfin-sidecar {command}")


def test_wrong_use_ends_with_2(sidecar: Sidecar) -> None:
    for words in (["fly"], ["run", "--fast"], ["demo", "--speaks", "9.9"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert sidecar.command().returncode == 2


def test_an_account_signs_in_from_the_shell(sidecar: Sidecar) -> None:
    sidecar.program = PYTHON

    done = sidecar.command("sign-in")

    assert (done.returncode, done.stdout) == (0, "ann is signed in\n"), done.stderr
    status = json.loads(sidecar.command("status", "--json").stdout)
    assert status["accounts"] == [{"name": "ann", "admin": False, "state": "signed in"}]
    assert status["running"] is False


def test_a_wrong_password_is_one_sentence_and_one_try(sidecar: Sidecar, ann: Person) -> None:
    sidecar.environ["SIDECAR_JELLYFIN__PASSWORD"] = "wrong"

    done = sidecar.command("sign-in")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == ("jellyfin-sidecar: Wrong user name or password")
    assert "wrong" not in done.stderr


def test_a_password_is_read_from_a_file(sidecar: Sidecar, tmp_path: Path) -> None:
    del sidecar.environ["SIDECAR_JELLYFIN__PASSWORD"]
    secret = tmp_path / "secret"
    secret.write_text(PASSWORDS["ann"] + "\n")
    sidecar.environ["SIDECAR_JELLYFIN__PASSWORD_FILE"] = str(secret)

    assert sidecar.command("sign-in").returncode == 0


def test_a_short_command_writes_no_log_of_what_went_well(sidecar: Sidecar) -> None:
    sidecar.environ["SIDECAR_LOG__LEVEL"] = "INFO"
    assert " INFO " not in sidecar.command("sign-in").stderr

    sidecar.environ["SIDECAR_LOG__LEVEL"] = "DEBUG"
    assert " INFO " in sidecar.command("sign-in").stderr


def test_a_key_opens_the_api_until_it_is_revoked(running: Sidecar) -> None:
    def asked() -> int:
        return requests.get(
            f"{running.url}/api/v1/downloads",
            headers={"Authorization": f"Bearer {running.key}"},
            timeout=PATIENCE_S,
        ).status_code

    assert asked() == 200
    listed = running.command("api-key", "list", "--account", "ann").stdout
    assert running.key not in listed
    assert running.command("api-key", "revoke", listed.split()[0]).returncode == 0
    assert asked() == 401


def test_a_key_for_nobody_is_refused(running: Sidecar) -> None:
    done = running.command("api-key", "create", "--account", "zoe", "--label", "x")

    assert done.returncode == 1
    assert "zoe has never signed in" in done.stderr


def test_the_session_of_the_api_is_a_cookie(running: Sidecar) -> None:
    with requests.Session() as browser:
        came = browser.post(
            f"{running.url}/api/v1/session",
            json={"username": "ann", "password": PASSWORDS["ann"]},
            timeout=PATIENCE_S,
        )
        listed = browser.get(f"{running.url}/api/v1/downloads", timeout=PATIENCE_S)

    assert came.status_code == 200, came.text
    assert listed.json() == {"items": [], "total": 0, "page": 1, "page_size": 10}
    anonymous = requests.get(f"{running.url}/api/v1/downloads", timeout=PATIENCE_S)
    assert anonymous.status_code == 401
    assert anonymous.headers["Content-Type"] == "application/problem+json"


def test_the_doctor_names_what_is_wrong(sidecar: Sidecar) -> None:
    sidecar.environ["SIDECAR_JELLYFIN__URL"] = "http://127.0.0.1:9"

    found = sidecar.command("doctor")

    assert found.returncode == 1
    assert "BAD  Jellyfin" in found.stdout
    assert "Traceback" not in found.stdout + found.stderr


def test_the_demo_serves_alone(sidecar: Sidecar, library: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "demo", "--port", "0", "--library", str(library),
         "--speaks", "10.11"],
        env=sidecar.environ,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert demo.stdout is not None
    url = demo.stdout.readline().split()[-1]

    info = requests.get(f"{url}/System/Info/Public", timeout=PATIENCE_S).json()
    demo.terminate()

    assert info["Version"].startswith("10.11")
    assert demo.wait(PATIENCE_S) == 0
    demo.stdout.close()


def test_a_port_that_is_taken_is_said_in_words(sidecar: Sidecar, library: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        refused = sidecar.command("demo", "--port", port, "--library", str(library))

    assert refused.returncode == 1
    assert f"Port {port} is taken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_beside_a_jellyfin_of_ones_own_the_demo_takes_another_port(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = DemoOptions(library=library, state=tmp_path, port=port, robot=False, may_move=True)
        with run_demo(demo, Event()) as server:
            assert server is not None
            info = requests.get(f"{server.url}/System/Info/Public", timeout=PATIENCE_S)

    assert info.status_code == 200
    assert f"Port {port} is taken" in capsys.readouterr().out
