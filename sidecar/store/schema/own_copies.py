"""How many files of each title people have, kept by triggers: lists count titles, not files.

    downloads ─────── triggers ──▶ copied      the item of each file whose item has other downloads
    copied, owned ─── triggers ──▶ own_copies  how many of an item's files each person has

Only files that are there: of what waits or failed there are never so many.
"""

from __future__ import annotations

# Has the files of all people. No account has an empty id.
EVERYBODY = ""


def _item_of(row: str) -> str:
    return f"""CASE WHEN {row}.status = 'completed' AND {row}.missing_since IS NULL
                AND {row}.has_copies = 1 THEN {row}.item_id END"""


def _they_have(files: str) -> str:
    """Count files with their items and owners, which are selected as `files`."""
    return f"""INSERT INTO own_copies (item_id, user_id, files) {files}
            ON CONFLICT (item_id, user_id) DO UPDATE SET files = own_copies.files + 1;"""


def _they_had(which: str) -> str:
    """Count one file less in these rows."""
    return f"""UPDATE own_copies SET files = files - 1 WHERE {which};
        DELETE FROM own_copies WHERE {which} AND files <= 0;"""  # noqa: S608 - ours


# Everybody is an owner of each.
_OWNERS_OF_NEW = f"""SELECT user_id FROM owned WHERE download_id = new.download_id
                UNION ALL SELECT '{EVERYBODY}'"""  # noqa: S608 - ours
_OWNERS_OF_OLD = f"""SELECT user_id FROM owned WHERE download_id = old.download_id
                UNION ALL SELECT '{EVERYBODY}'"""  # noqa: S608 - ours
_COPIED_CAME = _they_have(f"""SELECT new.item_id, their.user_id, 1
            FROM ({_OWNERS_OF_NEW}) AS their WHERE TRUE""")  # noqa: S608 - ours
_COPIED_LEFT = _they_had(f"item_id = old.item_id AND user_id IN ({_OWNERS_OF_OLD})")
_OWNED_CAME = _they_have("""SELECT item_id, new.user_id, 1
            FROM copied WHERE download_id = new.download_id""")
_OWNED_LEFT = _they_had("""user_id = old.user_id
                AND item_id = (SELECT item_id FROM copied WHERE download_id = old.download_id)""")
OWN_COPIES = (
    """CREATE TABLE copied (
        download_id INTEGER PRIMARY KEY,
        item_id TEXT NOT NULL
    ) STRICT""",
    f"""INSERT INTO copied SELECT d.id, d.item_id FROM downloads AS d
        WHERE ({_item_of("d")}) IS NOT NULL""",  # noqa: S608 - ours
    # As the row is now: what tells of copies may have changed it since.
    f"""CREATE TRIGGER copied_changed
        AFTER UPDATE OF status, missing_since, item_id, has_copies ON downloads
        WHEN ({_item_of("old")}) IS NOT ({_item_of("new")}) BEGIN
        DELETE FROM copied WHERE download_id = old.id;
        INSERT INTO copied SELECT d.id, d.item_id FROM downloads AS d
            WHERE d.id = new.id AND ({_item_of("d")}) IS NOT NULL;
    END""",  # noqa: S608 - ours
    """CREATE TRIGGER copied_ended AFTER DELETE ON downloads WHEN old.has_copies = 1 BEGIN
        DELETE FROM copied WHERE download_id = old.id;
    END""",
    """CREATE TABLE own_copies (
        item_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        files INTEGER NOT NULL,
        PRIMARY KEY (item_id, user_id)
    ) STRICT, WITHOUT ROWID""",
    f"""INSERT INTO own_copies SELECT c.item_id, o.user_id, count(*)
        FROM copied AS c CROSS JOIN owned AS o ON o.download_id = c.download_id
        GROUP BY c.item_id, o.user_id
        UNION ALL SELECT item_id, '{EVERYBODY}', count(*) FROM copied GROUP BY item_id""",  # noqa: S608 - ours
    "CREATE INDEX own_copies_of_several ON own_copies (user_id, files) WHERE files > 1",
    f"CREATE TRIGGER own_copies_copied AFTER INSERT ON copied BEGIN {_COPIED_CAME} END",
    f"CREATE TRIGGER own_copies_gone AFTER DELETE ON copied BEGIN {_COPIED_LEFT} END",
    f"CREATE TRIGGER own_copies_made AFTER INSERT ON owned BEGIN {_OWNED_CAME} END",
    f"CREATE TRIGGER own_copies_ended AFTER DELETE ON owned BEGIN {_OWNED_LEFT} END",
)
