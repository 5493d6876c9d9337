from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import (
    JellyfinError,
    NotAllowed,
    NotFound,
    OutsideHours,
    ServerAway,
    SignedOut,
    UnexpectedAnswer,
    WrongServer,
)
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.http.connection import LARGEST_BODY_BYTES
from sidecar.jellyfin.library.companions import Companions
from sidecar.jellyfin.library.file_index import ServerFileIndex
from tests.fakes.servers.answering import (
    UNAUTHORISED,
    Answering,
    Reply,
    Request,
    answering,
    html_reply,
    json_reply,
)
from tests.jellyfin.recorded import VERSIONS, recording, reply

USER = "eca72f36678648dfacdbb6f40ea1199a"
SERVER = "eee1b1f226e848c7850686677538808a"
TRACK = "1bf5462706b4367473f9fd0725bdd586"
TOKEN = SecretStr("0123456789abcdef0123456789abcdef")
IDENTITY = DeviceIdentity(device_id="sc-1", version="1.0.0")
HEADER = (
    'MediaBrowser Client="Jellyfin%20Sidecar", Device="Sidecar", DeviceId="sc-1", '
    'Version="1.0.0", Token="0123456789abcdef0123456789abcdef"'
)
ALL = frozenset({ItemType.AUDIO, ItemType.ALBUM, ItemType.ARTIST, ItemType.PLAYLIST})
PIXEL = b"\x89PNG\r\n"


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering(
        {
            "GET /Users/Me": reply("12.0", "me"),
            "GET /System/Info/Public": reply("12.0", "public-info"),
        }
    ) as fake:
        yield fake


def client_of(fake: Answering, base: str = "", server_id: str | None = SERVER) -> Jellyfin:
    return Jellyfin(
        fake.url + base, identity=IDENTITY, token=TOKEN, user_id=USER, server_id=server_id
    )


@pytest.fixture
def client(server: Answering) -> Jellyfin:
    return client_of(server)


def container(kind: ItemType) -> Item:
    return Item(id=TRACK, type=kind, title="x")


def page(*ids: str, total: int | None = None) -> Reply:
    items = [{"Id": one, "Type": "Audio", "Name": one, "ServerId": SERVER} for one in ids]
    return json_reply({"Items": items, "TotalRecordCount": len(ids) if total is None else total})


def some_way(fake: Answering, refusal: Reply, *, longest: int = 2048) -> list[int]:
    """Let only addresses of this length through to a server that knows every id; note batches."""
    asked: list[int] = []

    def answer(request: Request) -> Reply:
        wanted = request.query["ids"].split(",")
        address = f"{fake.url}/Items?{urlencode(request.query)}"
        if len(address) > longest:
            return refusal
        asked.append(len(wanted))
        return page(*wanted)

    fake.routes["GET /Items"] = answer
    return asked


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(414),
        html_reply(414),
        html_reply(404),  # IIS: 404.15
        html_reply(400),
        html_reply(403),
        Reply(403, b"Forbidden", {"Content-Type": "text/plain"}),
        Reply(431),
    ],
)
def test_batches_of_ids_halve_until_their_address_gets_through(
    server: Answering, client: Jellyfin, refusal: Reply
) -> None:
    ids = [f"{one:032x}" for one in range(230)]
    asked = some_way(server, refusal)

    assert list(client.items(ids)) == ids
    assert asked == [50, 50, 50, 50, 30]
    # What gets through is remembered: the second time nothing is refused.
    before = len(server.asked("/Items"))
    assert ServerFileIndex(client).known(ids) == frozenset(ids)
    assert len(Companions(client).of(ids)) == len(ids)
    assert len(server.asked("/Items")) - before == 10


def test_batches_halve_down_to_one_id(server: Answering, client: Jellyfin) -> None:
    ids = [f"{one:032x}" for one in range(7)]
    asked = some_way(server, Reply(414), longest=200)

    assert list(client.items(ids)) == ids
    assert asked == [1] * 7


def test_one_id_that_does_not_get_through_is_told_and_teaches_nothing(
    server: Answering, client: Jellyfin
) -> None:
    ids = [f"{one:032x}" for one in range(100)]
    some_way(server, html_reply(403), longest=0)
    with pytest.raises(UnexpectedAnswer, match="any proxy before it"):
        client.items(ids)
    asked = some_way(server, Reply(414), longest=10_000)

    client.items(ids)

    assert asked == [100]


# A 403 without a word


def test_an_account_that_is_refused_everything_is_outside_its_hours(
    client: Jellyfin, server: Answering
) -> None:
    server.routes["GET /Users/Me"] = server.routes["GET /Sessions"] = Reply(403)

    for ask in (client.me, client.sessions):
        with pytest.raises(OutsideHours, match="outside its access hours"):
            ask()


def test_one_thing_refused_is_that_one_thing(client: Jellyfin, server: Answering) -> None:
    server.routes["GET /Sessions"] = Reply(403)

    with pytest.raises(NotAllowed):
        client.sessions()

    assert [one.path for one in server.requests] == ["/Sessions", "/Users/Me"]


def test_a_proxy_that_refuses_everybody_says_nothing_of_the_account(
    client: Jellyfin, server: Answering
) -> None:
    for path in ("/Users/Me", "/Sessions", "/System/Info/Public"):
        server.routes[f"GET {path}"] = Reply(403)

    with pytest.raises(UnexpectedAnswer):
        client.sessions()


# The header, the address


def test_every_request_carries_the_one_header_and_no_other_credential(
    client: Jellyfin, server: Answering
) -> None:
    client.me()

    (request,) = server.requests
    assert request.headers["Authorization"] == HEADER
    assert client.authorization_header() == {"Authorization": HEADER}
    assert not [name for name in request.headers if "Emby" in name or "Cookie" in name]
    assert TOKEN.get_secret_value() not in request.path + str(request.query)


def test_neither_netrc_nor_proxy_variables_have_a_say(
    server: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password x\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    client_of(server).me()

    assert server.requests[0].headers["Authorization"] == HEADER


@pytest.mark.parametrize("base", ["/jellyfin", "/jellyfin/", "//jellyfin//"])
def test_a_base_path_is_kept(server: Answering, base: str) -> None:
    server.routes["GET /jellyfin/Users/Me"] = reply("12.0", "me")

    assert client_of(server, base).me().name == "ann"


def test_the_address_of_a_file_is_the_download_and_holds_no_secret(
    client: Jellyfin, server: Answering
) -> None:
    assert client.download_url(TRACK) == f"{server.url}/Items/{TRACK}/Download"


# Answers that are not what they seem


@pytest.mark.parametrize(
    ("answer", "trouble", "words"),
    [
        (html_reply(200), UnexpectedAnswer, "a web page"),
        (
            Reply(302, b"", {"Location": "/jellyfin/web/"}),
            UnexpectedAnswer,
            "redirect to /jellyfin/web/",
        ),
        (json_reply({"Items": "x"}), UnexpectedAnswer, "not Jellyfin's"),
        (
            Reply(200, b"{", {"Content-Type": "application/json"}),
            UnexpectedAnswer,
            "not Jellyfin's",
        ),
        (
            Reply(500, b"Error processing request.", {"Content-Type": "text/plain"}),
            UnexpectedAnswer,
            "500",
        ),
        (
            Reply(200, b"zzz", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
            UnexpectedAnswer,
            "unreadable",
        ),
        (html_reply(502), ServerAway, "502"),
        (Reply(403), NotAllowed, "does not allow"),
    ],
)
def test_what_is_not_jellyfins_answer_is_not_believed(
    client: Jellyfin, server: Answering, answer: Reply, trouble: type[JellyfinError], words: str
) -> None:
    server.routes["GET /Items"] = answer

    with pytest.raises(trouble, match=words):
        client.items([TRACK])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, b"", {"WWW-Authenticate": "Basic"}),
        Reply(403, b"no", {"Content-Type": "text/plain"}),
        Reply(403),
        Reply(404, b"{}", {"Content-Type": "application/json"}),
    ],
)
def test_who_refuses_what_jellyfin_tells_everybody_is_not_jellyfin(
    client: Jellyfin, server: Answering, reply: Reply
) -> None:
    server.routes["GET /System/Info/Public"] = reply

    with pytest.raises(UnexpectedAnswer, match=f"status {reply.status}.*Check the address"):
        client.public_info()


def test_a_redirect_is_not_followed_with_our_token(client: Jellyfin, server: Answering) -> None:
    with answering() as elsewhere:
        server.routes["GET /Items"] = Reply(302, b"", {"Location": f"{elsewhere.url}/Items"})

        with pytest.raises(UnexpectedAnswer, match="redirect"):
            client.items([TRACK])

        assert elsewhere.requests == []


def test_nobody_there_is_a_server_that_is_away() -> None:
    with answering() as gone:
        pass

    with pytest.raises(ServerAway, match="does not answer"):
        client_of(gone).me()
    assert not client_of(gone).is_ready()


def test_an_answer_that_breaks_off_is_a_server_that_is_away(
    client: Jellyfin, server: Answering
) -> None:
    server.routes["GET /Sessions"] = Reply(
        200, b"[", {"Content-Type": "application/json", "Content-Length": "50"}
    )

    with pytest.raises(ServerAway):
        client.sessions()


# Starting


@pytest.mark.parametrize("version", VERSIONS)
def test_a_starting_server_is_away_in_every_phase_it_was_recorded_in(version: str) -> None:
    phases = [one for one in recording(version, "restart") if one.get("status")]
    for phase in phases:
        headers = {
            key: value
            for key, value in phase["headers"].items()
            if key in {"Content-Type", "Retry-After"}
        }
        answer = Reply(phase["status"], phase["body"].encode(), headers)
        ready = phase["body"] == "Healthy" or '"ServerName"' in phase["body"]
        with answering({f"GET {phase['path']}": answer}) as fake:
            assert client_of(fake, server_id=None).is_ready() is ready
            if phase["path"] == "/System/Info/Public" and not ready:
                with pytest.raises(ServerAway):
                    client_of(fake, server_id=None).public_info()


def test_a_refused_token_is_not_believed_while_the_server_starts(
    client: Jellyfin, server: Answering
) -> None:
    server.routes["GET /Users/Me"] = UNAUTHORISED
    server.routes["GET /Items"] = UNAUTHORISED
    server.routes["GET /System/Info/Public"] = html_reply(503)

    with pytest.raises(ServerAway):
        client.items([TRACK])


def test_the_servers_wish_to_wait_is_handed_on(client: Jellyfin, server: Answering) -> None:
    server.routes["GET /Users/Me"] = Reply(503, b"", {"Retry-After": "005"})

    with pytest.raises(ServerAway) as caught:
        client.me()

    assert caught.value.retry_after_s == 5.0


# 401


def test_a_401_is_a_sign_out_when_users_me_says_so_too(client: Jellyfin, server: Answering) -> None:
    server.routes["GET /Items"] = UNAUTHORISED
    server.routes["GET /Users/Me"] = UNAUTHORISED

    with pytest.raises(SignedOut):
        client.items([TRACK])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_401_for_one_library_is_no_sign_out(
    client: Jellyfin, server: Answering, version: str
) -> None:
    server.routes["GET /Items"] = reply(version, "foreign-library-as-kid")

    with pytest.raises(NotAllowed, match="does not let this account see"):
        client.expand(container(ItemType.ALBUM))

    assert len(server.asked("/Users/Me")) == 1


@pytest.mark.parametrize(
    "challenge",
    [html_reply(401), Reply(401, b"", {"WWW-Authenticate": 'Basic realm="nas"'})],
)
def test_a_proxy_that_wants_a_sign_in_does_not_sign_the_account_out(
    client: Jellyfin, server: Answering, challenge: Reply
) -> None:
    server.routes["GET /Items"] = challenge
    server.routes["GET /Users/Me"] = challenge

    with pytest.raises(UnexpectedAnswer):
        client.items([TRACK])


# Another server


def test_another_server_at_the_address_is_noticed_everywhere(
    client: Jellyfin, server: Answering
) -> None:
    server.routes["GET /Users/Me"] = reply("10.11", "me")
    server.routes["GET /System/Info/Public"] = reply("10.11", "public-info")
    server.routes["GET /Items"] = reply("10.11", "favourites")

    asks: list[Callable[[], object]] = [
        client.me,
        client.public_info,
        lambda: client.items([TRACK, *(f"{one:032x}" for one in range(20))]),
        lambda: client.favourites({ItemType.AUDIO}),
    ]
    for ask in asks:
        with pytest.raises(WrongServer, match="everything stops"):
            ask()


def test_a_token_refused_by_another_server_is_no_sign_out(
    client: Jellyfin, server: Answering
) -> None:
    server.routes["GET /Users/Me"] = UNAUTHORISED
    server.routes["GET /System/Info/Public"] = reply("10.11", "public-info")

    with pytest.raises(WrongServer):
        client.me()


# Items


def test_many_items_are_asked_for_a_hundred_at_a_time_and_once_each(
    client: Jellyfin, server: Answering
) -> None:
    def answer(request: Request) -> Reply:
        return page(*reversed(request.query["ids"].split(",")))

    server.routes["GET /Items"] = answer
    wanted = [f"{number:032x}" for number in range(250)]

    found = client.items([*wanted, *wanted[:7]])

    assert set(found) == set(wanted)
    assert all(found[one].title == one for one in wanted)
    queries = [request.query for request in server.asked("/Items")]
    assert [len(query["ids"].split(",")) for query in queries] == [100, 100, 50]
    assert all(query["userId"] == USER for query in queries)
    assert all("MediaSources" in query["fields"] for query in queries)


def test_asking_for_no_items_asks_nothing(client: Jellyfin, server: Answering) -> None:
    assert client.items([]) == {}
    assert server.requests == []


@pytest.mark.parametrize("version", VERSIONS)
def test_one_item_comes_with_its_size_and_validator(server: Answering, version: str) -> None:
    client = client_of(server, server_id=None)
    server.routes["GET /Items/399ff486acfe493e6d082af3c275330f"] = reply(version, "item")

    item = client.item("399ff486acfe493e6d082af3c275330f")

    assert (item.title, item.size) == ("Tone 1", 2959388)
    assert item.source_etag == "77ddc7c7e5ba474a897abfde0efbeb45"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_item_is_gone_only_if_jellyfin_itself_says_so(
    client: Jellyfin, server: Answering, version: str
) -> None:
    server.routes[f"GET /Items/{TRACK}"] = reply(version, "item-unknown")
    with pytest.raises(NotFound):
        client.item(TRACK)

    server.routes[f"GET /Items/{TRACK}"] = html_reply(404)
    with pytest.raises(UnexpectedAnswer):
        client.item(TRACK)


def test_favourites_come_whole_from_items_and_artists(client: Jellyfin, server: Answering) -> None:
    first = [f"{number:032x}" for number in range(450)]

    def answer(request: Request) -> Reply:
        start, limit = int(request.query["startIndex"]), int(request.query["limit"])
        return page(*first[start : start + limit], total=len(first))

    server.routes["GET /Items"] = answer
    server.routes["GET /Artists"] = page(f"{999:032x}")

    listing = client.favourites(ALL)

    assert listing.complete
    assert [one.id for one in listing.items] == [*first, f"{999:032x}"]
    query = server.asked("/Items")[0].query
    assert query["includeItemTypes"] == "Audio,MusicAlbum,Playlist"
    assert (query["isFavorite"], query["recursive"], query["userId"]) == ("true", "true", USER)
    assert "fields" not in query
    assert server.asked("/Artists")[0].query["isFavorite"] == "true"
    assert len(server.requests) == 4


def test_favourites_ask_only_for_what_is_wanted(client: Jellyfin, server: Answering) -> None:
    server.routes["GET /Artists"] = page()

    assert client.favourites({ItemType.ARTIST}).complete
    assert server.asked("/Items") == []


def test_a_short_list_of_favourites_is_flagged(client: Jellyfin, server: Answering) -> None:
    server.routes["GET /Items"] = page(TRACK, total=2)
    server.routes["GET /Artists"] = page()

    listing = client.favourites(ALL)

    assert not listing.complete
    assert [one.id for one in listing.items] == [TRACK]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ItemType.ALBUM, {"parentId": TRACK, "includeItemTypes": "Audio"}),
        (ItemType.ARTIST, {"albumArtistIds": TRACK, "includeItemTypes": "Audio"}),
        (ItemType.SERIES, {"parentId": TRACK, "includeItemTypes": "Episode"}),
        (ItemType.SEASON, {"parentId": TRACK, "includeItemTypes": "Episode"}),
    ],
)
def test_a_container_is_opened_without_asking_by_name(
    client: Jellyfin, server: Answering, kind: ItemType, expected: dict[str, str]
) -> None:
    server.routes["GET /Items"] = page("a" * 32, "b" * 32)

    listing = client.expand(container(kind))

    assert [one.id for one in listing.items] == ["a" * 32, "b" * 32]
    (request,) = server.requests
    assert request.query.items() >= expected.items()
    assert request.query["recursive"] == "true"
    assert request.query["excludeLocationTypes"] == "Virtual"
    assert "albumIds" not in request.query
    assert "fields" not in request.query


@pytest.mark.parametrize("version", VERSIONS)
def test_a_playlist_keeps_its_order(server: Answering, version: str) -> None:
    server.routes[f"GET /Playlists/{TRACK}/Items"] = reply(version, "playlist-items")

    listing = client_of(server, server_id=None).expand(container(ItemType.PLAYLIST))

    assert listing.complete
    assert [one.title for one in listing.items] == ["Tone 1", "Tone 2", "Side 1 part 1"]
    assert "sortBy" not in server.requests[0].query


def test_what_has_no_file_is_left_out_of_a_container(client: Jellyfin, server: Answering) -> None:
    items = [
        {"Id": "a" * 32, "Type": "Audio"},
        {"Id": "b" * 32, "Type": "Audio", "LocationType": "Virtual"},
        {"Id": "c" * 32, "Type": "Photo"},
    ]
    server.routes["GET /Items"] = json_reply({"Items": items, "TotalRecordCount": 3})

    listing = client.expand(container(ItemType.ALBUM))

    assert [one.id for one in listing.items] == ["a" * 32]
    assert listing.complete


def test_a_playable_item_is_its_own_content(client: Jellyfin, server: Answering) -> None:
    track = container(ItemType.AUDIO)

    assert client.expand(track).items == (track,)
    assert client.expand(container(ItemType.OTHER)).items == ()
    assert server.requests == []


# Hearts, sessions, covers, signing out


@pytest.mark.parametrize("version", VERSIONS)
def test_a_heart_is_set_and_the_servers_word_returned(
    client: Jellyfin, server: Answering, version: str
) -> None:
    server.routes[f"POST /UserFavoriteItems/{TRACK}"] = reply(version, "favourite-on")
    server.routes[f"DELETE /UserFavoriteItems/{TRACK}"] = reply(version, "favourite-off")

    assert client.set_favourite(TRACK, value=True)
    assert not client.set_favourite(TRACK, value=False)

    assert [one.method for one in server.requests] == ["POST", "DELETE"]
    assert all(one.query == {"userId": USER} for one in server.requests)


@pytest.mark.parametrize("version", VERSIONS)
def test_who_plays_what_is_told_without_ourselves(
    client: Jellyfin, server: Answering, version: str
) -> None:
    server.routes["GET /Sessions"] = reply(version, "sessions-playing-admin")

    (playing,) = client.sessions()

    assert playing.client == "Jellyfin Web"


def test_a_cover_is_fetched_in_a_small_size(client: Jellyfin, server: Answering) -> None:
    server.routes[f"GET /Items/{TRACK}/Images/Primary"] = Reply(
        200, PIXEL, {"Content-Type": "image/png"}
    )

    picture = client.image(TRACK, "tag1", max_width=120)

    assert (picture.body, picture.mime_type) == (PIXEL, "image/png")
    assert server.requests[0].query["maxWidth"] == "120"
    assert server.requests[0].query["tag"] == "tag1"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_missing_cover_is_not_found(client: Jellyfin, server: Answering, version: str) -> None:
    server.routes[f"GET /Items/{TRACK}/Images/Primary"] = reply(version, "image-missing")

    with pytest.raises(NotFound):
        client.image(TRACK, "tag1", max_width=120)


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "text/javascript", ""])
def test_a_cover_that_could_carry_a_script_is_refused(
    client: Jellyfin, server: Answering, kind: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    server.routes[f"GET /Items/{TRACK}/Images/Primary"] = Reply(200, b"<svg/>", headers)

    with pytest.raises(UnexpectedAnswer):
        client.image(TRACK, "tag1", max_width=120)


def test_signing_out_twice_is_signing_out(client: Jellyfin, server: Answering) -> None:
    server.routes["POST /Sessions/Logout"] = Reply(204)
    client.logout()

    server.routes["POST /Sessions/Logout"] = UNAUTHORISED
    server.routes["GET /Users/Me"] = UNAUTHORISED
    client.logout()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_tells_who_it_is(server: Answering, version: str) -> None:
    server.routes["GET /System/Info/Public"] = reply(version, "public-info")

    found = client_of(server, server_id=None).public_info()

    assert found.id == json.loads(reply(version, "public-info").body)["Id"]
    assert found.version.startswith(version)


def test_a_small_answer_that_unpacks_into_a_huge_one_is_cut(
    client: Jellyfin, server: Answering
) -> None:
    packed = gzip.compress(bytes(LARGEST_BODY_BYTES + 1))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    server.routes["GET /Items"] = Reply(200, packed, headers)

    with pytest.raises(UnexpectedAnswer, match="far too much"):
        client.items([TRACK])
