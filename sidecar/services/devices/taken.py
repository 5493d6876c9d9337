"""What a device takes: which kinds of media, and which version of a film.

    a setting changed ─▶ waiting files of a kind that it does not take any more ─▶ failed, and why
                      ├▶ what failed for that, and is taken by now              ─▶ queued again
                      └▶ what was too large for a limit that is another one now ─▶ queued again

What is wanted stays wanted (`services.rules.wishes`), and files that are there stay.
"""

from __future__ import annotations

from sidecar.config import DeviceSettings
from sidecar.domain.downloads.download import NOT_TAKEN, TOO_BIG, Download, Status
from sidecar.domain.items.item import PLAYABLE, Item
from sidecar.domain.items.kinds import ALL_MEDIA, is_taken, not_taken_text
from sidecar.domain.items.versions import choose_version
from sidecar.domain.space.space import compute_default_reserve
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.events import DeviceChanged, DownloadChanged, Event
from sidecar.messages import Message, msg
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.store.downloads.queue import Downloads


class TakenKinds:
    """Knows what devices take, and keeps their queues to it. Thread-safe."""

    def __init__(
        self, settings: DeviceSettingsService, registry: DeviceRegistry, downloads: Downloads
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._downloads = downloads

    def refusal(self, device_id: str, item_type: str) -> str | None:
        """Return the sentence that a device does not take items of a type; None if it does."""
        settings = self._settings.of(device_id)
        if settings is None or settings.takes == ALL_MEDIA:
            return None
        return not_taken_text(item_type, settings.takes, settings.name)

    def fit(self, device_id: str, item: Item) -> Item:
        """Return an item with the version of its file that a device is to get."""
        settings = self._settings.of(device_id) if item.versions else None
        if settings is None:
            return item
        return choose_version(item, settings.versions, self._room(device_id, settings))

    def hear(self, event: Event) -> None:
        """Listen to the bus: a device's settings may have changed, or a file waits once more."""
        match event:
            case DeviceChanged(device_id=device_id):
                self.settle(device_id)
            case DownloadChanged(download=one, was=was, now=Status.PENDING) if was is not None:
                self._refuse(one)
            case _:
                pass

    def settle(self, device_id: str) -> None:
        """Refuse what waits and is not taken; queue again what is taken now, or may fit now."""
        settings = self._settings.of(device_id)
        taken = ALL_MEDIA if settings is None else settings.takes
        queries = self._downloads.queries
        for one in queries.failed_on(device_id, (NOT_TAKEN, TOO_BIG)):
            if one.error_code == NOT_TAKEN:
                may_come = is_taken(one.item_type, taken)
            else:
                may_come = settings is not None and _names_another_limit(one, settings)
            if may_come:
                self._downloads.transitions.retry(one)
        refused = [one for one in PLAYABLE if not is_taken(one, taken)]
        for one in queries.waiting_of_types(device_id, refused) if refused else ():
            self._refuse(one)

    def _room(self, device_id: str, settings: DeviceSettings) -> int | None:
        """Return the largest file that a device has room for; None if that is not known."""
        space = self._registry.space_anywhere(device_id)
        limits: list[int | None] = [settings.budget]
        if space is not None:
            reserve = settings.reserve
            kept = compute_default_reserve(space.total) if reserve is None else reserve
            limits += [space.largest_file, space.total - kept]
        return min((one for one in limits if one is not None), default=None)

    def _refuse(self, waiting: Download) -> None:
        text = self.refusal(waiting.device_id, waiting.item_type)
        if text is not None:
            failure = Failure(FailureClass.REFUSED, NOT_TAKEN, text)
            self._downloads.transitions.give_up(waiting, until=None, failure=failure, retry_count=0)


def _names_another_limit(refused: Download, settings: DeviceSettings) -> bool:
    """Whether a download was refused for a limit that is not the one any more."""
    text, limits = refused.error_message, {"budget": settings.budget, "kept": settings.reserve}
    return isinstance(text, Message) and any(
        text.values.get(key, limit) != limit for key, limit in limits.items()
    )


def explain_not_taken(title: str, why: str) -> str:
    """Return the sentence for a person who asked for what a device does not take."""
    return msg("{title} does not come: {why}, by its settings", title=title, why=why)
