"""The index of words that finished files are found by: how letters are compared, and its tables.

    downloads ── triggers ──▶ offline (FTS5)     rows come in with `completed` and leave with it

The statements are a step of `migrations` and never edited; what is compared must be spelt in the
same way in Python (`offline.typed`) and in them.
"""

from __future__ import annotations

import re
from functools import reduce

# Letters that are not another letter with an accent, but that people type as if they were.
TYPED_AS = (
    ("ø", "o"),
    ("ł", "l"),
    ("đ", "d"),
    ("ð", "d"),
    ("þ", "th"),
    ("ħ", "h"),
    ("ı", "i"),  # noqa: RUF001 - this very letter is meant
    ("æ", "ae"),
    ("œ", "oe"),
)


def _expand_typed(statement: str) -> str:
    """Write `typed(column)` out in what SQLite understands."""

    def replaces(found: re.Match[str]) -> str:
        return reduce(
            lambda text, pair: f"replace({text}, '{pair[0]}', '{pair[1]}')", TYPED_AS, found[1]
        )

    return re.sub(r"typed\(([a-z._]+)\)", replaces, statement)


OFFLINE_SEARCH = (
    _expand_typed("""CREATE VIEW offline_texts AS
        SELECT id, typed(search_key) AS text FROM downloads WHERE status = 'completed'"""),
    # It keeps no text of its own, only where each word is.
    """CREATE VIRTUAL TABLE offline USING fts5 (
        text,
        content = 'offline_texts',
        content_rowid = 'id',
        tokenize = 'unicode61 remove_diacritics 2',
        prefix = '1 2 3'
    )""",
    "INSERT INTO offline (offline) VALUES ('rebuild')",
    _expand_typed("""CREATE TRIGGER offline_inserted AFTER INSERT ON downloads
    WHEN new.status = 'completed' BEGIN
        INSERT INTO offline (rowid, text) VALUES (new.id, typed(new.search_key));
    END"""),
    _expand_typed("""CREATE TRIGGER offline_changed AFTER UPDATE OF status, search_key ON downloads
    WHEN 'completed' IN (old.status, new.status) BEGIN
        INSERT INTO offline (offline, rowid, text)
            SELECT 'delete', old.id, typed(old.search_key) WHERE old.status = 'completed';
        INSERT INTO offline (rowid, text)
            SELECT new.id, typed(new.search_key) WHERE new.status = 'completed';
    END"""),
    _expand_typed("""CREATE TRIGGER offline_deleted AFTER DELETE ON downloads
    WHEN old.status = 'completed' BEGIN
        INSERT INTO offline (offline, rowid, text)
            VALUES ('delete', old.id, typed(old.search_key));
    END"""),
    """CREATE INDEX downloads_by_album ON downloads (album_id, device_id, status, item_id, user_id)
        WHERE album_id IS NOT NULL""",
)
