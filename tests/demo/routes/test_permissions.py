"""What each of the demo's people may see and do."""

from __future__ import annotations

from sidecar.demo.protocol.version import Version
from tests.contract.client import Client
from tests.fakes.servers.demo import House, device_of


def names(client: Client, **query: str) -> list[str]:
    told = client.get("/Items", recursive="true", sortBy="SortName", **query)
    return [one["Name"] for one in told["Items"]]


def test_ben_may_not_download_but_may_fetch_the_file(house: House, speaks: Version) -> None:
    ben = device_of(house.server(speaks), "ben")
    song = ben.songs(fields="CanDownload")[0]

    refused = ben.ask("GET", f"/Items/{song['Id']}/Download")

    assert (refused.status_code, refused.content, song["CanDownload"]) == (403, b"", False)
    assert ben.ask("GET", f"/Items/{song['Id']}/File").status_code == 200


def test_kid_sees_only_films(house: House, speaks: Version) -> None:
    server = house.server(speaks)
    kid, song = device_of(server, "kid"), device_of(server, "ann").songs()[0]["Id"]

    assert [one["Name"] for one in kid.get("/UserViews")["Items"]] == ["Movies"]
    assert kid.songs() == []
    assert names(kid, includeItemTypes="Movie") == ["Colour Bars", "Test Pattern"]
    assert kid.ask("GET", f"/Items/{song}").status_code == 404
    assert kid.ask("GET", f"/Items/{song}/Download").status_code == 404


def test_a_library_that_kid_may_not_see_is_401_with_a_sentence(house: House) -> None:
    server = house.server()
    music = server.core.library.libraries["Music"]

    refused = device_of(server, "kid").ask("GET", f"/Items?parentId={music}")

    assert refused.status_code == 401
    assert refused.json() == "kid is not permitted to access Library Music."


def test_what_is_forbidden_makes_short_pages_before_version_12(
    house: House, speaks: Version
) -> None:
    server = house.server(speaks)
    admin, kid = device_of(server, "admin"), device_of(server, "kid")
    policy = admin.get(f"/Users/{kid.user_id}")["Policy"] | {"BlockedTags": ["violent"]}
    admin.post(f"/Users/{kid.user_id}/Policy", policy)

    told = kid.get("/Items", recursive="true", includeItemTypes="Movie")

    assert [one["Name"] for one in told["Items"]] == ["Colour Bars"]
    assert told["TotalRecordCount"] == (2 if (speaks is Version.V10_11) else 1)


def test_only_administrators_see_the_log_and_scan(house: House) -> None:
    server = house.server()
    ann = device_of(server, "ann")

    for method, path in (("GET", "/System/ActivityLog/Entries"), ("POST", "/Library/Refresh")):
        assert ann.ask(method, path).status_code == 403


def test_nobody_asks_for_somebody_else_but_an_administrator(house: House) -> None:
    server = house.server()
    ann, ben, admin = (device_of(server, one) for one in ("ann", "ben", "admin"))
    query = {"userId": ben.user_id, "recursive": "true", "includeItemTypes": "Audio"}

    refused = ann.ask("GET", "/Items", query=query)

    assert (refused.status_code, refused.text) == (403, "Error processing request.")
    assert admin.ask("GET", "/Items", query=query).status_code == 200


def test_a_right_that_is_taken_counts_at_once_and_is_not_announced(house: House) -> None:
    server = house.server()
    admin, ann = device_of(server, "admin"), device_of(server, "ann")
    song = ann.songs()[0]["Id"]
    policy = admin.get(f"/Users/{ann.user_id}")["Policy"] | {"EnableContentDownloading": False}

    with ann.socket() as socket:
        admin.post(f"/Users/{ann.user_id}/Policy", policy)
        socket.say("KeepAlive")
        socket.next("KeepAlive")

        assert [one["MessageType"] for one in socket.heard] == ["ForceKeepAlive", "KeepAlive"]
    assert ann.ask("GET", f"/Items/{song}/Download").status_code == 403


def test_a_disabled_user_is_signed_out(house: House) -> None:
    server = house.server()
    admin, ann = device_of(server, "admin"), device_of(server, "ann")
    policy = admin.get(f"/Users/{ann.user_id}")["Policy"] | {"IsDisabled": True}

    admin.post(f"/Users/{ann.user_id}/Policy", policy)

    assert ann.ask("GET", "/Users/Me").status_code == 401
    assert ann.sign_in("ann", "ann").status_code == 403


def test_people_see_their_own_sessions_and_an_administrator_all(house: House) -> None:
    server = house.server()
    admin, ann, ben = (device_of(server, one) for one in ("admin", "ann", "ben"))

    assert {one["UserName"] for one in ann.get("/Sessions")} == {"ann"}
    assert {one["UserName"] for one in admin.get("/Sessions")} == {"admin", "ann", "ben"}
    assert ben.session()["UserId"] == ben.user_id


def test_a_playlist_of_somebody_else_can_be_read_and_not_changed(house: House) -> None:
    server = house.server()
    ann, ben = device_of(server, "ann"), device_of(server, "ben")
    [made] = ann.get("/Items", recursive="true", includeItemTypes="Playlist")["Items"]

    assert ben.ask("GET", f"/Playlists/{made['Id']}/Items").status_code == 200
    assert ben.ask("POST", f"/Playlists/{made['Id']}/Items?ids=").status_code == 403
    assert ben.ask("DELETE", f"/Items/{made['Id']}").status_code == 401


def test_a_private_playlist_is_nobody_elses(house: House) -> None:
    server = house.server()
    ann, ben = device_of(server, "ann"), device_of(server, "ben")
    made = ann.post("/Playlists", {"Name": "Secret", "Ids": [], "IsPublic": False})["Id"]

    assert ben.ask("GET", f"/Playlists/{made}/Items").status_code == 404
    assert ann.ask("GET", f"/Playlists/{made}/Items").status_code == 200
