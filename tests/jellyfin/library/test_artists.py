"""The tracks of many artists are listed together, and apart where that is refused."""

from __future__ import annotations

from sidecar.domain.items.item import Item, ItemType
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.library.artists import ArtistLists
from tests.fakes.servers.answering import Reply, Request, answering, json_reply

IDENTITY = DeviceIdentity(device_id="lists", version="1.0.0")
ARTISTS = [Item(id=f"{n:032x}", type=ItemType.ARTIST, title=f"Bänd {n}") for n in range(1, 9)]


def tracks_of(ids: list[str]) -> Reply:
    """Return a track of each artist, told by another id but the same name in other letters."""
    items = [
        {
            "Id": f"f{one[1:]}",
            "Type": "Audio",
            "Name": "Tone",
            "AlbumArtists": [{"Id": "e" * 32, "Name": f"BAND {int(one, 16)}"}],
        }
        for one in ids
    ]
    return json_reply({"Items": items, "TotalRecordCount": len(items)})


def test_a_proxy_that_refuses_long_addresses_gets_shorter_ones() -> None:
    def answer(request: Request) -> Reply:
        ids = request.query["albumArtistIds"].split(",")
        return tracks_of(ids) if len(ids) <= 2 else Reply(414)

    with answering({"GET /Items": answer}) as server:
        lists = ArtistLists(Jellyfin(server.url, identity=IDENTITY))
        first = list(lists.of(ARTISTS, full=False))
        asked = len(server.requests)
        list(lists.of(ARTISTS, full=False))
        again = len(server.requests) - asked
        assert list(lists.of([], full=True)) == []
        assert len(server.requests) == asked + again

    found = {one: it for batch in first for one, it in (batch.tracks or {}).items()}
    assert {one: [track.id for track in it.items] for one, it in found.items()} == {
        one.id: [f"f{one.id[1:]}"] for one in ARTISTS
    }
    assert all(it.complete for it in found.values())
    # Eight and four are refused once; that two get through is remembered.
    assert (asked, again) == (6, 4)
