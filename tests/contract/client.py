"""A plain client of any Jellyfin server, which judges nothing: answers come back as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import quote

import requests
from websockets.sync.client import ClientConnection, connect

from sidecar.demo.protocol.version import Version
from tests.patience import PATIENCE_S

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """A server to be asked, and who may ask it.

    Attributes:
        admin: Name and password of an administrator; None if nobody gave one.
        library_changed_s: How late the server tells of changes of the library.
    """

    url: str
    speaks: Version
    user: tuple[str, str]
    admin: tuple[str, str] | None
    library_changed_s: float

    def guest(self, device_id: str, *, client: str = "Contract") -> Client:
        """Return a client that is not signed in."""
        return Client(self.url, device_id, client)

    def signed_in(self, device_id: str, *, client: str = "Contract") -> Client:
        """Return a client of the ordinary user."""
        guest = self.guest(device_id, client=client)
        guest.sign_in(*self.user)
        return guest


class Socket:
    """A live connection that keeps everything it heard."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.heard: list[Message] = []

    def say(self, kind: str, content: object = None) -> None:
        message = {"MessageType": kind} | ({} if content is None else {"Data": content})
        self._connection.send(json.dumps(message))

    def next(
        self,
        kind: str,
        *,
        within_s: float = PATIENCE_S,
        where: Callable[[Any], bool] = lambda _: True,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Return the content of the next message of a kind; others are kept and passed over.

        Args:
            kind: The `MessageType`.
            within_s: The longest wait, whatever comes meanwhile.
            where: What must hold of the content.

        Raises:
            TimeoutError: None came.
        """
        until = monotonic() + within_s
        while True:
            message = json.loads(self._connection.recv(timeout=max(0.0, until - monotonic())))
            self.heard.append(message)
            if message["MessageType"] == kind and where(message.get("Data")):
                return message.get("Data")

    def until_closed(self) -> None:
        """Listen until the server closes.

        Raises:
            ConnectionClosed: It closed, as was expected.
            TimeoutError: It did not.
        """
        until = monotonic() + PATIENCE_S
        while True:
            self.heard.append(
                json.loads(self._connection.recv(timeout=max(0.0, until - monotonic())))
            )


class Client:
    """One device of one person."""

    def __init__(self, url: str, device_id: str, client: str) -> None:
        self.url = url
        self.device_id = device_id
        self.client = client
        self.token = ""
        self.user_id = ""

    def header(self, **more: str) -> str:
        parts = {
            "Client": self.client,
            "Device": "A device",
            "DeviceId": self.device_id,
            "Version": "1",
            **({"Token": self.token} if self.token else {}),
            **more,
        }
        return "MediaBrowser " + ", ".join(
            f'{name}="{quote(value, safe="")}"' for name, value in parts.items()
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Message | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        sent = {"Authorization": self.header(), "Accept-Encoding": "identity"} | (headers or {})
        return requests.request(
            method,
            self.url + path,
            json=body,
            params=query,
            headers=sent,
            allow_redirects=False,
            timeout=PATIENCE_S,
        )

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - any JSON
        response = self.ask("GET", path, query=query)
        response.raise_for_status()
        return response.json()

    def post(self, path: str, body: Message | None = None, **query: str) -> Any:  # noqa: ANN401 - any JSON
        response = self.ask("POST", path, body=body, query=query)
        response.raise_for_status()
        return response.json() if response.content else None

    def delete(self, path: str, **query: str) -> None:
        self.ask("DELETE", path, query=query).raise_for_status()

    def sign_in(self, name: str, password: str) -> requests.Response:
        self.token = ""
        response = self.ask(
            "POST", "/Users/AuthenticateByName", body={"Username": name, "Pw": password}
        )
        if response.ok:
            self.token = response.json()["AccessToken"]
            self.user_id = response.json()["User"]["Id"]
        return response

    def songs(self, **query: str) -> list[Message]:
        """Return some tracks of the library."""
        asked = {"recursive": "true", "includeItemTypes": "Audio", "limit": "20"} | query
        items: list[Message] = self.get("/Items", **asked)["Items"]
        return items

    def songs_without_heart(self) -> list[Message]:
        """List the tracks that are no favourites.

        Not by `isFavorite=false`: 10.11 lists only those that have user data already.
        """
        every = self.songs(sortBy="SortName")
        return [one for one in every if not one.get("UserData", {}).get("IsFavorite")]

    def is_favourite(self, item_id: str) -> bool:
        return bool(self.get(f"/Items/{item_id}")["UserData"]["IsFavorite"])

    def report(self, kind: str, item_id: str, **more: object) -> None:
        """Report a playback: `kind` is empty, `/Progress` or `/Stopped`."""
        body = {"ItemId": item_id, "PositionTicks": 0, "CanSeek": True} | more
        self.post(f"/Sessions/Playing{kind}", body)

    def session(self) -> Message:
        """Return this device's own session."""
        found: list[Message] = self.get("/Sessions", deviceId=self.device_id)
        return next(one for one in found if one["Client"] == self.client)

    @contextmanager
    def socket(self) -> Iterator[Socket]:
        """Open the live connection, past its greeting."""
        address = self.url.replace("http", "ws", 1) + "/socket"
        headers = {"Authorization": self.header()}
        with connect(
            address, additional_headers=headers, open_timeout=PATIENCE_S, ping_interval=None
        ) as connection:
            socket = Socket(connection)
            socket.next("ForceKeepAlive")
            yield socket
