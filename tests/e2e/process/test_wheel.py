"""What is installed is whole: a wheel in an empty environment starts and shows its page."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import requests

from sidecar.demo.server.server import DemoServer
from tests.e2e.conftest import Sidecar
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "--no-build-isolation",
         "--wheel-dir", str(folder), str(ROOT)],
        check=True,
        timeout=120,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def test_pages_browser_code_and_example_are_inside(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert "sidecar/config.example.toml" in names
    assert "sidecar/web/templates/downloads/downloads.html" in names
    assert "sidecar/web/static/vendor/app.js" in names
    assert "sidecar/web/static/vendor/LICENCES.txt" in names
    assert "sidecar/web/static/css/devices.css" in names
    # What the bundles are made of is in the source archive.
    assert not [name for name in names if name.startswith("sidecar/web/static/js")]
    assert not [name for name in names if name.startswith(("tests/", "templates/", "static/"))]


def test_it_starts_in_an_empty_environment(
    wheel: Path, tmp_path: Path, jellyfin: DemoServer
) -> None:
    home = tmp_path / "venv"
    venv.create(home)
    # Ours installs into it; only what the start imports is compiled, by the start.
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "-q"]
    for what in (["--require-hashes", "-r", str(ROOT / "requirements.lock")],
                 ["--no-deps", str(wheel)]):  # fmt: skip
        subprocess.run([*pip, "install", "--no-compile", *what], check=True, timeout=240)
    environ = {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SIDECAR_JELLYFIN__URL": jellyfin.url,
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_SERVER__DATA_DIR": str(tmp_path / "data"),
    }
    sidecar = Sidecar(environ, tmp_path / "log", tmp_path, program=["jellyfin-sidecar"])
    sidecar.start()
    try:
        page = requests.get(f"{sidecar.url}/sign-in", timeout=PATIENCE_S)
        code = requests.get(f"{sidecar.url}/static/vendor/app.js", timeout=PATIENCE_S)
    finally:
        stopped = sidecar.stop()

    assert "Sign in" in page.text
    assert len(code.content) > 10_000
    assert stopped == 0
