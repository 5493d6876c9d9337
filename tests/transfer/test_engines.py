from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread

import pytest

from sidecar.clock import SystemClock
from sidecar.config import Settings, load
from sidecar.errors import ConfigError, SidecarError
from sidecar.transfer.aria2.engine import Aria2Engine
from sidecar.transfer.aria2.supervisor import Aria2Supervisor
from sidecar.transfer.engines import describe_engine, make_engine
from sidecar.transfer.http.engine import HttpEngine
from tests.fakes.servers.fault_server import FaultServer
from tests.patience import PATIENCE_S
from tests.transfer.conftest import BODY, PlainPart, Try


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def settings(folder: Path, **keys: str) -> Settings:
    """Settings as an operator gives them in the environment."""
    environ: Mapping[str, str] = {
        "SIDECAR_SERVER__DATA_DIR": str(folder),
        "SIDECAR_CONFIG": str(folder / "config.toml"),
        **{f"SIDECAR_TRANSFER__{name}": value for name, value in keys.items()},
    }
    (folder / "config.toml").touch()
    return load(environ)


def test_the_built_in_engine_needs_nothing_beside_it(folder: Path) -> None:
    engine, run = make_engine(settings(folder), SystemClock())

    assert isinstance(engine, HttpEngine)
    assert run is None
    assert describe_engine(settings(folder)) == "Built in"


def test_aria2_is_started_fetches_and_ends_with_its_thread(
    folder: Path, server: FaultServer
) -> None:
    engine, run = make_engine(settings(folder, ENGINE="aria2"), SystemClock())
    assert isinstance(engine, Aria2Engine)
    assert run is not None
    stop = Event()
    thread = Thread(target=run, args=(stop,))
    thread.start()
    attempt = Try(server, PlainPart(folder / "1.part"), engine)
    attempt()
    stop.set()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert attempt.content() == BODY


def test_a_missing_aria2_is_told_at_the_start_with_what_to_install(folder: Path) -> None:
    lacking = settings(folder, ENGINE="aria2", ARIA2__PROGRAM="no-such-aria2c")

    with pytest.raises(ConfigError, match="install the package aria2") as refused:
        make_engine(lacking, SystemClock())
    assert refused.value.key == "transfer.engine"
    with pytest.raises(ConfigError):
        describe_engine(lacking)


def test_another_aria2_needs_no_program_and_its_secret_may_be_in_a_file(
    folder: Path, aria2: Aria2Supervisor
) -> None:
    rpc = aria2.await_ready(Event(), within_s=PATIENCE_S)
    (folder / "secret").write_text(rpc.secret + "\n")
    chosen = settings(
        folder,
        ENGINE="aria2",
        ARIA2__URL=rpc.url.removesuffix("/jsonrpc"),
        ARIA2__SECRET_FILE=str(folder / "secret"),
        ARIA2__PROGRAM="no-such-aria2c",
    )

    make_engine(chosen, SystemClock())

    assert describe_engine(chosen) == f"aria2 answers at {rpc.url}"
    assert rpc.secret not in repr(chosen)


def test_the_wrong_secret_is_seen_before_the_start(folder: Path, aria2: Aria2Supervisor) -> None:
    rpc = aria2.await_ready(Event(), within_s=PATIENCE_S)
    chosen = settings(folder, ENGINE="aria2", ARIA2__URL=rpc.url, ARIA2__SECRET="guessed")

    with pytest.raises(SidecarError, match="Unauthorized"):
        describe_engine(chosen)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "http://a:b@127.0.0.1:6800"])
def test_an_address_that_is_none_is_refused(folder: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="ARIA2__URL"):
        settings(folder, ENGINE="aria2", ARIA2__URL=url)


def test_a_secret_that_is_refused_is_not_shown(folder: Path) -> None:
    (folder / "wrong.toml").write_text("[transfer.aria2]\nsecret = [4711]\n")

    with pytest.raises(ConfigError) as refused:
        load({"SIDECAR_SERVER__DATA_DIR": str(folder)}, file=folder / "wrong.toml")

    assert "4711" not in str(refused.value)
