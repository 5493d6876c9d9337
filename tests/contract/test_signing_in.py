"""What Jellyfin does with sign-ins, tokens and devices."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from sidecar.demo.protocol.version import Version
from tests.contract.client import Client, Site
from tests.patience import PATIENCE_S

SIGN_IN = "/Users/AuthenticateByName"


def test_a_token_is_good_with_nothing_beside_it(ann: Client) -> None:
    alone = {"Authorization": f'MediaBrowser Token="{ann.token}"'}

    assert ann.ask("GET", "/Users/Me", headers=alone).json()["Id"] == ann.user_id


def test_the_names_in_the_header_are_case_sensitive(ann: Client) -> None:
    lower = {"Authorization": f'MediaBrowser token="{ann.token}"'}

    assert ann.ask("GET", "/Users/Me", headers=lower).status_code == 401


def test_the_scheme_is_in_any_case(ann: Client) -> None:
    shouted = {"Authorization": f"MEDIABROWSER Token={ann.token}"}

    assert ann.ask("GET", "/Users/Me", headers=shouted).status_code == 200


def test_a_plus_in_the_header_is_a_space(site: Site) -> None:
    guest = site.guest("contract-plus")
    header = {"Authorization": guest.header().replace("A%20device", "A+device")}
    body = {"Username": site.user[0], "Pw": site.user[1]}

    told = guest.ask("POST", SIGN_IN, body=body, headers=header).json()

    assert told["SessionInfo"]["DeviceName"] == "A device"


def test_the_key_in_the_address_is_good_in_every_version(site: Site, ann: Client) -> None:
    guest = site.guest("contract-key")

    assert guest.ask("GET", "/Users/Me", query={"ApiKey": ann.token}).status_code == 200


@pytest.mark.parametrize("name", ["X-Emby-Token", "X-MediaBrowser-Token"])
def test_older_headers_count_only_before_version_12(site: Site, ann: Client, name: str) -> None:
    sent = {"Authorization": "", name: ann.token}
    expected = 200 if (site.speaks is Version.V10_11) else 401

    assert ann.ask("GET", "/Users/Me", headers=sent).status_code == expected


def test_a_wrong_password_is_401_with_a_text(site: Site) -> None:
    answer = site.guest("contract-wrong").sign_in(site.user[0], "wrong")

    assert (answer.status_code, answer.text) == (401, "Error processing request.")


def test_a_sign_in_without_a_device_is_400(site: Site) -> None:
    guest = site.guest("contract-none")
    body = {"Username": site.user[0], "Pw": site.user[1]}
    header = {"Authorization": 'MediaBrowser Client="x"'}

    assert guest.ask("POST", SIGN_IN, body=body, headers=header).status_code == 400


def test_the_names_in_a_sign_in_are_in_any_case(site: Site) -> None:
    guest = site.guest("contract-case")
    body = {"username": site.user[0], "PW": site.user[1]}

    assert guest.ask("POST", SIGN_IN, body=body).status_code == 200


def test_a_second_sign_in_of_a_device_ends_the_first(site: Site) -> None:
    first = site.signed_in("contract-twice")
    second = site.signed_in("contract-twice")

    assert first.ask("GET", "/Users/Me").status_code == 401
    assert second.ask("GET", "/Users/Me").status_code == 200


def test_a_token_is_good_whatever_device_the_header_names(ann: Client) -> None:
    elsewhere = {"Authorization": ann.header(DeviceId="contract-elsewhere")}

    assert ann.ask("GET", "/Users/Me", headers=elsewhere).status_code == 200


def test_after_signing_out_the_answer_is_401_with_nothing_in_it(site: Site) -> None:
    client = site.signed_in("contract-out")

    assert client.ask("POST", "/Sessions/Logout").status_code == 204

    answer = client.ask("GET", "/Users/Me")
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["Content-Length"] == "0"


def test_a_bad_token_on_the_socket_is_403(site: Site) -> None:
    client = site.guest("contract-bad")
    client.token = "0" * 32
    address = site.url.replace("http", "ws", 1) + "/socket"

    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            address,
            additional_headers={"Authorization": client.header()},
            open_timeout=PATIENCE_S,
        ),
    ):
        pass

    assert refused.value.response.status_code == 403


def test_a_deleted_device_is_signed_out_and_its_socket_closes(site: Site, admin: Client) -> None:
    client = site.signed_in("contract-deleted")
    with client.socket() as socket:
        assert admin.ask("DELETE", "/Devices", query={"id": client.device_id}).status_code == 204

        with pytest.raises(ConnectionClosed):
            socket.until_closed()

    assert client.ask("GET", "/Users/Me").status_code == 401


def test_quick_connect_signs_in_without_a_password(site: Site, ann: Client) -> None:
    guest = site.guest("contract-quick")
    if guest.get("/QuickConnect/Enabled") is not True:
        pytest.skip("this server has no Quick Connect")

    begun = guest.post("/QuickConnect/Initiate")
    waiting = guest.get("/QuickConnect/Connect", secret=begun["Secret"])
    assert ann.post("/QuickConnect/Authorize", code=begun["Code"]) is True
    approved = guest.get("/QuickConnect/Connect", secret=begun["Secret"])
    told = guest.post("/Users/AuthenticateWithQuickConnect", {"Secret": begun["Secret"]})

    assert (waiting["Authenticated"], approved["Authenticated"]) == (False, True)
    assert len(begun["Code"]) == 6
    assert told["User"]["Id"] == ann.user_id
    guest.token = told["AccessToken"]
    assert guest.ask("GET", "/Users/Me").status_code == 200


def test_an_unknown_quick_connect_secret_is_404(site: Site) -> None:
    guest = site.guest("contract-unknown")

    assert guest.ask("GET", "/QuickConnect/Connect?secret=00").status_code == 404


def test_quick_connect_begins_with_get_only_before_version_12(site: Site) -> None:
    expected = 200 if (site.speaks is Version.V10_11) else 405

    answer = site.guest("contract-get").ask("GET", "/QuickConnect/Initiate")

    assert answer.status_code == expected


def test_users_see_everybody_with_their_rights(ann: Client) -> None:
    assert all("EnableContentDownloading" in one["Policy"] for one in ann.get("/Users"))
