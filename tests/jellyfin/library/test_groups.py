"""What decides the names of files, as real servers tell it, and asked of the demo server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.domain.files.naming import build_path
from sidecar.domain.items.item import Item, ItemType
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.jellyfin.library.groups import GroupLookup
from sidecar.jellyfin.mapping import to_item
from sidecar.jellyfin.models import BaseItem
from sidecar.jellyfin.sign_in import SignIn
from tests.fakes.libraries.tiny import DOUBLE, LIBRARIES, track, write
from tests.fakes.servers.answering import Reply, Request, answering, json_reply
from tests.fakes.servers.demo import QUICK
from tests.services.identity.house import CountingServer

IDENTITY = DeviceIdentity(device_id="named", version="1.0.0")
ROOT, LIBRARY, AUTHOR, BOOK = (letter * 32 for letter in "abcd")
PATHS = {
    LIBRARY: "/odd/books",
    AUTHOR: "/odd/books/Untagged Author",
    BOOK: "/odd/books/Untagged Author/Untagged Book",
}
ABOVE = {LIBRARY: ROOT, AUTHOR: LIBRARY, BOOK: AUTHOR}


def folder(item_id: str) -> dict[str, object]:
    """Return a folder of a library of books, as the server tells it."""
    if item_id == ROOT:
        return {"Id": ROOT, "Type": "AggregateFolder", "Name": "root"}
    path = PATHS[item_id]
    return {
        "Id": item_id,
        "Type": "Folder",
        "Name": path.rpartition("/")[2],
        "Path": path,
        "ParentId": ABOVE[item_id],
    }


def part(name: str, within: str, path: str) -> dict[str, object]:
    return {
        "Id": f"{sum(map(ord, path)):032x}",
        "Type": "AudioBook",
        "Name": name,
        "ParentId": within,
        "Path": path,
    }


def books(*parts: dict[str, object]) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if ids := request.query.get("ids"):
            found = [folder(one) for one in ids.split(",")]
        else:
            found = [one for one in parts if one["ParentId"] == request.query["parentId"]]
        return json_reply({"Items": found, "TotalRecordCount": len(found)})

    return answer


def named(client: Jellyfin, item: Item) -> str:
    return build_path(item, group=GroupLookup(client).of([item])[item.id])


@pytest.mark.parametrize(
    ("within", "path", "expected"),
    [
        (BOOK, f"{PATHS[BOOK]}/part1.mp3", "Untagged Author/Untagged Book/part1.mp3"),
        # Taken for the book itself: the server leaves its folder out.
        (AUTHOR, f"{PATHS[AUTHOR]}/Only/part1.mp3", "Untagged Author/part1/part1.mp3"),
        # Above these is only the library.
        (AUTHOR, f"{PATHS[AUTHOR]}/part1.mp3", "Unknown Artist/Untagged Author/part1.mp3"),
    ],
)
def test_an_untagged_audiobook_is_named_by_the_folders_above_it(
    within: str, path: str, expected: str
) -> None:
    told = part("part1", within, path)
    other = part("part2", within, path.replace("part1", "part2"))

    with answering({"GET /Items": books(told, other)}) as server:
        assert named(Jellyfin(server.url, identity=IDENTITY), _item(told)) == expected


def test_a_list_that_is_refused_leaves_the_names_of_the_files_own() -> None:
    song = {"Id": "1" * 32, "Type": "Audio", "Name": "Song", "AlbumId": BOOK, "IndexNumber": 1}

    def answer(request: Request) -> Reply:
        return (
            json_reply({"Items": [], "TotalRecordCount": 0})
            if "ids" in request.query
            else Reply(400)
        )

    with answering({"GET /Items": answer}) as server:
        path = named(Jellyfin(server.url, identity=IDENTITY), _item(song))

    assert path == "Unknown Artist/Unknown Album/01 - Song.bin"


@pytest.mark.parametrize("version", Version, ids=lambda one: one.value)
def test_an_album_is_asked_for_once_and_listed_only_if_it_is_not_known(
    tmp_path: Path, version: Version
) -> None:
    tracks = [
        track(DOUBLE, 1, "One", disc=1, album_artists=["Anna"], year=1990),
        track(DOUBLE, 2, "Two", disc=None, album_artists=["Bert"], year=1991),
        track(DOUBLE, 100, "Many", disc=10, album_artists=["Cleo"], year=1992),
    ]
    listed = {"libraries": LIBRARIES, "tracks": tracks, "films": [], "episodes": [], "covers": {}}
    write(tmp_path, listed)
    with CountingServer(tmp_path, speaks=version, timing=QUICK) as server:
        found = SignIn(server.url, IDENTITY).with_password("ann", SecretStr("ann"))
        client = Jellyfin(server.url, identity=IDENTITY, token=found.token, user_id=found.user_id)
        items = {one.title: one for one in ServerFileIndex(client).all_full().items}
        alone = {title: named(client, one) for title, one in items.items()}
        server.paths.clear()
        groups = GroupLookup(client).of(list(items.values()))
        together = {title: build_path(one, group=groups[one.id]) for title, one in items.items()}
        assert server.paths == ["/Items"]

    assert alone == together
    assert together == {
        "One": "Anna/Double (1990)/01-001 - One.flac",
        "Two": "Anna/Double (1990)/01-002 - Two.flac",
        "Many": "Anna/Double (1990)/10-100 - Many.flac",
    }


def test_albums_are_known_behind_a_proxy_that_refuses_long_addresses() -> None:
    tracks = [
        Item(id=f"f{n:031x}", type=ItemType.AUDIO, title="Tone", album_id=f"a{n:031x}")
        for n in range(1, 9)
    ]

    def answer(request: Request) -> Reply:
        ids = request.query.get("ids", "").split(",")
        if len(ids) > 2:
            return Reply(414)
        albums = [
            {"Id": one, "Type": "MusicAlbum", "Name": f"Album {one}", "RecursiveItemCount": 1}
            for one in ids
        ]
        return json_reply({"Items": albums, "TotalRecordCount": len(albums)})

    with answering({"GET /Items": answer}) as server:
        groups = GroupLookup(Jellyfin(server.url, identity=IDENTITY)).of(tracks)

    assert [groups[one.id].title for one in tracks] == [f"Album {one.album_id}" for one in tracks]


def _item(told: dict[str, object]) -> Item:
    return to_item(BaseItem.model_validate(told))
