"""Compares what tags and logs say of a track with what the library says: names and lengths."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Players count whole seconds, and some guess the length of files with a variable bit rate.
LENGTH_TOLERANCE_S = 3.0
# Cached results: a long log has the same files again and again.
REMEMBERED = 10_000
_ARTISTS = re.compile(r"\s*(?:[,;/&]|\bfeat\.?|\bft\.?)\s*", re.IGNORECASE)


@lru_cache(maxsize=REMEMBERED)
def name_key(text: str) -> str:
    """Return a key for a name that ignores case, Unicode composition and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=REMEMBERED)
def split_artists(artist: str) -> frozenset[str]:
    """Return an artist's name, and each of several: artists match if they share one."""
    whole = name_key(artist)
    return frozenset({whole, *(one for one in _ARTISTS.split(whole) if one)})
