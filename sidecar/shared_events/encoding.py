"""Events as JSON, for the other processes of the installation.

    {"version": 1, "process": "3f…", "events": [["DeviceChanged", {"device_id": "…"}], …]}

Processes of two versions may run side by side during an update: what one cannot read is as good as
lost, and is told as that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import get_args

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from sidecar.events import Event, NewsMissed, TransfersProgressed

VERSION = 1
_READERS: Mapping[str, TypeAdapter[Event]] = MappingProxyType(
    {kind.__name__: TypeAdapter(kind) for kind in get_args(Event)}
)


@dataclass(frozen=True, slots=True)
class Message:
    """Some events of one process, in their order."""

    process: str
    events: tuple[Event, ...]


def encode(message: Message) -> str:
    """Return a message as JSON."""
    events = [(type(one).__name__, to_jsonable_python(one)) for one in message.events]
    return json.dumps(
        {"version": VERSION, "process": message.process, "events": events}, separators=(",", ":")
    )


def decode(text: str) -> Message:
    """Return a message; one `NewsMissed` stands for all that cannot be read."""
    try:
        told = json.loads(text)
        if told["version"] != VERSION:
            return Message("", (NewsMissed(),))
        process = str(told["process"])
        events = tuple(_read(kind, values, process) for kind, values in told["events"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return Message("", (NewsMissed(),))
    return Message(process, events)


def _read(kind: str, values: object, process: str) -> Event:
    event = _READERS[kind].validate_python(values)
    return replace(event, process=process) if isinstance(event, TransfersProgressed) else event
