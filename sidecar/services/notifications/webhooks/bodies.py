"""The bodies that webhooks send: one schema for each event, all in the same envelope.

What is here is a promise to programs of others: fields are added, never changed or removed. For
anything else, `VERSION` is raised.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from sidecar import __version__
from sidecar.domain.downloads.download import Download
from sidecar.domain.notifications.webhooks import HookEvent

VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True)


class DeviceNamed(_Part):
    """A device."""

    id: str = Field(description="stays the same, whatever its name")
    name: str = Field(description="as on the page")


class DownloadData(_Part):
    """Of an event about one file on one device."""

    download_id: int = Field(description="as in the API")
    item_id: str = Field(description="in Jellyfin")
    type: str = Field(description="Jellyfin's type, such as `Audio` or `Episode`")
    title: str = Field(description="of the item")
    artist: str | None = Field(description="null if there is none")
    album: str | None = Field(description="null if there is none")
    device: DeviceNamed = Field(description="where the file is, was or should be")
    bytes: int | None = Field(description="of the file; null if unknown")
    reason: str | None = Field(description="why it failed; null otherwise")


class ReadyData(_Part):
    """Of an event about a device that has all that was on its way."""

    device: DeviceNamed = Field(description="which can be unplugged after *Eject*")
    files: int = Field(description="that came since the last event of this kind")


class DeviceData(_Part):
    """Of an event about a device."""

    device: DeviceNamed = Field(description="which one")


class ProblemData(_Part):
    """Of an event about a problem."""

    kind: str = Field(description="server, account, device, room, syncthing or backup")
    code: str = Field(description="short and stable, such as `server-away` or `full`")
    device: DeviceNamed | None = Field(description="null if it is no device's")
    account: str | None = Field(description="its name; null if it is no account's")
    text: str = Field(description="a sentence for people, in English")


class PlainData(_Part):
    """Of a test."""

    text: str = Field(description="a sentence for people, in English")


class Envelope(_Part):
    """What every body has."""

    version: int = Field(description="1; raised if a field's meaning ever changes")
    id: str = Field(description="of this event; the same if it is sent again")
    event: str = Field(description="its name")
    at: str = Field(description="when it happened, in UTC, by ISO 8601")
    sidecar: str = Field(description="the version of the sidecar")
    data: dict[str, Any] = Field(description="see the event")


DATA: Mapping[HookEvent, type[_Part]] = MappingProxyType(
    {
        HookEvent.DOWNLOAD_COMPLETED: DownloadData,
        HookEvent.DOWNLOAD_FAILED: DownloadData,
        HookEvent.DOWNLOAD_REMOVED: DownloadData,
        HookEvent.DEVICE_READY: ReadyData,
        HookEvent.DEVICE_ATTACHED: DeviceData,
        HookEvent.DEVICE_DETACHED: DeviceData,
        HookEvent.PROBLEM_BEGAN: ProblemData,
        HookEvent.PROBLEM_ENDED: ProblemData,
        HookEvent.TEST: PlainData,
    }
)
Data = DownloadData | ReadyData | DeviceData | ProblemData | PlainData


def write_body(event: HookEvent, event_id: str, at: datetime, data: Data) -> bytes:
    """Return the body of an event."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    envelope = Envelope(
        version=VERSION,
        id=event_id,
        event=event,
        at=moment,
        sidecar=__version__,
        data=data.model_dump(mode="json"),
    )
    return json.dumps(envelope.model_dump(mode="json"), ensure_ascii=False).encode()


def describe_download(found: Download, device: DeviceNamed) -> DownloadData:
    """Return what is told of a download."""
    return DownloadData(
        download_id=found.id,
        item_id=found.item_id,
        type=found.item_type,
        title=found.title,
        artist=found.artist,
        album=found.album,
        device=device,
        bytes=found.file_size or found.expected_size,
        reason=found.error_message and "".join(found.error_message),
    )


def make_schema() -> dict[str, Any]:
    """Return the JSON Schema of all bodies of this version."""
    models: list[type[BaseModel]] = [Envelope, *dict.fromkeys(DATA.values())]
    asked = [(one, "serialization") for one in models]
    refs, found = models_json_schema(asked, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    envelope = found["$defs"].pop("Envelope")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Bodies of Jellyfin Sidecar's webhooks, version {VERSION}",
        "oneOf": [
            {
                **envelope,
                "title": str(event),
                "description": f"What is sent for {event}.",
                "properties": {
                    **envelope["properties"],
                    "version": {"const": VERSION},
                    "event": {"const": str(event)},
                    "data": refs[model, "serialization"],
                },
            }
            for event, model in DATA.items()
        ],
        "$defs": found["$defs"],
    }
