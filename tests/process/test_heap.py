from __future__ import annotations

import json
import subprocess
import sys

from sidecar.process.heap import taking_turns

# As `python -m sidecar run` loads it; then as the events between processes load Redis, and a
# database on a server the driver that peewee was loaded without.
LOADING = """
import json, sys
from sidecar.process import heap
with heap.loading():
    import sidecar.cli.commands.run
from flask import Flask
from sidecar.web.live.socketio import SocketIOServer
from sidecar.web.request.refusals import Refusals
app = Flask("started")
SocketIOServer(None).around(app, Refusals(app), app)
rare = (
    "redis", "markdown_it", "psycopg", "charset_normalizer", "mutagen", "PIL", "simple_websocket",
    "prometheus_client", "asyncio", "werkzeug.debug", "pdb", "more_itertools",
    "sidecar.web.api.routes", "sidecar.web.api.schemas.users",
)
before = [name for name in rare if name in sys.modules]
from sidecar.assembly import shared_events
from sidecar.shared_events import bridge
import peewee
from sidecar.store.dialects.postgresql import PostgresqlAddress, PostgresqlDialect
database = PostgresqlDialect(PostgresqlAddress("postgresql://127.0.0.1:1/none"), busy_timeout_s=1)
try:
    database.is_up_to_date()
except peewee.OperationalError as error:
    while isinstance(error, peewee.PeeweeException):
        error = error.orig
    said = type(error).__module__
print(json.dumps([before, bridge.redis is not None, said]))
"""


def test_a_start_loads_no_library_that_most_starts_do_not_need_and_who_needs_it_has_it() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOADING], capture_output=True, check=True, timeout=120
    )

    assert json.loads(told.stdout) == [[], True, "psycopg"]


def test_large_work_is_done_in_turn_but_nobody_waits_for_ever() -> None:
    with taking_turns() as is_first:
        with taking_turns(0) as is_second:
            pass
        # That one ended no turn but its own.
        with taking_turns(0) as is_third:
            pass

    assert (is_first, is_second, is_third) == (True, False, False)
    with taking_turns(0) as is_afterwards:
        assert is_afterwards


def test_who_is_to_stop_waits_for_no_turn() -> None:
    asked = []

    def is_over() -> bool:
        asked.append("asked")
        return True

    with taking_turns(), taking_turns(is_over=is_over) as is_ours:
        assert not is_ours

    assert asked
