"""The robot's Jellyfin client: sign-in, browsing, playback reports, favourites.

Only the public HTTP API, and nothing that waits: when to say what is `sidecar.demo.robot.robot`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import requests

TICKS_A_SECOND = 10_000_000
_SPEAKS = {"Client": "Demo player", "Device": "Kitchen radio", "Version": "1.0"}


class PlayerError(Exception):
    """The server did not give the player what it asked for."""


class ServerUnavailable(PlayerError):
    """The server does not answer as it should: try again later.

    Attributes:
        retry_after_s: Seconds the server asked us to wait, or None.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PlayerTokenRefused(PlayerError):
    """The server no longer takes the player's token: sign in again."""


class PlayerSignInRefused(PlayerError):
    """The server refuses this user for good."""


class Report(StrEnum):
    """The three kinds of playback reports; the value is the last part of the URL."""

    STARTED = "/Sessions/Playing"
    PROGRESS = "/Sessions/Playing/Progress"
    STOPPED = "/Sessions/Playing/Stopped"


@dataclass(frozen=True, slots=True)
class ListedItem:
    """An album or a track as the server lists it.

    Attributes:
        seconds: Its length; 0 if the server does not say.
    """

    id: str
    name: str
    seconds: float
    has_heart: bool


class Player:
    """One user's player. Not for more than one thread."""

    def __init__(self, url: str, *, user: str, password: str, timeout_s: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._user, self._password, self._timeout_s = user, password, timeout_s
        self._token: str | None = None
        self._user_id = ""
        self._http = requests.Session()
        # A ~/.netrc would replace our Authorization header.
        self._http.trust_env = False

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a token that the server has not refused."""
        return self._token is not None

    def close(self) -> None:
        """Close the connections. The server keeps the token for the next time."""
        self._http.close()

    def sign_in(self) -> None:
        """Get a token with the password.

        Raises:
            PlayerSignInRefused: The name, the password or the account is refused.
            ServerUnavailable: The server does not answer as it should.
        """
        credentials = {"Username": self._user, "Pw": self._password}
        response = self._send("POST", "/Users/AuthenticateByName", body=credentials)
        if response.status_code in {401, 403}:
            raise PlayerSignInRefused(f"{self._url} does not let {self._user} in")
        answer = _read_json(_check_status(response))
        try:
            self._token, self._user_id = str(answer["AccessToken"]), str(answer["User"]["Id"])
        except (LookupError, TypeError) as error:
            raise ServerUnavailable("the answer to the sign-in has no token in it") from error

    def albums(self) -> list[ListedItem]:
        """Return all albums that the user may see, by name."""
        return self._list(includeItemTypes="MusicAlbum", sortBy="SortName")

    def tracks(self, album_id: str) -> list[ListedItem]:
        """Return an album's tracks in playing order."""
        order = "ParentIndexNumber,IndexNumber,SortName"
        return self._list(parentId=album_id, includeItemTypes="Audio", sortBy=order)

    def report(self, kind: Report, body: Mapping[str, Any]) -> None:
        """Send a report about a playback."""
        self._ask("POST", kind.value, body=body)

    def set_heart(self, item_id: str, *, is_on: bool) -> None:
        """Set or clear an item's favourite mark."""
        method = "POST" if is_on else "DELETE"
        self._ask(method, f"/UserFavoriteItems/{item_id}", query={"userId": self._user_id})

    def _list(self, **query: str) -> list[ListedItem]:
        wanted = {"userId": self._user_id, "recursive": "true", **query}
        answer = _read_json(self._ask("GET", "/Items", query=wanted))
        try:
            return [_to_listed_item(item) for item in answer["Items"]]
        except (LookupError, TypeError, ValueError) as error:
            raise ServerUnavailable("the server's list is not one that Jellyfin gives") from error

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        response = self._send(method, path, query=query, body=body)
        if response.status_code == requests.codes.unauthorized:
            self._token = None
            raise PlayerTokenRefused(f"{self._url} refuses the token of {self._user}")
        return _check_status(response)

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        try:
            return self._http.request(
                method,
                f"{self._url}{path}",
                params=query,
                json=body,
                headers={"Authorization": self._authorization()},
                timeout=self._timeout_s,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ServerUnavailable(f"{self._url} does not answer") from error

    def _authorization(self) -> str:
        words = {**_SPEAKS, "DeviceId": f"demo-robot-{self._user}"}
        if self._token is not None:
            words["Token"] = self._token
        said = ", ".join(f'{key}="{quote(value, safe="")}"' for key, value in words.items())
        return f"MediaBrowser {said}"


def _check_status(response: requests.Response) -> requests.Response:
    if response.status_code in {requests.codes.ok, requests.codes.no_content}:
        return response
    wait = response.headers.get("Retry-After", "")
    raise ServerUnavailable(
        f"the server answered {response.status_code}",
        retry_after_s=float(wait) if wait.isdecimal() else None,
    )


def _read_json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise ServerUnavailable("the server's answer is not JSON") from error
    if not isinstance(answer, dict):
        raise ServerUnavailable("the server's answer is not an object")
    return answer


def _to_listed_item(item: Mapping[str, Any]) -> ListedItem:
    return ListedItem(
        id=str(item["Id"]),
        name=str(item.get("Name", "")),
        seconds=int(item.get("RunTimeTicks") or 0) / TICKS_A_SECOND,
        has_heart=bool((item.get("UserData") or {}).get("IsFavorite", False)),
    )
