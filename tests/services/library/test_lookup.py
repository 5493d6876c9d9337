"""What people ask for, looked up in the demo server as each account sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.sign_in import SignIn
from sidecar.services.library.lookup import expand_item, get_item
from tests.fakes.libraries.tiny import listing, write


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("library"), listing())


@pytest.fixture(params=list(Version))
def ann(request: pytest.FixtureRequest, library: Path) -> Iterator[Jellyfin]:
    identity = DeviceIdentity(device_id="sidecar-ann", version="1.0.0")
    with DemoServer(library, speaks=request.param) as demo:
        found = SignIn(demo.url, identity).with_password("ann", SecretStr("ann"))
        yield Jellyfin(
            demo.url,
            identity=identity,
            token=found.token,
            user_id=found.user_id,
            server_id=found.server_id,
        )


def any_of(client: Jellyfin, kind: ItemType) -> Item:
    query = {"includeItemTypes": kind.value, "recursive": "true"}
    path = "Artists" if kind is ItemType.ARTIST else "Items"
    page = client.page(path, query=query)
    found = client.items(one.id for one in page.items if one is not None)
    return next(one for one in found.values() if one.type is kind)


@pytest.mark.parametrize("kind", [ItemType.AUDIO, ItemType.EPISODE, ItemType.MOVIE])
def test_what_has_a_file_of_its_own_stands_for_itself(ann: Jellyfin, kind: ItemType) -> None:
    item = get_item(ann, any_of(ann, kind).id)

    assert item.type is kind
    assert item.size
    assert expand_item(ann, item) is None


@pytest.mark.parametrize(
    "kind", [ItemType.ALBUM, ItemType.ARTIST, ItemType.SERIES, ItemType.SEASON]
)
def test_a_container_is_all_that_it_holds(ann: Jellyfin, kind: ItemType) -> None:
    held = expand_item(ann, get_item(ann, any_of(ann, kind).id))

    assert held
    assert all(one.is_playable for one in held)


def test_what_there_is_not_is_not_there(ann: Jellyfin) -> None:
    with pytest.raises(NotVisible):
        get_item(ann, "9" * 32)
