"""Serves our own style sheets, scripts and icons: compressed, and so that each is fetched once.

    url_for('static', filename='vendor/app.js') ─▶ /static/<hash of all of them>/vendor/app.js

`static/build.mjs` makes what is in `vendor` of the scripts in `static/js` and the style sheets. The
hash is a folder, not part of the name: so the build need not tell the templates what it made.
What stands in the manifest of the installed page keeps its address for ever.

These files are the same for everybody and hold no secret. How pages are compressed, which may hold
one, is said in `security.compression`.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request, url_for

from sidecar.web.security.compression import LEAST_BYTES, encode
from sidecar.web.security.permissions import Role, declare

FOLDERS = ("css", "vendor")
ICONS = "vendor/icons.svg"
HASH_DIGITS = 16
FOR_EVER = "public, max-age=31536000, immutable"
TEXTS = frozenset(
    {
        "application/javascript",
        "application/manifest+json",
        "image/svg+xml",
        "text/css",
        "text/javascript",
        "text/plain",
    }
)


def register(app: Flask, folder: Path) -> None:
    """Serve the files of a folder at `/static`, to anybody."""
    version = _hash_of(folder)

    def send_static(filename: str) -> Response:
        first, _, rest = filename.partition("/")
        if not _is_version(first):
            return _compress(app.send_static_file(filename), folder / filename)
        reply = app.send_static_file(rest)
        # A page of another version of us may still ask: what it gets now is not to be kept.
        if first == version and rest.partition("/")[0] in FOLDERS:
            reply.headers["Cache-Control"] = FOR_EVER
        return _compress(reply, folder / rest)

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and values["filename"].partition("/")[0] in FOLDERS:
            values["filename"] = f"{version}/{values['filename']}"

    declare(send_static, Role.ANYBODY, ("GET", "HEAD"))
    # Set only now: Flask() would add the route itself, before its configuration is complete.
    app.static_folder = str(folder)
    app.add_url_rule("/static/<path:filename>", "static", send_static)
    app.url_defaults(add_version)
    app.jinja_env.globals["icons"] = _icons


def _icons() -> str:
    """Return the address of the icons; made once for a page, which may have hundreds of them."""
    if "icons" not in g:
        g.icons = url_for("static", filename=ICONS)
    address: str = g.icons
    return address


def _compress(reply: Response, file: Path) -> Response:
    if reply.status_code != HTTPStatus.OK or reply.mimetype not in TEXTS:
        return reply
    reply.vary.add("Accept-Encoding")
    # Made by the build; browsers take it over TLS, and from the same machine.
    smaller = file.with_name(f"{file.name}.br")
    coding = "br" if request.accept_encodings["br"] > 0 and smaller.is_file() else "gzip"
    if request.accept_encodings[coding] <= 0:
        return reply
    reply.direct_passthrough = False
    content = reply.get_data()
    if len(content) < LEAST_BYTES:
        return reply
    encode(reply, coding, smaller.read_bytes() if coding == "br" else _packed(content))
    reply.headers.pop("Accept-Ranges", None)
    # The bytes are others than those that the tag was given for.
    tag, _ = reply.get_etag()
    if tag is not None:
        reply.set_etag(tag, weak=True)
    return reply


@lru_cache(maxsize=128)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, zlib.Z_BEST_COMPRESSION, mtime=0)


def _is_version(name: str) -> bool:
    return len(name) == HASH_DIGITS and set(name) <= set("0123456789abcdef")


def _hash_of(folder: Path) -> str:
    found = hashlib.sha256()
    for file in _files(folder):
        content = hashlib.sha256(file.read_bytes()).digest()
        found.update(file.relative_to(folder).as_posix().encode() + b"\0" + content)
    return found.hexdigest()[:HASH_DIGITS]


def _files(folder: Path) -> Iterator[Path]:
    for name in FOLDERS:
        yield from sorted(one for one in (folder / name).rglob("*") if one.is_file())
