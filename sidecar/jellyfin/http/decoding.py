"""Reads the body of a response in blocks, unpacked, so that a small body cannot become a huge one.

urllib3 unpacks the end of a body in one piece, however large that is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import requests

BLOCK_BYTES = 256 * 1024
ENCODINGS = "gzip"
_GZIP = 16 + zlib.MAX_WBITS


class Undecodable(ValueError):
    """The body is packed in a way that we did not ask for, or is damaged."""


def read_blocks(response: requests.Response) -> Iterator[bytes]:
    """Read the body; each block has at most `BLOCK_BYTES`.

    Raises:
        Undecodable: See there.
        urllib3.exceptions.HTTPError: The connection broke off.
    """
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    blocks: Iterator[bytes] = response.raw.stream(BLOCK_BYTES, decode_content=False)
    if packed in {"", "identity"}:
        return blocks
    if packed not in {"gzip", "x-gzip"}:
        raise Undecodable(packed)
    return _unpack(blocks)


def _unpack(blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        for block in blocks:
            yield unpacking.decompress(block, BLOCK_BYTES)
            while unpacking.unconsumed_tail:
                yield unpacking.decompress(unpacking.unconsumed_tail, BLOCK_BYTES)
    except zlib.error as error:
        raise Undecodable(str(error)) from error
    if not unpacking.eof:
        raise Undecodable("it is cut off")
