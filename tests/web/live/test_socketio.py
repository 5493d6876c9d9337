"""The live connection's end."""

from __future__ import annotations

from typing import Any

from tests.patience import PATIENCE_S
from tests.web.house import WebHouse


def test_a_connection_that_was_let_in_before_the_end_leaves_no_thread_behind(
    house: WebHouse,
) -> None:
    house.web.live.start()
    engine: Any = house.web.live._wire._server.eio  # type: ignore[attr-defined]  # Engine.IO's
    house.web.live.stop()

    look_at_all_connections = engine.start_background_task(engine._service_task)
    look_at_all_connections.join(PATIENCE_S)

    assert not look_at_all_connections.is_alive()
