"""Leaves out of JSON, while it arrives, a list that nobody reads."""

from __future__ import annotations

import re

from sidecar.bounded_json import UnboundedJson

# Brackets within strings do not count.
_INSIDE = re.compile(rb'(?:[^"\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
# Longer than any string in the lists that are left out.
MOST_HELD_BYTES = 1024 * 1024


class WithoutList:
    """Passes JSON on in blocks; wherever an object has the list, it becomes an empty one.

    The JSON must be compact, as Jellyfin's is: otherwise nothing is left out.
    """

    def __init__(self, key: str) -> None:
        self._start = b'"%s":[' % key.encode()
        self._depth = 0
        self._held = b""

    def feed(self, block: bytes) -> bytes:
        """Return what is to be kept so far.

        Raises:
            UnboundedJson: A string in the list is longer than any.
        """
        content, kept, at = self._held + block, [], 0
        while True:
            if self._depth:
                at = self._skip(content, at)
                if self._depth:
                    break
                kept.append(b"]")
            found = content.find(self._start, at)
            if found < 0:
                # Its beginning may be the end of this block.
                end = max(at, len(content) - len(self._start) + 1)
                kept.append(content[at:end])
                at = end
                break
            kept.append(content[at : found + len(self._start)])
            at, self._depth = found + len(self._start), 1
        self._held = content[at:]
        if len(self._held) > MOST_HELD_BYTES:
            raise UnboundedJson("a string without an end")
        return b"".join(kept)

    def end(self) -> bytes:
        """Return the rest."""
        return self._held

    def _skip(self, content: bytes, at: int) -> int:
        """Return where the list ends, or how far its brackets are counted."""
        while self._depth:
            found = _INSIDE.match(content, at)
            at = found.end() if found else at
            if content[at : at + 1] in {b"", b'"'}:
                return at
            self._depth += 1 if content[at] == ord("[") else -1
            at += 1
        return at
