"""A server that a robot listener can listen to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.patience import PATIENCE_S

TICKS = 10_000_000


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    body: dict[str, Any]
    authorization: str


@dataclass
class ListenedTo:
    """Jellyfin as a player sees it: sign-in, albums, tracks, reports, hearts.

    Unlike the real one it judges nothing it is told, plays nothing, keeps no sessions, takes any
    `includeItemTypes` but `MusicAlbum` for tracks, and forgets no heart.
    """

    albums: dict[str, list[float]]
    password: str = "pw"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    hearts: set[str] = field(default_factory=set)
    token: str = "token-1"
    trouble: tuple[int, dict[str, str], bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs, each time at the same port."""

        class Answers(_Answers):
            fake = self

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Answers)
        self.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.01,), name="listened-to")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(PATIENCE_S)

    def reports(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was reported, as the last word of the address and the body."""
        return [
            (request.path.rpartition("/")[2], request.body)
            for request in self.requests
            if request.path.startswith("/Sessions/Playing")
        ]

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/Users/AuthenticateByName":
            if request.body.get("Pw") != self.password:
                return 401, None
            return 200, {"AccessToken": self.token, "User": {"Id": "user-ann"}}
        if f'Token="{self.token}"' not in request.authorization:
            return 401, None
        if request.path.startswith("/UserFavoriteItems/"):
            item = request.path.rpartition("/")[2]
            (self.hearts.add if request.method == "POST" else self.hearts.discard)(item)
            return 200, {"IsFavorite": item in self.hearts}
        if request.path == "/Items":
            return 200, {"Items": self._items(request.query)}
        return 204, None

    def _items(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        if query["includeItemTypes"] == ["MusicAlbum"]:
            return [self._item(album, sum(self.albums[album])) for album in self.albums]
        (album,) = query["parentId"]
        return [self._item(f"{album}-{n}", s) for n, s in enumerate(self.albums[album], start=1)]

    def _item(self, name: str, seconds: float) -> dict[str, Any]:
        heart = {"IsFavorite": name in self.hearts}
        return {"Id": name, "Name": name, "RunTimeTicks": int(seconds * TICKS), "UserData": heart}


class _Answers(BaseHTTPRequestHandler):
    fake: ListenedTo

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        said = self.headers.get("Authorization", "")
        query = parse_qs(address.query)
        request = Request(self.command, address.path, query, body, said)
        self.fake.requests.append(request)
        if self.fake.trouble is not None:
            self._send(*self.fake.trouble)
            return
        status, answer = self.fake.answer(request)
        self._send(status, {}, b"" if answer is None else json.dumps(answer).encode())

    do_POST = do_GET  # noqa: N815 -- the name that http.server looks for
    do_DELETE = do_GET  # noqa: N815 -- the same

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
        """Say nothing: the tests look at `requests`."""
