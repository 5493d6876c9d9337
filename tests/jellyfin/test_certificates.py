from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.identity import DeviceIdentity
from sidecar.jellyfin.live.websocket import open_connection
from tests.fakes.certificates import own_certificate
from tests.fakes.live import LiveServer, live_server
from tests.jellyfin.recorded import reply


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[LiveServer, Path]]:
    ca_file, context = own_certificate(tmp_path)
    with live_server(tls=context) as server:
        server.answers["/Users/Me"] = reply("12.0", "me")
        yield server, ca_file


def client_of(server: LiveServer, ca_file: Path | None) -> Jellyfin:
    identity = DeviceIdentity(device_id="sc-1", version="1")
    return Jellyfin(server.url, identity=identity, token=SecretStr("t"), ca_file=ca_file)


def test_a_named_authority_is_trusted_by_both_ways(secure: tuple[LiveServer, Path]) -> None:
    server, ca_file = secure
    client = client_of(server, ca_file)

    assert client.me().name == "ann"
    line = open_connection(client.connection)
    assert line.receive(5) is not None
    line.close()


def test_an_unknown_authority_is_refused_before_the_token_is_sent(
    secure: tuple[LiveServer, Path],
) -> None:
    server, _ = secure
    client = client_of(server, None)

    with pytest.raises(UnexpectedAnswer, match="no trusted secure connection"):
        client.me()
    with pytest.raises(UnexpectedAnswer, match="no trusted secure connection"):
        open_connection(client.connection)

    assert server.openings == []
