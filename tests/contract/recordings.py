"""What two real servers answered, and how to ask the demo server the same things.

The recordings name items, users and tokens of the servers that they were made of; `Stage` puts
the demo's own in their place. Lists are cut down to one entry of each shape.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from tests.fakes.libraries.tiny import write
from tests.patience import PATIENCE_S

Recorded = dict[str, Any]
DATA = Path(__file__).parent / "data"
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_FILES = {Version.V10_11: "exchanges-10.11.json", Version.V12_0: "exchanges-12.0.json"}
# The recordings keep no body of requests that are wrong on purpose.
_WRONG_BODIES = {
    "sign-in-form": b"Username=ann&Pw=password",
    "sign-in-malformed": b"{not json",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.headers]

    def json(self) -> Any:  # noqa: ANN401 - a server may answer any JSON
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def exchanges(speaks: Version) -> list[Recorded]:
    """Return the recorded exchanges of a version, in the order in which they are to be asked."""
    recorded: list[Recorded] = json.loads((DATA / _FILES[speaks]).read_text(encoding="utf-8"))
    return recorded


def recorded_library(folder: Path) -> tuple[Path, dict[str, str]]:
    """Make the library that was recorded, its files sparse, with their sizes and dates.

    Returns:
        The folder, and the place in the library of each id that the recordings use.
    """
    listed = json.loads((DATA / "library.json").read_text(encoding="utf-8"))
    files = listed.pop("files")
    places: dict[str, str] = listed.pop("ids")
    write(folder, listed, {path: one["size"] for path, one in files.items()})
    for path, one in files.items():
        modified = datetime.fromisoformat(one["modified"]).timestamp()
        os.utime(folder / path, (modified, modified))
    return folder, places


@dataclass
class Stage:
    """A demo server that stands in for the one that was recorded."""

    server: DemoServer
    places: dict[str, str]
    recorded_users: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    stand_ins: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Sign in everybody who was signed in, and learn what stands for what."""
        ids = {item.path: item.id for item in self.server.core.library}
        self.stand_ins = {recorded: ids[path] for recorded, path in self.places.items()}
        users = {user.name: user.id for user in self.server.core.users.by_id.values()}
        self.stand_ins |= {recorded: users[name] for name, recorded in self.recorded_users.items()}
        for device in ("sidecar-admin", "sidecar-ann", "sidecar-ben", "sidecar-kid", "out"):
            name = {"out": "ann"}.get(device, device.removeprefix("sidecar-"))
            answer = self.ask(
                "POST",
                "/Users/AuthenticateByName",
                {"Authorization": _header(device), "Content-Type": "application/json"},
                json.dumps({"Username": name, "Pw": name}).encode(),
            )
            recorded = f"token{device.removeprefix('sidecar-')}".ljust(32, "0")
            self.tokens[recorded] = answer.json()["AccessToken"]

    def replay(self, exchange: Recorded) -> Answer:
        """Ask what was asked then."""
        asked = exchange["request"]
        url, times = asked["url"], asked.get("repeated", 1)
        url += f"%2C{url.rpartition('=')[2]}" * (times - 1)
        body = _WRONG_BODIES.get(exchange["name"], b"")
        if asked["body"] is not None:
            body = (
                self.translated(json.dumps(asked["body"]))
                .replace('"Pw": "password"', '"Pw": "ann"')
                .encode()
            )
        headers = {name: self.translated(value) for name, value in asked["headers"].items()}
        answer = self.ask(asked["method"], self.translated(url), headers, body)
        self._learn(exchange, answer)
        return answer

    def translated(self, text: str) -> str:
        """Return a recorded text with the demo's ids, tokens and secrets."""
        for recorded, stand_in in self.tokens.items():
            text = text.replace(recorded, stand_in)
        for recorded, stand_in in self.secrets.items():
            text = text.replace(f"={recorded}", f"={stand_in}")
            text = text.replace(f'"{recorded}"', f'"{stand_in}"')
        return _ID.sub(lambda found: self._id(found[0]), text)

    def ask(self, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Ask the demo server anything, on a connection of its own."""
        address = urlsplit(self.server.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)
        try:
            connection.request(method, url, body or None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.reason, response.getheaders(), response.read())
        finally:
            connection.close()

    def _id(self, written: str) -> str:
        stand_in = self.stand_ins.get(written.replace("-", ""), written)
        if "-" not in written or "-" in stand_in:
            return stand_in
        ends = (8, 12, 16, 20, 32)
        return "-".join(stand_in[start:end] for start, end in zip((0, *ends), ends, strict=False))

    def _learn(self, exchange: Recorded, answer: Answer) -> None:
        if exchange["name"] == "playlist-create":
            self.stand_ins[exchange["response"]["json"]["Id"]] = answer.json()["Id"]
        if exchange["name"] == "quick-connect-initiate":
            recorded, given = exchange["response"]["json"], answer.json()
            self.secrets = {recorded[one]: given[one] for one in ("Secret", "Code")}


def _header(device_id: str) -> str:
    return (
        'MediaBrowser Client="Jellyfin%20Sidecar", Device="Sidecar",'
        f' DeviceId="{device_id}", Version="0.0.0"'
    )


def paths(value: object, at: str = "") -> set[str]:
    """Return the shape of a JSON value: each path in it with its type; ids as names are one."""
    if isinstance(value, dict):
        named = ((f"{at}.{_ID.sub('<id>', name)}", one) for name, one in value.items())
        return {path for name, one in named for path in (name, *paths(one, name))}
    if isinstance(value, list):
        return {path for one in value for path in paths(one, f"{at}[]")}
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return {f"{at}:{kind or type(value).__name__}"}
