"""Compresses pages where that tells whoever watches the line nothing.

    asked for by whom                      over https          over http
    the person, or a page of ours          compressed          compressed
    a page of another site                 as it is            as it is
    a browser that does not say            as it is            compressed

From the lengths of compressed pages, a secret in them could be guessed by who chooses another part
of them: a page repeats its own address, with what is searched for (BREACH). Against that:

* **No secret stands in them as it is.** The CSRF token is masked anew for each answer (`masking`).
  Keys, codes and secrets that are shown once are answers to POST, which are never compressed, nor
  is JSON. Settings, webhooks and notifications show neither passwords nor whole addresses.
* **Nobody else causes them.** What a page of another site asks for is sent as it is. Browsers do
  not say who asks over plain http; whoever watches that reads the page anyway. What our own page
  fetches anew is compressed, whoever led the browser to it: so the first point has to hold alone.
* **Their lengths vary** by a random name in the head of the gzip, as those of Django do: it takes
  many more answers to see a difference.

What is private but no secret, such as a title, has only the last two.
"""

from __future__ import annotations

import gzip
import secrets
from http import HTTPStatus
from io import BytesIO

from flask import Flask, Response, request

from sidecar.web.security.permissions import SAFE

# A page of 59 downloads, 265 kB, in ms of CPU and kB: 1: 0.9, 14.3; 6: 2.6, 10.9; 9: 6.5, 10.4.
LEVEL = 6
# Less fits into one packet anyway.
LEAST_BYTES = 500
MOST_PADDING = 100


def register(app: Flask) -> None:
    """Compress the pages of an application."""
    app.after_request(_compress_page)


def encode(reply: Response, coding: str, content: bytes) -> None:
    """Give an answer its content in a coding, such as gzip."""
    reply.set_data(content)
    reply.headers["Content-Encoding"] = coding


def _compress_page(reply: Response) -> Response:
    is_page = reply.mimetype == "text/html" and reply.status_code == HTTPStatus.OK
    if not is_page or reply.is_streamed or request.method not in SAFE:
        return reply
    reply.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    if _is_caused_here() and request.accept_encodings["gzip"] > 0:
        content = reply.get_data()
        if len(content) >= LEAST_BYTES:
            encode(reply, "gzip", _packed(content))
    return reply


def _is_caused_here() -> bool:
    """Whether the person or a page of ours asks, as far as browsers say so there."""
    site = request.headers.get("Sec-Fetch-Site")
    return site in {"same-origin", "none"} if site is not None else not request.is_secure


def _packed(content: bytes) -> bytes:
    packed, padding = BytesIO(), "-" * (1 + secrets.randbelow(MOST_PADDING))
    with gzip.GzipFile(padding, "wb", LEVEL, packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()
