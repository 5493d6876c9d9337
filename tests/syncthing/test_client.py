from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from sidecar.errors import SyncthingError
from sidecar.syncthing.client import Syncthing
from sidecar.syncthing.connection import SyncthingConnection
from tests.fakes.servers.certificates import own_certificate
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import FOLDER, OneSyncthing, free_port

pytestmark = pytest.mark.slow

Both = tuple[OneSyncthing, OneSyncthing]


def asking(one: OneSyncthing, *, key: str | None = None, certificate: Path | None) -> Syncthing:
    secret = SecretStr(one.key if key is None else key)
    return Syncthing(SyncthingConnection(one.url, key=lambda: secret, certificate=certificate))


@pytest.fixture
def client(syncthings: Both) -> Iterator[Syncthing]:
    home, phone = syncthings
    asked = asking(home, certificate=home.certificate)
    yield asked
    asked.close()
    phone.pause(on=False)


def test_it_knows_what_is_shared_with_whom(client: Syncthing, syncthings: Both) -> None:
    home, phone = syncthings

    (folder,) = client.folders()
    other = client.devices()[phone.id]

    assert (folder.id, folder.label, folder.path) == (FOLDER, "Music", home.folder)
    assert folder.shared_with == (phone.id,)
    assert (other.name, other.is_connected, other.is_paused) == ("Ann's phone", True, False)
    assert other.last_seen is not None


def test_it_knows_what_another_device_has_and_what_it_lacks(
    client: Syncthing, syncthings: Both
) -> None:
    home, phone = syncthings
    album = home.folder / "Lacking" / "Björk" / "Début"
    album.mkdir(parents=True)
    (album / "one #1?.flac").write_bytes(b"1" * 5000)
    phone.pause()
    home.scan()

    below, path = "Lacking/Björk/Début", "Lacking/Björk/Début/one #1?.flac"
    wait_until(lambda: path in client.needed(FOLDER, phone.id), what="the need")
    assert client.sizes(FOLDER, below) == {"one #1?.flac": 5000}
    assert client.sizes(FOLDER, "Lacking") == client.sizes(FOLDER, "nowhere") == {}
    # What `completion` says of a folder that is being paused is not relied on: now and then
    # Syncthing calls it complete.

    before = client.wait_for_event(0, wait_s=1)
    phone.pause(on=False)

    wait_until(lambda: not client.needed(FOLDER, phone.id), what="its arrival")
    wait_until(
        lambda: client.completion(FOLDER, phone.id).percent == 100, what="the word of its arrival"
    )
    assert (phone.folder / path).read_bytes() == b"1" * 5000
    assert client.wait_for_event(before, wait_s=1) > before


def test_a_folder_that_is_not_there_is_said_to_be_so(client: Syncthing, syncthings: Both) -> None:
    with pytest.raises(SyncthingError) as told:
        client.completion("holidays", syncthings[1].id)

    assert told.value.code == "unknown-folder"


def test_a_wrong_key_is_said_to_be_wrong_and_is_not_logged(
    syncthings: Both, caplog: pytest.LogCaptureFixture
) -> None:
    home, _ = syncthings
    client = asking(home, key="not-the-key", certificate=home.certificate)
    with caplog.at_level(logging.DEBUG), pytest.raises(SyncthingError) as told:
        client.folders()
    client.close()

    assert told.value.code == "wrong-key"
    assert "syncthing.api_key" in str(told.value)
    assert "not-the-key" not in str(told.value) + caplog.text


def test_a_certificate_that_nobody_vouches_for_is_refused(syncthings: Both) -> None:
    client = asking(syncthings[0], certificate=None)
    with pytest.raises(SyncthingError) as told:
        client.folders()
    client.close()

    assert told.value.code == "untrusted"
    assert "https-cert.pem" in str(told.value)


def test_another_certificate_than_the_one_that_is_named_is_refused(
    syncthings: Both, tmp_path: Path
) -> None:
    other, _ = own_certificate(tmp_path)
    client = asking(syncthings[0], certificate=other)
    with pytest.raises(SyncthingError) as told:
        client.folders()
    client.close()

    assert told.value.code == "untrusted"
    assert str(other) in str(told.value)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_certificate_that_is_none_is_said_to_be_so(
    syncthings: Both, tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "cert.pem"
    if text:
        file.write_text(text)

    with pytest.raises(SyncthingError, match="cannot be read as one"):
        asking(syncthings[0], certificate=file).folders()


def test_one_that_answers_plainly_as_it_was_busy_is_asked_again(tmp_path: Path) -> None:
    certificate, context = own_certificate(tmp_path)
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        late, _ = listener.accept()
        with late:
            heard.append(late.recv(4096))
            late.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        soon, _ = listener.accept()
        with context.wrap_socket(soon, server_side=True) as secure:
            heard.append(secure.recv(65536))
            secure.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        key = SecretStr("alpaca-canary")
        asked = SyncthingConnection(url, key=lambda: key, certificate=certificate)
        assert asked.get("system/ping") == {}
        asked.close()
        thread.join()
    assert [b"alpaca" in one for one in heard] == [False, True]


def test_nobody_at_the_address_is_said_to_be_nobody() -> None:
    client = Syncthing(
        SyncthingConnection(f"http://127.0.0.1:{free_port()}", key=lambda: SecretStr("x"))
    )
    with pytest.raises(SyncthingError) as told:
        client.folders()
    client.close()

    assert told.value.code == "away"


def test_something_else_at_the_address_is_not_taken_for_syncthing(syncthings: Both) -> None:
    _, phone = syncthings
    url = f"{phone.url}/nowhere"
    client = Syncthing(SyncthingConnection(url, key=lambda: SecretStr(phone.key)))
    with pytest.raises(SyncthingError) as told:
        client.folders()
    client.close()

    assert told.value.code == "odd"
