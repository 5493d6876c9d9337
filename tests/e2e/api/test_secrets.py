"""Nothing that opens a door is found anywhere but where it must be.

A whole evening with both engines: sign in with a wrong and a right password, a heart, a download,
a film that may not be downloaded, a key, a page that listens, a sign-out. Then everything that the
sidecar wrote, answered, sent or showed to other processes is searched.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from sidecar.demo.server.server import DemoServer
from tests.e2e.conftest import PASSWORDS, PYTHON, Person, Sidecar
from tests.fakes.page import OpenPage
from tests.fakes.servers.slow_line import SlowLine
from tests.patience import PATIENCE_S
from tests.processes import list_children

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PASSWORD = "zebra-4711-canary"
WRONG = "okapi-0815-canary"
# Of a Redis that does not answer, which the log tells of.
REDIS_PASSWORD = "quokka-2323-canary"
ENGINES = ["threads", "aria2"]
ASSET = re.compile(r'(?:src|href)="(/static/[^"#?]+)')
PATHS = (
    "/downloads",
    "/downloads?tab=completed",
    "/devices",
    "/now",
    "/profile",
    "/admin",
    "/none",
    "/api/v1/session",
    "/api/v1/downloads",
    "/api/v1/devices",
    "/api/v1/notices",
    "/api/v1/accounts",
    "/api/v1/sessions",
    "/api/v1/server",
    "/api/v1/log",
    "/api/v1/keys",
    "/api/v1/now",
    "/api/v1/offline",
    "/api/v1/items",
    "/api/v1/openapi.json",
)


class Evening:
    """What was seen of the sidecar, by where it was seen."""

    def __init__(self, sidecar: Sidecar, line: SlowLine) -> None:
        self.sidecar, self.line = sidecar, line
        self.seen: dict[str, bytes] = {}
        self.session = requests.Session()
        self.cookies: set[str] = set()

    def sign_in(self, name: str, password: str) -> int:
        answer = self.session.post(
            f"{self.sidecar.url}/api/v1/session",
            json={"username": name, "password": password},
            timeout=PATIENCE_S,
        )
        self._note(f"signing in as {name}", answer)
        if answer.ok:
            self.session.headers["X-Sidecar-CSRF"] = answer.json()["csrf"]
            self.cookies |= {one.value for one in self.session.cookies if one.value}
        return answer.status_code

    def look_at_everything(self) -> None:
        pages = b""
        for path in PATHS:
            answer = self.session.get(f"{self.sidecar.url}{path}", timeout=PATIENCE_S)
            self._note(path, answer)
            pages += answer.content
        for asset in set(ASSET.findall(pages.decode())):
            self._note(asset, self.session.get(f"{self.sidecar.url}{asset}", timeout=PATIENCE_S))

    def look_at_processes(self) -> None:
        assert self.sidecar.process is not None
        for one in _list_family(self.sidecar.process.pid):
            # What has ended meanwhile tells nobody anything.
            with suppress(OSError):
                self.seen[f"command line of {one}"] = Path(f"/proc/{one}/cmdline").read_bytes()
                if one != self.sidecar.process.pid:
                    self.seen[f"environment of {one}"] = Path(f"/proc/{one}/environ").read_bytes()

    def look_at_files(self, *folders: Path) -> None:
        for folder in folders:
            for file in (one for one in folder.rglob("*") if one.is_file()):
                self.seen[str(file)] = file.read_bytes()

    def where(self, secret: str) -> list[str]:
        return [place for place, content in self.seen.items() if secret.encode() in content]

    def _note(self, place: str, answer: requests.Response) -> None:
        headers = {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}
        self.seen[f"answer to {place}"] = answer.content + str(headers).encode()


def _list_family(pid: int) -> Iterator[int]:
    yield pid
    for child in list_children(pid):
        yield from _list_family(child)


@pytest.fixture(params=ENGINES)
def evening(
    request: pytest.FixtureRequest, sidecar: Sidecar, jellyfin: DemoServer, line: SlowLine
) -> Evening:
    for user in jellyfin.core.users.by_id.values():
        if user.name == "admin":
            user.password = PASSWORD
    (redis := sidecar.log.parent / "redis").write_text(f"redis://:{REDIS_PASSWORD}@127.0.0.1:9/0")
    sidecar.environ |= {
        "SIDECAR_REDIS__URL_FILE": str(redis),
        "SIDECAR_TRANSFER__ENGINE": request.param,
        "SIDECAR_JELLYFIN__USERNAME": "admin",
        "SIDECAR_JELLYFIN__PASSWORD_FILE": _file(sidecar, PASSWORD),
    }
    del sidecar.environ["SIDECAR_JELLYFIN__PASSWORD"]
    # Its own command line and environment are looked at.
    sidecar.program = PYTHON
    sidecar.start()
    return Evening(sidecar, line)


def _file(sidecar: Sidecar, text: str) -> str:
    place = sidecar.log.parent / "password"
    place.write_text(text)
    return str(place)


def test_secrets_are_found_nowhere(
    evening: Evening, jellyfin: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sidecar = evening.sidecar
    monkeypatch.setitem(PASSWORDS, "admin", PASSWORD)
    sidecar.wait_for_sign_in("admin")
    sidecar.get_key("admin")
    listener = Person(jellyfin.url, "admin").sign_in()

    assert evening.sign_in("ann", WRONG) == 401
    assert evening.sign_in("admin", PASSWORD) == 200
    with OpenPage(sidecar.url, cookie=evening.session.cookies["sidecar_session"]) as page:
        for title in ("Tone 1", "Tone 2"):
            listener.heart(listener.tracks()[title])
        sidecar.wait_for("Tone 2", "completed")
        sidecar.wait_for("Tone 1", "completed")
        evening.look_at_processes()
        evening.line.cut()
        evening.look_at_everything()
        signed_out = evening.session.delete(f"{sidecar.url}/api/v1/session", timeout=PATIENCE_S)
        assert signed_out.status_code == 204
        # Signing out closes the page.
        evening.seen["the live connection"] = "\n".join(_all_told(page)).encode()
    assert sidecar.stop() == 0
    listener.session.close()
    evening.session.close()

    for kept in ("password", "redis"):
        (tmp_path / kept).unlink()
    shutil.rmtree(tmp_path / "library", ignore_errors=True)
    evening.look_at_files(sidecar.log.parent)
    _assert_nothing_is_found(evening, sidecar, Path(sidecar.environ["SIDECAR_SERVER__DATA_DIR"]))


def _all_told(page: OpenPage) -> Iterator[str]:
    with suppress(ConnectionClosed):
        while True:
            yield str(page.next())


def _assert_nothing_is_found(evening: Evening, sidecar: Sidecar, data: Path) -> None:
    tokens = evening.line.tokens
    assert tokens, "no token was ever sent: the search would prove nothing"
    found = evening.where("Tone 2")
    for place in ("the live connection", "answer to /downloads?tab=completed", "log", "sidecar.db"):
        assert any(one.endswith(place) for one in found), f"{place} was not searched"
    assert b"the Redis at redis://127.0.0.1:9 cannot be used" in sidecar.log.read_bytes()
    secrets = {"the password": PASSWORD, "a wrong password": WRONG, "the key": sidecar.key}
    secrets |= {"the password of Redis": REDIS_PASSWORD}
    secrets |= {f"token {one[:4]}": one for one in tokens}
    secrets |= {f"cookie {one[:4]}": one for one in evening.cookies}

    assert {what: evening.where(secret) for what, secret in secrets.items()} == {
        what: [] for what in secrets
    }
    assert _sealed(data / "sidecar.db")


def _sealed(database: Path) -> Mapping[str, bytes]:
    """The one place where a token is: sealed."""
    with sqlite3.connect(database) as db:
        rows = db.execute("SELECT name, token_encrypted FROM accounts").fetchall()
    db.close()
    return {name: token for name, token in rows if token}
