"""Answers that no honest server gives, for the fault matrix."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from tests.fakes.servers.fault_server import Asked, Behaviour, FaultServer, honest

SHORT_S = 0.1
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


def raw(answer: bytes) -> Behaviour:
    """Send exactly these bytes and close."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        connection.sendall(answer)

    return behave


def instead(**headers: object) -> Behaviour:
    """Be honest, but say these headers otherwise; None leaves one out, `_` stands for `-`."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        status, body, honestly = _honestly(server, asked)
        connection.sendall(server.head(status, {**honestly, **told}) + body)

    return behave


def from_byte(first: int) -> Behaviour:
    """Send a correct part of the file, but not the one that was asked for."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        honest(server, Asked({**asked.headers, "range": f"bytes={first}-"}, first), connection)

    return behave


def whole_file(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
    """Ignore what range was asked for."""
    honest(server, Asked({}, None), connection)


def chunked(*, last: bytes, count: int) -> Behaviour:
    """Send so many bytes in chunks, and end with `last`."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        status, body, headers = _honestly(server, asked)
        told = {**headers, "Content-Length": None, "Transfer-Encoding": "chunked"}
        piece = body[:count]
        chunk = b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""
        connection.sendall(server.head(status, told) + chunk + last)

    return behave


def and_more(extra: bytes) -> Behaviour:
    """Be honest, then go on sending."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        honest(server, asked, connection)
        connection.sendall(extra)

    return behave


def _honestly(server: FaultServer, asked: Asked) -> tuple[int, bytes, Mapping[str, object]]:
    total = len(server.body)
    if asked.start is None:
        return 200, server.body, server.file_headers(total)
    body = server.body[asked.start :]
    there = f"bytes {asked.start}-{total - 1}/{total}"
    return 206, body, {**server.file_headers(len(body)), "Content-Range": there}


def replaced_on_the_way(other: bytes, modified: str) -> Behaviour:
    """Send half of the file; then it is overwritten in its place, and the rest is the other one."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        start, total = asked.start or 0, len(server.body)
        half = start + (total - start) // 2
        there = {
            **server.file_headers(total - start),
            "Content-Range": f"bytes {start}-{total - 1}/{total}" if asked.start else None,
        }
        head = server.head(206 if asked.start else 200, there)
        connection.sendall(head + server.body[start:half])
        server.body, server.modified = other, modified
        server.wait(SHORT_S)
        connection.sendall(other[half:total])

    return behave
