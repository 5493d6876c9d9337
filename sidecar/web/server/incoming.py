"""Buffers a connection's next request and detects when it is complete.

It only decides when a worker gets the request. `request_head` and `Chunks` then parse and check
the same bytes: whatever looks malformed here counts as complete, so that they refuse it.
"""

from __future__ import annotations

import re

from sidecar.process.limits import BODY_BYTES, HEAD_BYTES
from sidecar.web.server.chunks import LONGEST_LINE, size_of

TLS_HANDSHAKE = 0x16
# The overhead that chunks of a sensible size may add to a body of the allowed size.
CHUNKS_BYTES = 16 * 1024

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\nContent-Length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\nTransfer-Encoding:", re.IGNORECASE)
_EXPECTS = re.compile(rb"\nExpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


class Incoming:
    """The received bytes of a request that no worker has yet."""

    def __init__(self, octets: bytes = b"") -> None:
        self.octets = bytearray(octets)
        self._looked_at = 0
        self._body_at: int | None = None
        self._next_chunk: int | None = None
        self._ends_at = 0

    @property
    def has_head(self) -> bool:
        """Whether the head has arrived."""
        return self._body_at is not None

    @property
    def expects_more(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body."""
        head = self.octets[: self._body_at or 0]
        return self.has_head and _EXPECTS.search(head) is not None

    def is_whole(self) -> bool:
        """Whether the request has arrived completely, or can be refused already."""
        if not self.octets:
            return False
        if self._body_at is None and not self._find_body():
            return self.octets[0] == TLS_HANDSHAKE or len(self.octets) > HEAD_BYTES
        if self._next_chunk is not None:
            return self._are_chunks_whole(self._next_chunk)
        return len(self.octets) >= self._ends_at

    def _find_body(self) -> bool:
        """Find the end of the head, and the end of the body if it has a length."""
        found = _HEAD_END.search(self.octets, max(0, self._looked_at - 3))
        self._looked_at = len(self.octets)
        if found is None:
            return False
        self._body_at = self._ends_at = found.end()
        head = self.octets[: found.end()]
        lengths = _LENGTH.findall(head)
        if _CHUNKED.search(head):
            self._next_chunk = found.end()
        elif len(lengths) == 1 and int(lengths[0]) <= BODY_BYTES:
            self._ends_at += int(lengths[0])
        return True

    def _are_chunks_whole(self, at: int) -> bool:
        """Skip the chunks that have arrived; return whether the last one is among them."""
        if len(self.octets) - (self._body_at or 0) > BODY_BYTES + CHUNKS_BYTES:
            # The application refuses it as too long.
            return True
        while True:
            line_end = self.octets.find(b"\n", at, at + LONGEST_LINE) + 1
            if not line_end:
                return len(self.octets) - at >= LONGEST_LINE
            size = size_of(self.octets[at:line_end])
            if not size:
                return True
            after = line_end + size + 2
            if after > len(self.octets):
                self._next_chunk = at
                return False
            at = after
