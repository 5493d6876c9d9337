"""A steering desk in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sidecar.config.schema import KeyKind, SettingKey
from sidecar.domain.downloads.explain import WantedBecause
from sidecar.domain.downloads.states import Status
from sidecar.domain.rules.context import Chosen
from sidecar.domain.undo import Reversal
from sidecar.errors import ConfigError, NotPossible, NotVisible, UnexpectedAnswer
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import Management
from sidecar.services.rules.explain import Explanation
from sidecar.services.rules.preferences import Excluded, Pinned, Removed
from sidecar.services.rules.settings_view import DeviceSettingsView, RuleSettingsView, Setting

STICK = "stick"
TRACK = "1" * 32
BROKEN = "2" * 32
NO_PLAYLIST = "3" * 32
UNTIL = datetime(2026, 11, 2, 12, tzinfo=UTC)


@dataclass
class FakeSteering:
    """Imitates `PreferenceService`.

    Unlike the real one it has one device that serves ann alone, knows one track, keeps nothing,
    and asks no Jellyfin.
    """

    asked: list[tuple[object, ...]] = field(default_factory=list)

    def settings(self, person: Person, device_id: str) -> DeviceSettingsView:
        self._device(person, device_id)
        budget = Setting(
            SettingKey("budget", KeyKind.SIZE, 0, 100, (), can_be_empty=True), 10, None
        )
        colour = Setting(
            SettingKey("colour", KeyKind.CHOICE, options=("red", "blue")), "red", "blue"
        )
        window = Setting(SettingKey("window", KeyKind.TIME, "0 seconds"), "60 days", "30 days")
        rule = RuleSettingsView(
            "album_affinity", (window,), ("It cannot now",), ("you played 3 of 11",)
        )
        return DeviceSettingsView(
            STICK, "Car stick", Management(may_manage=True), (budget, colour), (rule,)
        )

    def change(
        self,
        person: Person,
        device_id: str,
        device: Mapping[str, object],
        rules: Mapping[str, Mapping[str, object]],
    ) -> DeviceSettingsView:
        self._note(person, device_id, "change", device, rules)
        if device.get("budget") == "many":
            raise ConfigError("devices", "budget", "many", "could not be read as a size")
        return self.settings(person, device_id)

    def pins(self, person: Person, device_id: str) -> Sequence[Pinned]:
        self._device(person, device_id)
        return [Pinned(TRACK, "you asked for First Light", 11)]

    def pin(self, person: Person, device_id: str, item_id: str) -> int:
        self._note(person, device_id, "pin", item_id)
        if item_id == BROKEN:
            raise UnexpectedAnswer(
                "Jellyfin did not list all of it: nothing was changed, try again"
            )
        self._known(item_id)
        return 11

    def unpin(self, person: Person, device_id: str, item_id: str) -> Reversal:
        self._note(person, device_id, "unpin", item_id)
        self._known(item_id)
        return Reversal()

    def exclusions(self, person: Person) -> Sequence[Excluded]:
        return [Excluded(STICK, "latest", TRACK), Excluded(None, "favourites", TRACK)]

    def exclude(self, person: Person, device_id: str, rule: str, item_id: str) -> Reversal:
        self._note(person, device_id, "exclude", rule, item_id)
        return Reversal()

    def include(self, person: Person, device_id: str, rule: str, item_id: str) -> None:
        self._note(person, device_id, "include", rule, item_id)

    def playlists(self, person: Person, device_id: str) -> Sequence[Chosen]:
        self._device(person, device_id)
        return [Chosen(playlist_id=TRACK, title="Road trip")]

    def choose(self, person: Person, device_id: str, playlist_id: str) -> Chosen:
        self._note(person, device_id, "choose", playlist_id)
        if playlist_id == NO_PLAYLIST:
            raise NotPossible("First Light is no playlist: pin it to keep it on a device")
        return Chosen(playlist_id=playlist_id, title="Road trip")

    def drop(self, person: Person, device_id: str, playlist_id: str) -> Reversal:
        self._note(person, device_id, "drop", playlist_id)
        return Reversal()

    def removed(self, person: Person, device_id: str) -> Sequence[Removed]:
        self._device(person, device_id)
        return [Removed(TRACK, "Tone 1"), Removed(BROKEN, None)]

    def want_again(self, person: Person, device_id: str, item_id: str) -> None:
        self._note(person, device_id, "want_again", item_id)

    def why(self, person: Person, device_id: str, item_id: str) -> Explanation:
        self._device(person, device_id)
        wanted = (
            WantedBecause(who=None, rule="favourites", text="your favourite"),
            WantedBecause(who="ben", rule="latest", text="new", release_at=UNTIL),
        )
        return Explanation(
            is_here=True, status=Status.COMPLETED, sentences=("It is there.",), wanted=wanted
        )

    def _device(self, person: Person, device_id: str) -> None:
        if device_id != STICK or person.name != "ann":
            raise NotVisible

    def _note(self, person: Person, device_id: str, *what: object) -> None:
        self._device(person, device_id)
        self.asked.append(what)

    def _known(self, item_id: str) -> None:
        if item_id != TRACK:
            raise NotVisible
