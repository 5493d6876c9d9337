"""PostgreSQL: a database on a server, which several processes and machines may share.

Writers exclude each other as in SQLite, by an advisory lock that each transaction takes: what the
store reads in a `write` stays true until its commit. Readers never wait.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import peewee

from sidecar.domain.processes.machines import OF_MACHINE
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.errors import AlreadyRunning, DatabaseError
from sidecar.messages import msg
from sidecar.process import private_files
from sidecar.store.dialects.dialect import WordSearch
from sidecar.store.dialects.driver import load_driver
from sidecar.store.dialects.rows import (
    Content,
    PostgresqlRows,
    Rows,
    compare,
    fill_file,
    fill_server,
    list_tables,
)
from sidecar.store.errors import translate_database_errors
from sidecar.store.schema import migrations, postgresql
from sidecar.store.schema.translation import translate

# Ours among the advisory locks of the database: of a writer, and of a running sidecar.
WRITER, RUNNING, WATCHING = 0x4A46_5343, 0x4A46_5344, 0x4A46_5345
# A host that is cut off is noticed by both ends in seconds, and not in the two hours of TCP: this
# end would wait for an answer, the server keep the locks of a client that is not there. All within
# the lease of a process, so that it lets go when others go on.
SILENT_S = 12
CONNECT_TIMEOUT_S = 8
LINE = {
    "keepalives": "1",
    "keepalives_idle": "4",
    "keepalives_interval": "4",
    "keepalives_count": "2",
    "tcp_user_timeout": str(SILENT_S * 1000),
}
# Statements are short; to compile one takes longer than to run it.
SESSION = f"""SET jit = off; SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 4;
    SET tcp_keepalives_count = 2; SET tcp_user_timeout = {SILENT_S * 1000}"""
RUNNING_TIMEOUT_MS = 1000
GROWN = """SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(?)
        AND pg_relation_size(oid) > 2 * relpages::bigint * current_setting('block_size')::bigint"""
STATE = """SELECT current_setting('server_version'), clock_timestamp(),
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        has_schema_privilege(current_schema(), 'CREATE')"""
OLDEST = 120000  # STORED columns and JSON paths


@dataclass(frozen=True, slots=True)
class ServerState:
    """How a server is, as far as a sidecar depends on it.

    Attributes:
        connections_left: How many more it lets in.
        may_make_tables: Whether our user may make them.
        is_of_another_version: Whether there are tables, but not those of this version.
    """

    version: str
    now: datetime
    connections_left: int
    may_make_tables: bool
    is_of_another_version: bool


class PostgresqlAddress:
    """The address of a database, which shows its password to nobody.

    Attributes:
        is_of_machine: Whether its user is that of a machine that has joined (`machine_roles`).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.is_of_machine = unquote(parts.username or "").startswith(OF_MACHINE)
        asked = parse_qs(parts.query)
        self._host = parts.hostname or (asked.get("host") or ["localhost"])[0]
        if parts.port:
            self._host += f":{parts.port}"
        self._name = unquote(parts.path.strip("/"))

    def __str__(self) -> str:
        """Return it without user and password."""
        return f"postgresql://{self._host}/{self._name}"

    __repr__ = __str__


class _Server(peewee.PostgresqlDatabase):
    """Peewee's database, for statements that are written for SQLite.

    A connection that was lost while nothing was begun is made anew once: a server may be restarted
    at any time.
    """

    param = "?"
    _state: Any  # the connection of this thread, and what is begun on it

    def __init__(self, driver: ModuleType, url: str, busy_timeout_s: float) -> None:
        self._driver = driver
        # What the address says of it comes first.
        line: dict[str, Any] = {
            name: value for name, value in LINE.items() if f"{name}=" not in url
        }
        super().__init__(
            url,
            prefer_psycopg3=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            **line,
            application_name="jellyfin-sidecar",
            cursor_factory=driver.RawCursor,
        )
        lock_ms = int(busy_timeout_s * 1000)
        # Who sleeps in the middle of a change, such as a laptop, must not keep all others waiting.
        write = (
            f"BEGIN; SET LOCAL lock_timeout = {lock_ms};"
            f" SET LOCAL idle_in_transaction_session_timeout = {SILENT_S * 1000};"
            f" SELECT pg_advisory_xact_lock({WRITER})"
        )
        self._begins: Mapping[str, str] = {
            "write": write,
            "lazy": f"{write}; SET LOCAL synchronous_commit = off",
            "read": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }

    def _connect(self) -> Any:  # noqa: ANN401 - psycopg's, which may not be there
        connection = super()._connect()  # type: ignore[misc]
        connection.execute(SESSION)
        _adapt(connection)
        return connection

    def connect(self, reuse_if_open: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as peewee's
        """Connect this thread, unless it has lost a connection and what was begun over it."""
        if self._state.transactions:
            # Nothing may go on, half, over another one.
            raise self._driver.OperationalError("the connection was lost in a transaction")
        return super().connect(reuse_if_open)

    def begin(self, isolation_level: str | None = None) -> None:
        """Begin a transaction of one of our kinds."""
        try:
            self.execute_sql(self._begins[isolation_level or "write"])
        except BaseException:
            # It has begun, and then waited in vain for the other writers.
            self.rollback()
            raise

    def execute_sql(self, sql: str, params: Sequence[object] | None = None) -> Any:  # noqa: ANN401 - a cursor
        """Run a statement, translated."""
        text = translate(sql)
        try:
            return super().execute_sql(text, params or None)  # type: ignore[no-untyped-call]
        except (peewee.OperationalError, peewee.InterfaceError):
            if not self._forget_lost() or not self._may_repeat(text):
                raise
        return super().execute_sql(text, params or None)  # type: ignore[no-untyped-call]

    def commit(self) -> None:
        """End a transaction; one whose connection is lost has not happened."""
        if self._forget_lost():
            raise self._driver.OperationalError("the connection was lost in a transaction")
        super().commit()

    def rollback(self) -> None:
        """Undo a transaction; the server has done so if the connection is lost."""
        if self._forget_lost():
            return
        super().rollback()

    def _forget_lost(self) -> bool:
        """Let go of the thread's connection if it is lost; return whether it was."""
        connection = self._state.conn
        if connection is None:
            return True
        if not connection.closed:
            return False
        depth, stack = self._state.ctx, self._state.transactions
        with suppress(Exception):
            connection.close()
        self._state.reset()
        self._state.ctx, self._state.transactions = depth, stack
        return True

    def _may_repeat(self, text: str) -> bool:
        """Whether nothing of a transaction is lost with the connection."""
        return text.startswith("BEGIN") or not self._state.transactions


class PostgresqlDialect:
    """A database on a server. Implements `Dialect`."""

    skip_locked = "FOR UPDATE SKIP LOCKED"
    defer_foreign_keys = "SET CONSTRAINTS ALL DEFERRED"

    def __init__(self, address: PostgresqlAddress, *, busy_timeout_s: float) -> None:
        """Prepare; nothing is connected to before it is needed.

        Raises:
            DatabaseError: The driver is not installed.
        """
        driver = load_driver()
        if driver is None:
            raise DatabaseError(
                msg(
                    "A PostgreSQL database needs the driver psycopg, which is not installed: "
                    "install jellyfin-sidecar[postgresql]"
                )
            )
        self.place: object = address
        self._address = address
        self._server = _Server(driver, address.url, busy_timeout_s)
        self.peewee: peewee.Database = self._server
        self.writer: peewee.Database = self._server
        self.words = WordSearch(
            source="FROM downloads AS d WHERE d.status = 'completed'"
            " AND offline_words(d.search_key) @@ CAST(? AS tsquery)",
            # It reads the found rows anyway.
            tiled=None,
            order="d.id",
            # Along the numbers the server would take apart the texts of all that is newer.
            order_of_few="d.id + 0",
            match=_match,
        )
        self._driver = driver
        self._running: Any = None

    # -- opening

    def claim(self, roles: Roles = ALONE) -> None:
        """Keep others off the database until `close`: all, or those that are not to share it.

        Raises:
            AlreadyRunning: Another one uses it, or watches already.
        """
        self._running = self._server._connect()  # noqa: SLF001 - a connection of its own
        how = "" if roles.is_alone else "_shared"
        try:
            # The server may not have noticed yet that the last one has ended.
            self._running.execute(f"SET lock_timeout = {RUNNING_TIMEOUT_MS}")
            text = msg(
                "Another Jellyfin Sidecar uses the database {place}; stop it first",
                place=self.place,
            )
            self._running.execute(f"SELECT pg_advisory_lock{how}({RUNNING})")
            if roles.watches and not roles.is_alone:
                text = msg(
                    "Another Jellyfin Sidecar with `--role watch` uses the database {place}; one "
                    "of them watches at a time",
                    place=self.place,
                )
                self._running.execute(f"SELECT pg_advisory_lock({WATCHING})")
        except self._driver.errors.LockNotAvailable:
            self._running.close()
            self._running = None
            raise AlreadyRunning(text) from None

    def is_claimed(self) -> bool:
        """Whether others are still kept off: not once the connection is lost that does so."""
        if self._running is None:
            return False
        try:
            self._running.execute("SELECT 1")
        except self._driver.Error:
            return False
        return True

    def is_up_to_date(self) -> bool:
        """Whether the tables are of this version, and no step is missing."""
        return self._has_tables() and self.read_version() == len(migrations.STEPS)

    def prepare(self) -> None:
        """Make the tables in an empty database, or bring them to the last step.

        All in one transaction: after an error the tables are as they were.

        Raises:
            DatabaseError: It is of a newer version, or of another program, or too old a server.
        """
        self._check_server()
        with self.write(lazily=False):
            if self._has_tables():
                self._bring_on()
                return
            ((others,),) = self._run(
                "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
            )
            if others:
                raise DatabaseError(
                    msg(
                        "{place} has tables of another program; give Jellyfin Sidecar a database "
                        "of its own; nothing was changed",
                        place=self.place,
                    )
                )
            postgresql.make_tables(self._do)

    def is_empty(self) -> bool:
        """Whether no table has a row."""
        return not any(self._run(f"SELECT 1 FROM {one.name} LIMIT 1") for one in list_tables())  # noqa: S608 - ours

    def replace_all(self, source: Rows) -> Mapping[str, Content]:
        """Let these rows take the place of all, and compare them, in one transaction.

        Raises:
            DatabaseError: They differ; nothing was changed.
        """
        with self.write(lazily=False):
            for one in reversed(list_tables()):
                self._do(f"TRUNCATE {one.name} CASCADE")
            there = self.rows()
            fill_server(self._server.connection(), source)  # type: ignore[no-untyped-call]
            found = compare(source, there)
        self._server.connection().execute("ANALYZE")  # type: ignore[no-untyped-call]
        return found

    def check_ready(self) -> None:
        """Check that there are tables of this version.

        Raises:
            DatabaseError: There are none.
        """
        if not self._has_tables():
            raise DatabaseError(
                msg("{place} is not a database of Jellyfin Sidecar", place=self.place)
            )
        if self.read_version() != len(migrations.STEPS):
            raise DatabaseError(
                msg(
                    "{place} is of another version: `jellyfin-sidecar run` updates it",
                    place=self.place,
                )
            )

    def examine(self) -> ServerState:
        """Return how the server is; connects anew and closes that connection.

        Raises:
            DatabaseError: It cannot be used.
        """
        with translate_database_errors(self._address):
            try:
                self._check_server()
                ((version, now, left, may_make),) = self._run(STATE)
                return ServerState(
                    version=str(version),
                    now=now,
                    connections_left=int(left),
                    may_make_tables=bool(may_make),
                    is_of_another_version=self._has_tables() and not self.is_up_to_date(),
                )
            finally:
                self.close_thread()

    def _check_server(self) -> None:
        ((version, encoding),) = self._run(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
        )
        if version < OLDEST:
            raise DatabaseError(msg("{place} is older than PostgreSQL 12", place=self.place))
        if encoding != "UTF8":
            raise DatabaseError(
                msg("{place} does not store UTF-8: make it with ENCODING 'UTF8'", place=self.place)
            )

    def _has_tables(self) -> bool:
        ((found,),) = self._run(f"SELECT to_regclass('{postgresql.VERSION_TABLE}') IS NOT NULL")
        return bool(found)

    def _bring_on(self) -> None:
        version, newest = self.read_version(), len(migrations.STEPS)
        if version > newest:
            raise DatabaseError(
                msg(
                    "{place} was written by a newer Jellyfin Sidecar (its tables are at step "
                    "{version}, this version knows {newest}); nothing was changed. Start the newer "
                    "one, or use another database",
                    place=self.place,
                    version=version,
                    newest=newest,
                )
            )
        if version < newest and self._address.is_of_machine:
            raise DatabaseError(
                msg(
                    "{place} is of an older version than this machine: bring the sidecar up to "
                    "date that it has joined, then this one goes on",
                    place=self.place,
                )
            )
        if version < newest:
            postgresql.bring_on(self._do, version)

    # -- the dialect

    def write(self, *, lazily: bool) -> AbstractContextManager[Any]:
        """Begin a transaction that excludes all other writers, and end it."""
        begun: AbstractContextManager[Any] = self.peewee.transaction("lazy" if lazily else "write")
        return begun

    def read(self) -> AbstractContextManager[Any]:
        """Begin a transaction whose queries all see the same state, and end it."""
        begun: AbstractContextManager[Any] = self.peewee.transaction("read")
        return begun

    def close_thread(self) -> None:
        """Close the connection of the calling thread; the next query opens another."""
        self.peewee.close()

    def close(self) -> None:
        """Let another sidecar use the database."""
        if self._running is not None:
            with suppress(self._driver.Error):
                self._running.execute("SELECT pg_advisory_unlock_all()")
            self._running.close()
            self._running = None

    def count_anew(self, *tables: str) -> None:
        """Let the server count those tables that have doubled since it has counted them last.

        By itself it does so once a minute, and each connection keeps its plans until then: those of
        triggers as well.
        """
        grown = self._run(GROWN, (list(tables),))
        if grown:
            self._do(f"ANALYZE {', '.join(name for (name,) in grown)}")

    def last_id(self, table: str) -> str:
        """Return an SQL expression: the last number that any row of a table had, or NULL."""
        return f"pg_sequence_last_value(pg_get_serial_sequence('{table}', 'id')::regclass)"

    def rename_ids(self, table: str, column: str) -> str:
        """Return the statement that replaces ids as `new_ids` says, where no row has them yet."""
        return f"SELECT rename_ids('{table}', '{column}')"

    def list_tables_with(self, column: str) -> Sequence[str]:
        """Return the tables that have such a column."""
        found = self._run(
            "SELECT one.table_name FROM information_schema.columns AS one"
            " JOIN information_schema.tables AS its USING (table_schema, table_name)"
            " WHERE one.table_schema = current_schema() AND its.table_type = 'BASE TABLE'"
            " AND one.column_name = ? ORDER BY 1",
            (column,),
        )
        return [str(name) for (name,) in found]

    def may_change(self, table: str) -> bool:
        """Whether our user may change a table; that of a machine that joined not all of them."""
        ((may,),) = self._run("SELECT has_table_privilege(?, 'INSERT')", (table,))
        return bool(may)

    def read_version(self) -> int:
        """Return the number of the last step that its tables have been through."""
        ((version,),) = self._run(f"SELECT version FROM {postgresql.VERSION_TABLE}")  # noqa: S608 - ours
        return int(version)

    def measure(self) -> int:
        """Return the bytes that the database takes on its server."""
        ((octets,),) = self._run("SELECT pg_database_size(current_database())")
        return int(octets)

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of everything, an SQLite file, while the database is in use."""
        draft = path.with_name(f"{path.name}.draft")
        draft.unlink(missing_ok=True)
        private_files.write(draft, b"")
        migrations.migrate(draft)
        with self.read(), closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            fill_file(connection, self.rows())
            connection.execute("PRAGMA journal_mode = DELETE")
        draft.replace(path)

    def rows(self) -> Rows:
        """Return all its rows, in a transaction of this thread."""
        return PostgresqlRows(self._server.connection())  # type: ignore[no-untyped-call]

    def _run(self, text: str, parameters: Sequence[object] = ()) -> Sequence[tuple[Any, ...]]:
        found: Sequence[tuple[Any, ...]] = self._server.execute_sql(text, parameters).fetchall()
        return found

    def _do(self, text: str) -> None:
        """Run a statement that is PostgreSQL's already."""
        connection = self._server.connection()  # type: ignore[no-untyped-call]
        connection.execute(text)


def _match(words: Collection[str]) -> str:
    """Return words as a `tsquery`: each is the beginning of one, or of some in a row."""
    return " & ".join(filter(None, map(_phrase, words)))


def _phrase(word: str) -> str:
    parts = [
        one.replace("\\", "\\\\").replace("'", "''")
        for one in re.split(postgresql.no_word(), word)
        if one
    ]
    quoted = [f"'{one}'" for one in parts]
    return f"({' <-> '.join(quoted)}:*)" if quoted else ""


def _adapt(connection: Any) -> None:  # noqa: ANN401 - psycopg's, which may not be there
    """Let values be what SQLite makes of them: yes and no are numbers, sums are integers."""
    from psycopg import adapt, adapters  # noqa: PLC0415 - loaded by now, and only where it is used
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415 - the same

    class Number(adapt.Loader):
        """A sum of integers, which PostgreSQL makes wider."""

        def load(self, data: Any) -> int | float:  # noqa: ANN401 - bytes of some kind
            """Return it."""
            text = bytes(data)
            return int(text) if text.lstrip(b"-").isdigit() else float(text)

    class YesOrNo(adapt.Dumper):
        """A column of 0 and 1."""

        oid = adapters.types["int2"].oid

        def dump(self, obj: Any) -> bytes:  # noqa: ANN401 - a bool
            """Return the number."""
            return b"1" if obj else b"0"

    class Text(StrDumperUnknown):
        """A text; what PostgreSQL cannot store of it is replaced."""

        def dump(self, obj: str) -> Any:  # noqa: ANN401 - bytes of some kind
            """Return it, without zero bytes, also as JSON has them."""
            if "\0" in obj or "\\u0000" in obj:
                obj = obj.replace("\0", "\ufffd").replace("\\u0000", "\\ufffd")
            return super().dump(obj)

    connection.adapters.register_dumper(str, Text)
    connection.adapters.register_loader("numeric", Number)
    connection.adapters.register_dumper(bool, YesOrNo)
