"""What needs a restart is taken by one that the page asks for; everybody stays signed in."""

from __future__ import annotations

import pytest
import requests

from tests.e2e.conftest import PASSWORDS, PYTHON, Sidecar
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_restart_on_the_page_takes_what_waited_for_it(sidecar: Sidecar) -> None:
    sidecar.program = PYTHON
    sidecar.environ["SIDECAR_SERVER__PORT"] = str(free_port())
    sidecar.start()
    with requests.Session() as eve:
        signed_in = eve.post(
            f"{sidecar.url}/api/v1/session",
            json={"username": "admin", "password": PASSWORDS["admin"]},
            timeout=PATIENCE_S,
        ).json()

        def press(path: str, **form: str) -> requests.Response:
            form["csrf"] = signed_in["csrf"]
            return eve.post(f"{sidecar.url}{path}", data=form, timeout=PATIENCE_S)

        def group() -> str:
            try:
                return eve.get(f"{sidecar.url}/settings/downloads", timeout=PATIENCE_S).text
            except requests.ConnectionError:
                return ""

        saved = press("/settings/downloads", **{"transfer.workers": "5"})
        assert "Waits for a restart" in saved.text

        assert "goes on by itself" in press("/settings/restart").text

        wait_until(
            lambda: 'value="5"' in (told := group()) and "Waits for a restart" not in told,
            what="the restart",
        )
        assert sidecar.stop() == 0
