"""Values become JSON: the fields of the public surface, no more and no fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sidecar.domain.downloads.shares import Share
from sidecar.domain.downloads.states import MISSING, Status
from sidecar.events import Progress
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import Management
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.views import DownloadPage, DownloadView
from sidecar.services.notices import Notice

Json = Mapping[str, object]


def download(view: DownloadView) -> dict[str, object]:
    """Return a download."""
    return {
        "id": view.id,
        "item_id": view.item_id,
        "device_id": view.device_id,
        "status": view.shown_status,
        "title": view.title,
        "artist": view.artist,
        "album": view.album,
        "item_type": view.item_type,
        "progress": view.progress,
        "bytes_downloaded": view.bytes_downloaded,
        "expected_size": view.expected_size,
        "speed": view.speed,
        "seconds_left": view.seconds_left,
        "file_path": view.file_path,
        "content_hash": view.content_hash,
        "error_code": view.error_code,
        "error_message": view.error_message,
        "retry_next_at": moment(view.retry_next_at),
        "retry_count": view.retry_count,
        "priority": view.priority,
        "queued_at": moment(view.queued_at),
        "started_at": moment(view.started_at),
        "completed_at": moment(view.completed_at),
        "missing_since": moment(view.missing_since),
        "reasons": [
            {"rule": one.rule, "account": one.account, "text": one.text} for one in view.reasons
        ],
        "owners": list(view.owners),
        "format": view.format,
        "format_note": view.format_note,
        "source_size": view.source_size,
        "phase": view.phase,
    }


def page(found: DownloadPage) -> dict[str, object]:
    """Return one page of downloads."""
    return {
        "items": [download(one) for one in found.items],
        "total": found.total,
        "page": found.page,
        "page_size": found.page_size,
    }


def whole(items: Sequence[Json]) -> dict[str, object]:
    """Return a list that has one page."""
    return {"items": list(items), "total": len(items), "page": 1, "page_size": len(items)}


def device(view: DeviceView) -> dict[str, object]:
    """Return a device; where it is on the disk is told only to those whom the desk tells."""
    told: dict[str, object] = {
        "id": view.id,
        "name": view.name,
        "trouble": view.trouble,
        "budget": view.budget,
        "used": view.used,
        "free": view.free,
        "total": view.total,
        "paused": view.is_paused,
        "unplugged": view.is_unplugged,
        "files": view.files,
        "missing": view.missing,
        "managers": list(view.managers),
        "may_manage": view.may_manage,
    }
    return told | ({"path": view.path} if view.path else {})


def share(one: Share) -> dict[str, object]:
    """Return whose files are meant, as far as the person who asks may know it."""
    return {
        "total": one.total,
        "yours": one.yours,
        "shared": one.shared,
        "others": [{"name": name, "files": files} for name, files in one.others],
        "hidden": one.hidden,
    }


def management(one: Management) -> dict[str, object]:
    """Return who manages a device, and whether the person who asks does."""
    return {"managers": list(one.managers), "may_manage": one.may_manage}


def notice(one: Notice) -> dict[str, object]:
    """Return a notice."""
    return {"kind": one.kind, "level": one.level, "text": one.text}


def progress(one: Progress) -> dict[str, object]:
    """Return where a transfer stands, in the words of a download."""
    done = min(1.0, one.bytes_held / one.size) if one.size else 0.0
    return {
        "id": one.download_id,
        "progress": done,
        "bytes_downloaded": one.bytes_held,
        "expected_size": one.size,
        "speed": one.speed,
        "seconds_left": one.seconds_left,
        "phase": one.phase,
    }


def transfers(running: Sequence[Progress]) -> dict[str, object]:
    """Return where all of these transfers stand, and their speed together."""
    return {
        "transfers": [progress(one) for one in running],
        "speed": sum(one.speed for one in running),
    }


def counts(of: Mapping[str, int]) -> dict[str, int]:
    """Return how many downloads there are in each state, and how many are missing."""
    return {status: of.get(status, 0) for status in (*map(str, Status), MISSING)}


def person(one: Person) -> dict[str, object]:
    """Return who somebody is."""
    return {"id": one.user_id, "name": one.name, "is_admin": one.is_admin}


def moment(at: datetime | None) -> str | None:
    """Return a time in UTC as ISO 8601 with a Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
