"""The servers that the contract is checked against: the demo in both voices, and a real one.

The real one is asked when `JELLYFIN_URL`, `JELLYFIN_USER` and `JELLYFIN_PASSWORD` are set; the
administrator's checks also need `JELLYFIN_ADMIN` and `JELLYFIN_ADMIN_PASSWORD`. Its user needs
some music, and keeps what they had: every check undoes what it did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import requests

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from tests.contract.client import Client, Site
from tests.fakes.libraries.tiny import tiny_library
from tests.patience import PATIENCE_S

# Two requests in a row must fall into the burst of hearts, also on a busy machine.
QUICK = Timing(library_changed_s=0.2, user_data_s=0.5)
REAL = "a real server"
_LIBRARY_CHANGED_S = 31.0


def _sites() -> list[Version | str]:
    return [*Version, *([REAL] if "JELLYFIN_URL" in os.environ else [])]


@pytest.fixture(scope="module", params=_sites(), ids=lambda one: getattr(one, "value", "real"))
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    if request.param == REAL:
        yield _real_site()
        return
    folder = tiny_library(tmp_path_factory.mktemp("library"))
    with DemoServer(folder, speaks=request.param, timing=QUICK) as server:
        yield Site(
            server.url, request.param, ("ann", "ann"), ("admin", "admin"), QUICK.library_changed_s
        )


def _real_site() -> Site:
    url = os.environ["JELLYFIN_URL"].rstrip("/")
    version = requests.get(f"{url}/System/Info/Public", timeout=PATIENCE_S).json()["Version"]
    admin = os.environ.get("JELLYFIN_ADMIN")
    return Site(
        url,
        Version.V12_0 if int(version.split(".")[0]) >= 12 else Version.V10_11,
        (os.environ["JELLYFIN_USER"], os.environ["JELLYFIN_PASSWORD"]),
        (admin, os.environ["JELLYFIN_ADMIN_PASSWORD"]) if admin else None,
        _LIBRARY_CHANGED_S,
    )


@pytest.fixture
def ann(site: Site) -> Iterator[Client]:
    """The ordinary user's first device."""
    client = site.signed_in("contract-ann")
    yield client
    client.ask("POST", "/Sessions/Logout")


@pytest.fixture
def player(site: Site) -> Iterator[Client]:
    """The same user's music player, which is another device."""
    client = site.signed_in("contract-player", client="Player")
    yield client
    client.ask("POST", "/Sessions/Logout")


@pytest.fixture
def admin(site: Site) -> Iterator[Client]:
    """An administrator, where the server has one for us."""
    if site.admin is None:
        pytest.skip("nobody gave an administrator's account")
    client = site.guest("contract-admin")
    client.sign_in(*site.admin)
    yield client
    client.ask("POST", "/Sessions/Logout")


@pytest.fixture
def song(ann: Client) -> Iterator[str]:
    """A track that is no favourite, before and after."""
    item_id = str(ann.songs_without_heart()[0]["Id"])
    yield item_id
    ann.ask("DELETE", f"/UserFavoriteItems/{item_id}")
    ann.ask("DELETE", f"/UserPlayedItems/{item_id}")
