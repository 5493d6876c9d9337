"""Labels of a download's status: always a word and an icon, never a colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sidecar.domain.downloads.download import Status
from sidecar.domain.downloads.waits import WaitKind
from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.registry import RULES
from sidecar.domain.wishes import PIN
from sidecar.events import Phase
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.views import DownloadView, ReasonView
from sidecar.services.health.notices import Notice
from sidecar.web.i18n.numbers import translatable


@dataclass(frozen=True, slots=True)
class StatusLabel:
    """How a status is shown.

    Attributes:
        tone: A colour of the style sheet: `calm`, `busy`, `good`, `warn` or `bad`.
    """

    word: str
    icon: str
    tone: str


# The strongest reason first: pins, then the rules by their strength.
REASON_ICONS: Mapping[str, str] = MappingProxyType(
    {PIN: "pin"} | {one.name: one.icon for one in sorted(RULES, key=lambda one: -one.strength)}
)
PLAIN = MappingProxyType(
    {
        Status.PENDING: StatusLabel(translatable("Queued"), "clock", "calm"),
        Status.DOWNLOADING: StatusLabel(translatable("Downloading"), "arrow-down", "busy"),
        Status.PAUSED: StatusLabel(translatable("Paused"), "pause", "calm"),
        Status.COMPLETED: StatusLabel(translatable("On the device"), "check", "good"),
        Status.FAILED: StatusLabel(translatable("Failed"), "triangle-alert", "bad"),
        Status.REMOVED: StatusLabel(translatable("Removed"), "trash-2", "calm"),
    }
)
MISSING = StatusLabel(translatable("Missing"), "triangle-alert", "warn")
WAITING = StatusLabel(translatable("Waiting to try again"), "rotate-cw", "warn")
FAILED_FOR_NOW = StatusLabel(translatable("Failed for now"), "rotate-cw", "warn")
CONVERTING = StatusLabel(translatable("Converting"), "rotate-cw", "busy")
NO_ROOM = StatusLabel(translatable("No room"), "hard-drive", "warn")
HELD_UP = StatusLabel(translatable("Waiting"), "clock", "warn")
WAITS_FOR_JELLYFIN = StatusLabel(translatable("Waiting for Jellyfin"), "clock", "warn")
# The sentence beside it says the rest; what is not here is held up as well.
WAITS = MappingProxyType(
    {
        WaitKind.DEVICE: StatusLabel(translatable("Waiting for the device"), "clock", "warn"),
        WaitKind.PAUSED: StatusLabel(translatable("Device paused"), "pause", "warn"),
        WaitKind.SERVER: WAITS_FOR_JELLYFIN,
        WaitKind.ROOM: NO_ROOM,
    }
)

ICON_OF_TYPE = MappingProxyType(
    {
        ItemType.AUDIO: "music",
        ItemType.AUDIO_BOOK: "book-open",
        ItemType.MOVIE: "film",
        ItemType.VIDEO: "film",
        ItemType.MUSIC_VIDEO: "film",
        ItemType.EPISODE: "tv",
    }
)


def standing(view: DownloadView, now: datetime) -> StatusLabel:
    """Return the label of a download's status at this time."""
    waits = view.retry_next_at is not None and view.retry_next_at > now
    if view.status is Status.FAILED and view.retry_next_at is not None:
        return FAILED_FOR_NOW
    if view.missing_since is not None:
        return MISSING
    if view.phase is Phase.CONVERTING:
        return CONVERTING
    if view.wait is not None:
        return WAITS.get(view.wait.kind, HELD_UP)
    if view.status is Status.PENDING and (waits or view.error_message):
        return WAITING if waits else HELD_UP
    return PLAIN[view.status]


def reason_icon(reasons: Sequence[ReasonView]) -> str:
    """Return the icon of the strongest reason: a pin before the rules."""
    rules = {one.rule for one in reasons}
    return next((icon for rule, icon in REASON_ICONS.items() if rule in rules), "info")


def type_icon(item_type: str) -> str:
    """Return the icon that replaces a missing cover."""
    return ICON_OF_TYPE.get(ItemType(item_type), "music") if item_type in set(ItemType) else "music"


SAFE_TO_REMOVE = StatusLabel(translatable("Safe to remove"), "circle-check", "good")
STARTING = StatusLabel(translatable("Being set up"), "clock", "calm")
NOT_AVAILABLE = StatusLabel(translatable("Not available"), "triangle-alert", "warn")
FILES_MISSING = StatusLabel(translatable("Files are missing"), "triangle-alert", "warn")
NEEDS_ATTENTION = StatusLabel(translatable("Needs attention"), "triangle-alert", "warn")
ASKED = StatusLabel(translatable("Needs an answer"), "triangle-alert", "warn")
DOWNLOADS_FAILED = StatusLabel(translatable("Downloads failed"), "triangle-alert", "warn")
EMPTY = StatusLabel(translatable("Empty"), "hard-drive", "calm")
UP_TO_DATE = StatusLabel(translatable("Up to date"), "check", "good")


def hindrance(notices: Iterable[Notice]) -> StatusLabel | None:
    """Return what keeps every device from what is new in Jellyfin; None if nothing does."""
    told = {one.code if one.kind == "network" else one.kind for one in notices}
    found = {
        "server": WAITS_FOR_JELLYFIN,
        "account": NEEDS_ATTENTION,
        "paused": PLAIN[Status.PAUSED],
    }
    return next((label for kind, label in found.items() if kind in told), None)


def device_label(
    view: DeviceView,
    *,
    counts: Mapping[Status, int],
    is_asked: bool,
    has_problem: bool,
    hindered: StatusLabel | None,
) -> StatusLabel:
    """Return the label of a device: the worst that is true of it, else what it does now.

    `counts` are its downloads by their status; `hindered` is the `hindrance` of all devices.
    """
    if counts.get(Status.DOWNLOADING) and hindered is not WAITS_FOR_JELLYFIN:
        hindered = None
    worst = (
        (view.is_unplugged, SAFE_TO_REMOVE),
        (view.is_starting, STARTING),
        (view.trouble is not None, NOT_AVAILABLE),
        (view.missing > 0, FILES_MISSING),
        (is_asked, ASKED),
        (has_problem, NEEDS_ATTENTION),
        (view.is_paused, PLAIN[Status.PAUSED]),
        (hindered is not None, hindered),
        *((counts.get(one, 0) > 0, PLAIN[one]) for one in (Status.DOWNLOADING, Status.PENDING)),
        (counts.get(Status.FAILED, 0) > 0, DOWNLOADS_FAILED),
        (counts.get(Status.PAUSED, 0) > 0, PLAIN[Status.PAUSED]),
        (view.files == 0, EMPTY),
    )
    return next((label for is_so, label in worst if is_so and label), UP_TO_DATE)
