"""The tables in PostgreSQL: made at once as they are after the last step, then brought on by steps.

A fresh database gets what all steps together make of an empty SQLite file: tables, indexes and
triggers are read from one in memory and translated, so that each is written once. Later steps run
on both databases as they are; `translation` says what may be in one.

    sidecar_schema    one row: the number of the last step, as `user_version` in SQLite
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import groupby

from sidecar.store.schema.migrations import STEPS, Step
from sidecar.store.schema.search_index import TYPED_AS
from sidecar.store.schema.translation import translate_step

VERSION_TABLE = "sidecar_schema"
# What SQLite does by these names. `json_each` gives texts only: who wants a number says so.
FUNCTIONS = (
    """CREATE FUNCTION json_extract(document text, path text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE jsonb_typeof(found) WHEN 'boolean' THEN found::boolean::int::text
            ELSE found #>> '{}' END
        FROM jsonb_path_query_first(document::jsonb, path::jsonpath) AS found $$""",
    # Not in SQL: that would be taken for a part of the statement, and for a hundred rows. With few,
    # tables are looked up by their indexes and not read whole, as the statements want it.
    """CREATE FUNCTION json_each(document text) RETURNS TABLE (key text, value text)
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 4 AS $$
        #variable_conflict use_column
        DECLARE given jsonb := document::jsonb;
        BEGIN
            IF jsonb_typeof(given) = 'array' THEN
                RETURN QUERY SELECT (at - 1)::text, one #>> '{}'
                    FROM jsonb_array_elements(given) WITH ORDINALITY AS its (one, at);
            ELSE
                RETURN QUERY SELECT its.key, its.value FROM jsonb_each_text(given) AS its;
            END IF;
        END $$""",
    """CREATE FUNCTION json_array_length(document text) RETURNS bigint
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT jsonb_array_length(document::jsonb) $$""",
    """CREATE FUNCTION instr(whole text, part text) RETURNS integer
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT strpos(whole, part) $$""",
    *(
        f"""CREATE FUNCTION {name}(one {kind}, other {kind}) RETURNS {kind}
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT {does}(one, other) $$"""
        for name, does in (("max", "greatest"), ("min", "least"))
        for kind in ("bigint", "double precision")
    ),
    # As UPDATE OR IGNORE: a row whose new id another row has keeps its own.
    """CREATE FUNCTION rename_ids(which text, what text) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE one record;
        BEGIN
            FOR one IN EXECUTE format('SELECT t.ctid AS at, n.new AS id FROM %I AS t
                    JOIN new_ids AS n ON n.old = t.%I ORDER BY t.ctid', which, what) LOOP
                BEGIN
                    EXECUTE format('UPDATE %I SET %I = $1 WHERE ctid = $2', which, what)
                        USING one.id, one.at;
                EXCEPTION WHEN unique_violation THEN NULL;
                END;
            END LOOP;
        END $$""",
)
OTHER_INDEXES = {
    # A row of an ordered index is short in PostgreSQL, and a title may be long.
    "downloads_by_title": (
        """CREATE INDEX downloads_by_title ON downloads (status, left(search_key, 300), id)""",
    ),
    "tiles_by_key": ("CREATE INDEX tiles_by_key ON tiles USING hash (tile)",),
    "downloads_by_tile": (
        """CREATE INDEX downloads_by_tile ON downloads USING hash (tile)
        WHERE status = 'completed'""",
    ),
    # What looks for the copies of an item reads the whole device otherwise, as long as the server
    # takes the tables for empty.
    "downloads_with_copies": (
        """CREATE INDEX downloads_with_copies ON downloads
        (item_id, status, missing_since, device_id, item_type, has_copies) WHERE has_copies = 1""",
        "CREATE INDEX downloads_by_item ON downloads (item_id)",
    ),
}
Run = Callable[[str], object]


def make_tables(run: Run, steps: Sequence[Step] = STEPS) -> None:
    """Make the tables in an empty database, as they are after these steps."""
    for statement in (*FUNCTIONS, *list_statements(steps)):
        run(statement)
    run(f"CREATE TABLE {VERSION_TABLE} (version bigint NOT NULL)")
    run(f"INSERT INTO {VERSION_TABLE} VALUES ({len(steps)})")  # noqa: S608 - our own words


def bring_on(run: Run, version: int, steps: Sequence[Step] = STEPS) -> None:
    """Run the steps after `version`, in a transaction of the caller's."""
    for step in steps[version:]:
        for statement in step:
            for one in _translate(statement):
                run(one)
    # Until it has counted them, the server takes what was made anew for nearly empty.
    run("ANALYZE")
    run(f"UPDATE {VERSION_TABLE} SET version = {len(steps)}")  # noqa: S608 - our own words


def list_statements(steps: Sequence[Step] = STEPS) -> list[str]:
    """Return what makes the tables, indexes and triggers that these steps make in SQLite."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in steps:
            for statement in step:
                connection.execute(statement)
        made = connection.execute(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
            " ORDER BY type <> 'table', type <> 'index', rowid"
        ).fetchall()
    return [
        one
        for kind, name, sql in made
        if kind in {"table", "index", "trigger"} and not name.startswith(("offline", "sqlite_"))
        for one in _translate(sql)
    ] + list(_search())


def _translate(statement: str) -> Sequence[str]:
    found = re.match(r"CREATE INDEX (\w+)", statement)
    others = OTHER_INDEXES.get(found[1], (statement,)) if found else (statement,)
    return [made for one in others for made in translate_step(one)]


def _search() -> Iterator[str]:
    """Yield what makes finished files found by words, as `search_index` does in SQLite."""
    typed = "key"
    for letter, others in TYPED_AS:
        typed = f"replace({typed}, '{letter}', '{others}')"
    yield f"""CREATE FUNCTION offline_words(key text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $words$
        SELECT to_tsvector('pg_catalog.simple'::regconfig,
            regexp_replace({typed}, '{no_word()}', ' ', 'g')) $words$"""
    yield """CREATE INDEX downloads_by_word ON downloads USING gin (offline_words(search_key))
        WHERE status = 'completed'"""


@cache
def no_word() -> str:
    """Return the expression for what is between two words, for Python and PostgreSQL alike.

    It names each character, so that it is the same whatever the language of the server.
    """
    between = (
        one
        for one in range(0x20, 0x10000)
        if not unicodedata.category(chr(one)).startswith(("L", "N"))
        and unicodedata.category(chr(one)) not in {"Co", "Mn", "Mc", "Me", "Cn", "Cs"}
    )
    return f"[\\u0001-\\u001f{''.join(map(_range, _runs(between)))}]+"


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    for _, run in groupby(enumerate(numbers), lambda one: one[1] - one[0]):
        found = [number for _, number in run]
        yield found[0], found[-1]


def _range(run: tuple[int, int]) -> str:
    first, last = run
    return f"\\u{first:04x}" if first == last else f"\\u{first:04x}-\\u{last:04x}"
