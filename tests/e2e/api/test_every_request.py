"""Thousands of requests that fit the API's own description, and as many that do not quite.

A real sidecar on the demo server answers; every answer must fit its description, and none may be
the sidecar's own failure. `SIDECAR_REQUESTS=50000` sends more, another `SIDECAR_SEED` others; a
failure names its seed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sidecar.config import JellyfinSettings, ServerSettings, Settings
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.runtime import Runtime
from sidecar.web.api.endpoints import PREFIX
from sidecar.web.api.routes import endpoints
from tests.e2e.conftest import Person
from tests.e2e.household import page_of, write_library
from tests.e2e.main_job.test_household import TIMING, _device
from tests.fakes.servers.slow_line import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

REQUESTS = int(os.environ.get("SIDECAR_REQUESTS", "1500"))
SEED = int(os.environ.get("SIDECAR_SEED", "16"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# These end what the test itself stands on.
ENDS_US = {"session.begin", "session.end"}
ASKED = sorted({one.name for one in endpoints() if one.path.startswith(PREFIX)} - ENDS_US)


@dataclass
class Home:
    """A sidecar, who asks, and what there is to ask about.

    Attributes:
        operations: What can be asked, by endpoint; read once, it takes long.
    """

    session: requests.Session
    operations: Mapping[str, Sequence[Any]]
    known: dict[str, list[object]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("house")
    library = write_library(folder / "library")
    with ExitStack() as open_now:
        server = DemoServer(library, speaks=Version.V12_0, timing=TIMING)
        open_now.enter_context(server)
        running = open_now.enter_context(Runtime(_settings(folder, server.url)))
        admin = Person(server.url, "admin").sign_in()
        tracks = admin.tracks()
        page = open_now.enter_context(page_of(running.url, "admin", "admin"))
        wait_until(lambda: bool(page.get("/devices")["items"]), what="a device")
        some = list(tracks.values())[:6]
        assert page.ask("POST", "/downloads", {"item_ids": some}).ok
        wait_until(lambda: page.get("/downloads", status="completed")["total"] >= 6, what="files")
        described = page.get("/openapi.json")
        schema = schemathesis.openapi.from_dict(described)
        schema.config.update(base_url=running.url)
        operations: dict[str, list[Any]] = {}
        for one in (one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)):
            operations.setdefault(one.definition.raw["operationId"], []).append(one)
        yield Home(
            page.session,
            operations,
            {
                "download_id": [one["id"] for one in page.get("/downloads")["items"]],
                "device_id": [one["id"] for one in page.get("/devices")["items"]],
                "item_id": [*some, admin.item("First Light", "MusicAlbum")],
                "rule": ["latest", "album_affinity", "queue_ahead"],
            },
        )
        admin.session.close()


def _settings(folder: Path, url: str) -> Settings:
    return Settings(
        jellyfin=JellyfinSettings(url=url, username="admin", password=SecretStr("admin")),
        server=ServerSettings(port=0, data_dir=folder / "data"),
        devices=(_device("Stick", folder / "stick", "admin"),),
    )


@pytest.mark.parametrize("mode", GenerationMode, ids=str)
@pytest.mark.parametrize("endpoint", ASKED)
def test_every_answer_fits_and_none_is_our_failure(
    home: Home, endpoint: str, mode: GenerationMode
) -> None:
    assert home.operations[endpoint]
    for operation in home.operations[endpoint]:

        @seed(SEED)
        @given(
            case=operation.as_strategy(generation_mode=mode),
            is_known=st.booleans(),
            choice=st.randoms(),
        )
        @settings(
            max_examples=max(1, REQUESTS // len(ASKED) // len(GenerationMode)),
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        def ask(case: Any, is_known: bool, choice: Random) -> None:  # noqa: ANN401 - drawn
            if is_known:
                for name in set(case.path_parameters) & set(home.known):
                    case.path_parameters[name] = choice.choice(home.known[name])
            answer = case.call(session=home.session)
            case.validate_response(answer, checks=CHECKS)

        try:
            ask()
        except BaseException as error:
            error.add_note(f"The same requests again: SIDECAR_SEED={SEED}")
            raise
