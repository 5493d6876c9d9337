"""What real servers answered, as bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fakes.servers.answering import Reply

VERSIONS = ("10.11", "12.0")
FOLDER = Path(__file__).parent / "data"
# Set by the server for each answer on its own.
OWN = {"date", "server", "content-length", "transfer-encoding", "content-encoding", "connection"}


def recording(version: str, name: str) -> Any:  # noqa: ANN401  (JSON is anything)
    return json.loads((FOLDER / version / f"{name}.json").read_text("utf-8"))


def body(version: str, name: str) -> bytes:
    recorded = recording(version, name)
    if recorded.get("json") is not None:
        return json.dumps(recorded["json"]).encode()
    return str(recorded.get("text") or "").encode()


def reply(version: str, name: str) -> Reply:
    recorded = recording(version, name)
    headers = {key: value for key, value in recorded["headers"] if key.lower() not in OWN}
    return Reply(recorded["status"], body(version, name), headers)
