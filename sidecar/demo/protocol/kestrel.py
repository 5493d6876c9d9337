"""Writes an answer's head as Kestrel does: which headers, in which order, and the body's form."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from sidecar.demo.protocol.messages import Form, Reply
from sidecar.demo.protocol.version import Version

# The order in which the real server writes them.
_ORDER = [
    "Content-Length",
    "Connection",
    "Content-Type",
    "Date",
    "Server",
    "Accept-Ranges",
    "Age",
    "Allow",
    "Cache-Control",
    "Content-Encoding",
    "Content-Language",
    "Content-Range",
    "ETag",
    "Expires",
    "Last-Modified",
    "Location",
    "Pragma",
    "Retry-After",
    "Transfer-Encoding",
    "Vary",
    "transferMode.dlna.org",
    "realTimeInfo.dlna.org",
    "Content-Disposition",
    "X-Response-Time-ms",
]
_PHRASES = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Range Not Satisfiable",
}
_CHUNK = 16 * 1024


def head(reply: Reply, headers: Mapping[str, str]) -> bytes:
    """Return the status line and the headers."""
    phrase = _PHRASES.get(reply.status, reply.status.phrase)
    ordered = sorted(headers, key=_ORDER.index)
    lines = [
        f"HTTP/1.1 {reply.status.value} {phrase}",
        *(f"{one}: {headers[one]}" for one in ordered),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def dressed(
    reply: Reply, *, speaks: Version, accepts: str, seconds: float
) -> tuple[dict[str, str], bytes]:
    """Return all headers of a reply, and its body as it goes out.

    Args:
        reply: What is to be written.
        speaks: Decides whether the language is named.
        accepts: The request's `Accept-Encoding`.
        seconds: How long the answer took.
    """
    headers = {"Date": formatdate(usegmt=True), "Server": "Kestrel", **reply.headers}
    if speaks.names_its_language:
        headers["Content-Language"] = "en-US"
    headers["X-Response-Time-ms"] = f"{seconds * 1000:.4f}"
    if reply.form is Form.EMPTY:
        headers["Content-Length"] = "0"
    if reply.form is Form.FILE and reply.stretch is not None:
        headers["Content-Length"] = str(reply.stretch.length)
    if reply.form in {Form.NONE, Form.EMPTY, Form.FILE}:
        return headers, b""
    body = reply.body
    if reply.form is Form.TEXT:
        headers["Vary"] = "Accept-Encoding"
        if _likes_gzip(accepts):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, compresslevel=1)
    headers["Transfer-Encoding"] = "chunked"
    return headers, chunked(body)


def chunked(body: bytes) -> bytes:
    """Return a body in chunks."""
    pieces = (body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK))
    return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


def _likes_gzip(accepts: str) -> bool:
    names = [one.strip().partition(";")[0] for one in accepts.lower().split(",")]
    return "gzip" in names
