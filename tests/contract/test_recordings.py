"""The demo server answers as the real ones did, exchange by exchange, in both voices."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from tests.contract.recordings import (
    Answer,
    Recorded,
    Stage,
    exchanges,
    paths,
    recorded_library,
)

VOICES = list(Version)
# The demo transcodes nothing: it answers as a server whose ffmpeg does not start.
TRANSCODED = "transcode-mp3"
NAMES = sorted({one["name"] for speaks in VOICES for one in exchanges(speaks)} - {TRANSCODED})
# Headers whose value is the same for the same file and question.
TELLING = {
    "Accept-Ranges",
    "Allow",
    "Cache-Control",
    "Content-Disposition",
    "Content-Language",
    "Content-Range",
    "Content-Type",
    "Expires",
    "Last-Modified",
    "Pragma",
    "Server",
    "Transfer-Encoding",
    "Vary",
}
# The demo sends a picture as it is, not a smaller one with a date of its own.
PICTURE = "image"
# What the demo leaves out of JSON that is alike in all else.
LEFT_OUT = re.compile(
    # Nothing is ever transcoded.
    r"\[\]\.TranscodingInfo.*"
    # What only a look into real streams tells.
    r"|.*\.MediaStreams\[\]\.(CodecTag|Language|LocalizedLanguage|Profile|Title)(:str)?"
)
Replayed = dict[str, tuple[Recorded, Answer]]


@pytest.fixture(scope="module", params=VOICES, ids=lambda one: one.value)
def replayed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replayed]:
    speaks: Version = request.param
    recorded = exchanges(speaks)
    everybody = next(one for one in recorded if one["name"] == "users-as-user")
    users = {one["Name"]: one["Id"] for one in everybody["response"]["json"]}
    folder, places = recorded_library(tmp_path_factory.mktemp("recorded"))
    with DemoServer(folder, speaks=speaks) as server:
        stage = Stage(server, places, users)
        stage.prepare()
        yield {one["name"]: (one, stage.replay(one)) for one in recorded}


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_with_the_recorded_status_and_headers(replayed: Replayed, name: str) -> None:
    recorded, answer = replayed[name]
    told = recorded["response"]

    assert (answer.status, answer.reason) == (told["status"], told["reason"])
    # In any order: no client looks at it.
    assert sorted(answer.names) == sorted(one for one, _ in told["headers"])
    if name != PICTURE:
        assert _telling(answer.headers) == _telling(told["headers"])


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_with_the_recorded_shape(replayed: Replayed, name: str) -> None:
    recorded, answer = replayed[name]
    told = recorded["response"]

    if "text" in told:
        assert answer.body.decode() == told["text"]
    elif "length" in told:
        assert len(answer.body) == told["length"] or name == PICTURE
    else:
        assert _shape(answer.json()) == _shape(told["json"])


def test_it_says_that_it_cannot_transcode(replayed: Replayed) -> None:
    _, answer = replayed[TRANSCODED]

    assert answer.status == 500


def _shape(value: object) -> set[str]:
    return {one for one in paths(value) if not LEFT_OUT.fullmatch(one)}


def _telling(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name in TELLING}
