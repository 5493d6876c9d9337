"""The sidecar behind a real nginx and a real Caddy, as docs/install.md tells to set them up."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from tests.e2e.conftest import PASSWORDS, Person, Sidecar
from tests.fakes.page import OpenPage
from tests.fakes.servers.certificates import own_certificate
from tests.fakes.servers.nginx import run_nginx
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S

# Another address of this machine than the proxy's own.
BROWSER = "127.9.8.7"
FORGED = "203.0.113.66"
INSTALL = Path(__file__).parents[3] / "docs" / "install.md"
CADDY = """{{
    admin off
    auto_https disable_redirects
    default_bind 127.0.0.1
    https_port {port}
    local_certs
    skip_install_trust
    servers {{
        protocols h1 h2
    }}
}}
"""


def printed(language: str) -> list[str]:
    """Return what the chapter about proxies prints in a language."""
    chapter = INSTALL.read_text().partition("## Behind a reverse proxy")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", chapter, re.DOTALL)


(_TOML,) = printed("toml")
SETTINGS: dict[str, Any] = tomllib.loads(_TOML)["server"]
NAME: str = SETTINGS["allowed_hosts"][0]
BASE_URL: str = SETTINGS["base_url"]


class _FromBrowser(HTTPAdapter):
    """Connects from the browser's address; with a name, that is who must be at the other end."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on as they are
        """Use such connections."""
        more["source_address"] = (BROWSER, 0)
        if self.name:
            more |= {"server_hostname": self.name, "assert_hostname": self.name}
        super().init_poolmanager(*args, **more)


def browser() -> requests.Session:
    """Return a browser at an address of its own."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _FromBrowser(NAME))
    session.mount("http://", _FromBrowser())
    return session


@dataclass
class Proxy:
    """A proxy with TLS, and how a browser at another address uses it."""

    name: str
    port: int
    authority: Path
    session: requests.Session = field(default_factory=browser)

    def ask(
        self,
        verb: str,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        json: dict[str, str] | None = None,
        allow_redirects: bool = True,
    ) -> requests.Response:
        """Ask the sidecar through the proxy."""
        return self.session.request(
            verb,
            f"https://127.0.0.1:{self.port}{BASE_URL}{path}",
            headers={"Host": f"{NAME}:{self.port}"} | (headers or {}),
            verify=str(self.authority),
            timeout=PATIENCE_S,
            json=json,
            allow_redirects=allow_redirects,
        )

    def sign_in(
        self, headers: dict[str, str] | None = None, password: str = PASSWORDS["ann"]
    ) -> requests.Response:
        """Sign ann in."""
        body = {"username": "ann", "password": password}
        return self.ask("POST", "/api/v1/session", headers, json=body)

    def open_page(self) -> AbstractContextManager[OpenPage]:
        """Open a live connection with the cookie of the session."""
        told = {
            "Cookie": "; ".join(f"{one.name}={one.value}" for one in self.session.cookies),
            "Origin": f"https://{NAME}:{self.port}",
        }
        return OpenPage(
            f"https://{NAME}:{self.port}{BASE_URL}",
            headers=told,
            sock=self.connect(),
            tls=ssl.create_default_context(cafile=self.authority),
        )

    def connect(self) -> socket.socket:
        """Connect to the proxy from the browser's address."""
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=PATIENCE_S, source_address=(BROWSER, 0)
        )


@pytest.fixture(scope="module")
def demo(library: Path) -> Iterator[DemoServer]:
    with DemoServer(library, speaks=Version.V12_0, timing=Timing(user_data_s=0.2)) as server:
        yield server


@pytest.fixture(scope="module")
def listener(demo: DemoServer) -> Iterator[Person]:
    """Return ann with her phone."""
    person = Person(demo.url, "ann").sign_in()
    yield person
    person.session.close()


@pytest.fixture(scope="module")
def product(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """Return a running sidecar with the settings that docs/install.md prints."""
    folder = tmp_path_factory.mktemp("sidecar")
    stick = folder / "stick"
    stick.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SIDECAR_JELLYFIN__URL": demo.url,
        "SIDECAR_JELLYFIN__USERNAME": "ann",
        "SIDECAR_JELLYFIN__PASSWORD": PASSWORDS["ann"],
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_SERVER__BASE_URL": BASE_URL,
        "SIDECAR_SERVER__ALLOWED_HOSTS": ",".join(SETTINGS["allowed_hosts"]),
        "SIDECAR_SERVER__TRUSTED_PROXIES": ",".join(SETTINGS["trusted_proxies"]),
        "SIDECAR_SERVER__DATA_DIR": str(folder / "data"),
        "SIDECAR_DEVICES": json.dumps(
            [{"name": "Car stick", "path": str(stick), "reserve": "1 MB"}]
        ),
    }
    one = Sidecar(environ, folder / "log", stick)
    try:
        one.start()
        one.wait_for_sign_in("ann")
        one.get_key("ann")
        yield one
    finally:
        if one.process is not None and one.process.poll() is None:
            one.stop()


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(
    request: pytest.FixtureRequest, product: Sidecar, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Return a proxy, with ann signed in behind it."""
    start = {"nginx": nginx, "caddy": caddy}[request.param]
    with start(tmp_path_factory.mktemp(request.param), product) as one:
        assert one.sign_in().ok
        yield one
        one.session.close()


def nginx(work: Path, product: Sidecar) -> AbstractContextManager[Proxy]:
    """Run nginx with the block that docs/install.md prints."""
    block, _ = printed("nginx")
    port = free_port()
    return nginx_with_tls(work, port, server_block(port, leads_to(block, product.url)))


def leads_to(block: str, url: str) -> str:
    """Return the block with the port that this sidecar has."""
    assert "127.0.0.1:8097" in block
    return block.replace("127.0.0.1:8097", f"127.0.0.1:{urlsplit(url).port}")


def server_block(port: int, block: str, tls: str = "ssl") -> str:
    """Return a server of nginx with this block in it."""
    return f"server {{ listen 127.0.0.1:{port} {tls}; server_name {NAME}; {block} }}\n"


@contextmanager
def nginx_with_tls(work: Path, port: int, servers: str) -> Iterator[Proxy]:
    """Run nginx with these servers; one of them has TLS, at this port."""
    authority, _ = own_certificate(work, NAME)
    own = f"{work}/own-with-key.pem"
    tls = f"ssl_certificate {own}; ssl_certificate_key {own};\n"
    with run_nginx(work, tls + servers):
        yield ready(Proxy("nginx", port, authority), work)


@contextmanager
def caddy(work: Path, product: Sidecar) -> Iterator[Proxy]:
    """Run Caddy with the block that docs/install.md prints, and an authority of its own."""
    (block,) = printed("caddyfile")
    port = free_port()
    (work / "Caddyfile").write_text(CADDY.format(port=port) + leads_to(block, product.url))
    program = shutil.which("caddy")
    assert program, "these tests run Debian's caddy: apt-get install caddy"
    with running(work, [program, "run", "--config", str(work / "Caddyfile")]):
        authority = work / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        yield ready(Proxy("caddy", port, authority), work)


@contextmanager
def running(work: Path, command: list[str]) -> Iterator[None]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(work), "XDG_DATA_HOME": str(work / "data")}
    with (work / "said").open("wb") as said:
        server = subprocess.Popen(command, cwd=work, env=environ, stderr=said)
    try:
        yield
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def ready(proxy: Proxy, work: Path) -> Proxy:
    """Wait until the proxy answers."""

    def answers() -> bool:
        if not proxy.authority.exists():
            return False
        try:
            return proxy.ask("GET", "/sign-in").ok
        except requests.ConnectionError:
            return False

    try:
        wait_until(answers, what="the proxy")
    except AssertionError:
        pytest.fail((work / "said").read_text())
    return proxy
