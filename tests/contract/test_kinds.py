"""The demo tells of what is not one plain file as the recorded servers did, in both voices.

`kinds-VERSION.json` has of each recorded answer what tells one kind from another, and the names of
all its keys: the demo may leave out some, and has no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from tests.contract.client import Client, Site
from tests.contract.conftest import QUICK
from tests.contract.recordings import DATA
from tests.fakes.libraries.kinds import PARTS, VERSIONS, kinds_library

TELLING = (
    "Type",
    "IsFolder",
    "PartCount",
    "VideoType",
    "MediaSourceCount",
    "MediaType",
    "ParentId",
    "CanDownload",
    "CollectionType",
    "LocationType",
)
# Not each film has a year.
NOT_OF_ITS_KIND = {"ProductionYear"}
Told = dict[str, Any]


@pytest.fixture(scope="module", params=list(Version), ids=lambda one: one.value)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DemoServer]:
    folder = kinds_library(tmp_path_factory.mktemp("kinds"))
    with DemoServer(folder, speaks=request.param, timing=QUICK) as demo:
        yield demo


@pytest.fixture
def ann(server: DemoServer) -> Client:
    site = Site(server.url, server.core.speaks, ("ann", "ann"), None, QUICK.library_changed_s)
    return site.signed_in("contract-kinds")


@pytest.fixture
def recorded(server: DemoServer) -> dict[str, Told]:
    version = {Version.V12_0: "12.0", Version.V10_11: "10.11"}[server.core.speaks]
    told: dict[str, Told] = json.loads(
        Path(DATA / f"kinds-{version}.json").read_text(encoding="utf-8")
    )
    return told


def at(server: DemoServer, path: str) -> str:
    """Return the id of what is at a path."""
    return next(one.id for one in server.core.library if one.path.endswith(path))


ITEMS = {
    "collection": "collections/Recorded Box [boxset]",
    "genres-item": "/Genre/Test",
    "musicgenres-item": "/MusicGenre/Folk",
    "film-disc": "Movies/Disc (2007)",
    "film-two-parts": PARTS[0],
    "film-two-versions": VERSIONS[0],
    "version-2-as-item": VERSIONS[1],
    "audiobook-part": "The Long Book/Chapter 1.mp3",
    "audiobook-part-parent": "Ann Author/The Long Book",
    "music-video-a": "Clips/Band A/Hit.mp4",
    "library-books": "/config/root/default/Books",
}


def telling(told: Told) -> Told:
    found = {name: told[name] for name in TELLING if name in told}
    if found.get("ParentId"):
        found["ParentId"] = "some"
    return found


def expect(told: Told, recorded: Told) -> None:
    was = {name: recorded[name] for name in TELLING if name in recorded}
    # This library's film has three parts and three versions; the recorded one two of each.
    assert telling(told) | dict.fromkeys({"PartCount", "MediaSourceCount"} & was.keys(), 2) == was
    assert set(told) - set(recorded["keys"]) <= NOT_OF_ITS_KIND


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_is_told_as_it_was(
    server: DemoServer, ann: Client, recorded: dict[str, Told], name: str
) -> None:
    expect(ann.get(f"/Items/{at(server, ITEMS[name])}"), recorded[name]["item"])


def test_the_parts_are_told_as_they_were(
    server: DemoServer, ann: Client, recorded: dict[str, Told]
) -> None:
    parts = ann.get(f"/Videos/{at(server, PARTS[0])}/AdditionalParts")["Items"]
    none = ann.get(f"/Videos/{at(server, 'Plain (2005).mkv')}/AdditionalParts")["Items"]

    assert [one["Id"] for one in parts] == [at(server, path) for path in PARTS[1:]]
    expect(parts[0], recorded["additional-parts"]["items"][0])
    assert none == recorded["additional-parts-of-one"]["items"] == []


def test_the_file_of_a_disc_is_not_served(
    server: DemoServer, ann: Client, recorded: dict[str, Told]
) -> None:
    answer = ann.ask("GET", f"/Items/{at(server, ITEMS['film-disc'])}/Download")
    was = recorded["film-disc-download"]

    assert (answer.status_code, answer.text) == (was["status"], was["text"])
    assert answer.headers["Content-Type"] == was["content_type"]


def test_another_version_is_served_only_under_its_own_id(server: DemoServer, ann: Client) -> None:
    sources = ann.get(f"/Items/{at(server, VERSIONS[0])}")["MediaSources"]
    first, second = sources[0], sources[1]

    asked = ann.ask("GET", f"/Items/{first['Id']}/Download?mediaSourceId={second['Id']}")
    own = ann.ask("GET", f"/Items/{second['Id']}/Download")

    assert len(asked.content) == first["Size"]
    assert len(own.content) == second["Size"]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("collection-children", {"parentId": ITEMS["collection"]}),
        ("folder-children", {"parentId": "Books/Ann Author", "recursive": "true"}),
        (
            "genres-children",
            {"genreIds": ITEMS["musicgenres-item"], "recursive": "true"},
        ),
    ],
)
def test_what_is_in_it_is_listed_as_it_was(
    server: DemoServer, ann: Client, recorded: dict[str, Told], name: str, query: dict[str, str]
) -> None:
    ids = {key: at(server, value) if "/" in value else value for key, value in query.items()}
    told = ann.get("/Items", **ids)["Items"]

    for was in recorded[name]["items"]:
        alike = [one for one in told if telling(one) == telling(was)]
        assert alike or was.get("VideoType") == "Dvd", was
        assert {key for one in alike for key in one} - set(was["keys"]) <= NOT_OF_ITS_KIND


def test_a_heart_on_a_collection_is_listed_only_in_its_library(
    server: DemoServer, ann: Client
) -> None:
    box = at(server, ITEMS["collection"])
    library = at(server, "/config/root/default/Collections")
    query = {"recursive": "true", "isFavorite": "true", "includeItemTypes": "Movie,BoxSet"}
    ann.ask("POST", f"/UserFavoriteItems/{box}")

    everywhere = ann.get("/Items", **query)["Items"]
    there = ann.get("/Items", **query, parentId=library)["Items"]
    ann.ask("DELETE", f"/UserFavoriteItems/{box}")

    assert everywhere == []
    assert [one["Id"] for one in there] == [box]
