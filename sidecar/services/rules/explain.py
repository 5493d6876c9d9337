"""Answers why an item is, or is not, on a device: gathers the facts for `domain.downloads.explain`.

Only an admin learns what other people want. For everybody else, a file that only others hold does
not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.downloads.explain import ExplainFacts, WantedBecause, explain
from sidecar.domain.downloads.shares import FORMER_ACCOUNT
from sidecar.domain.downloads.waits import Wait
from sidecar.domain.items.kinds import not_taken_text
from sidecar.domain.rules.registry import RULE_OF, RULES
from sidecar.domain.wishes import Hold
from sidecar.messages import msg
from sidecar.services.accounts.hidden_files import HiddenSentence
from sidecar.services.accounts.person import Person
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.store.stores import Stores

# Codes of problems in which the device is not there: its contents are known from the rows only.
AWAY = frozenset({"missing", "no-marker", "other-device"})

WaitsOf = Callable[[Person, Download], tuple[Wait, ...]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to "why is it here?" and "why is it not?".

    Attributes:
        is_here: Whether the file is on the device, as far as this person may know.
        status: Status of the download; None if none concerns this person.
        sentences: The answer, as sentences for people.
        wanted: Who wants it and why, as far as this person may know.
    """

    is_here: bool
    status: Status | None
    sentences: tuple[str, ...]
    wanted: tuple[WantedBecause, ...]


def _hides_nothing(_person: Person, _download: Download) -> tuple[HiddenSentence, ...]:
    """Default: every account sees the items of its files."""
    return ()


def _waits_for_nothing(_person: Person, _download: Download) -> tuple[Wait, ...]:
    """Default: nothing keeps a download from coming when it is its turn."""
    return ()


class Explainer:
    """Explains one item on one device at a time. Thread-safe."""

    def __init__(
        self,
        *,
        stores: Stores,
        problems: Problems,
        devices: DeviceSettingsService,
        rules: RuleSettingsService,
        names: Callable[[], Mapping[str, str]],
        clock: Clock,
        waits: WaitsOf = _waits_for_nothing,
        in_doubt: Callable[[], Collection[str]] = tuple,
        hidden: Callable[[Person, Download], tuple[HiddenSentence, ...]] = _hides_nothing,
    ) -> None:
        """Prepare.

        Args:
            stores: Downloads, holds, tombstones, exclusions and eviction cooldowns.
            problems: Problems that are open now.
            devices: The settings of the devices.
            rules: The settings of the rules.
            names: Returns the accounts' names by their ids.
            clock: To tell which holds have ended.
            waits: Returns what a download waits for beside its turn.
            in_doubt: Returns the items whose file may be there already, as a person has to decide.
            hidden: Returns from which of its holders a file's item is hidden, as a person may know.
        """
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._tombstones = stores.tombstones
        self._exclusions = stores.exclusions
        self._rests = stores.rests
        self._problems = problems
        self._devices = devices
        self._rules = rules
        self._names = names
        self._clock = clock
        self._waits = waits
        self._in_doubt = in_doubt
        self._hidden = hidden

    def why(
        self, person: Person, device_id: str, item_id: str, item_type: str | None = None
    ) -> Explanation:
        """Explain an item on a device; the caller checks that the person may use the device.

        `item_type` is None if it is not known, or if the device takes all types.
        """
        facts = self._facts(person, device_id, item_id, item_type)
        is_here = facts.download is not None and facts.download.is_present
        return Explanation(is_here, facts.status, explain(facts), facts.wanted)

    def _facts(
        self, person: Person, device_id: str, item_id: str, item_type: str | None
    ) -> ExplainFacts:
        holds = self._holds.of_item(device_id, item_id)
        download = self._downloads.queries.by_item(device_id, item_id)
        if download is not None and not _concerns(person, download, holds):
            download = None
        settings = self._devices.of(device_id)
        trouble = self._problems.of(ProblemKind.DEVICE, device_id)
        return ExplainFacts(
            device=settings.name if settings else msg("this device"),
            now=self._clock.now(),
            download=download,
            speaks_for_all=person.is_admin,
            wanted=self._wanted(person, holds),
            is_away=trouble is not None and trouble.code in AWAY,
            hidden=tuple(one.text for one in self._hidden(person, download))
            if download is not None and download.is_present
            else (),
            waits=self._waits(person, download) if download else (),
            was_removed=item_id in self._tombstones.items(person.user_id, device_id),
            excluded_from=self._excluded_from(person, device_id, item_id, download),
            switched_off=self._switched_off(device_id),
            not_taken=not_taken_text(item_type, settings.takes, settings.name)
            if settings and item_type
            else None,
            is_in_doubt=download is None and item_id in self._in_doubt(),
            resting_until=self._rests.find_end(device_id, item_id) if download else None,
        )

    def _wanted(self, person: Person, holds: list[Hold]) -> tuple[WantedBecause, ...]:
        names, now = self._names(), self._clock.now()
        return tuple(
            WantedBecause(
                who=None if own else names.get(one.user_id, FORMER_ACCOUNT),
                rule=one.reason.rule,
                text=one.reason.text,
                release_at=one.release_at,
            )
            for one in holds
            for own in [one.user_id == person.user_id]
            if own or person.is_admin
            if one.release_at is None or one.release_at > now
        )

    def _excluded_from(
        self, person: Person, device_id: str, item_id: str, download: Download | None
    ) -> tuple[str, ...]:
        ids = {item_id, download.album_id if download else None}
        pairs = self._exclusions.of(person.user_id, device_id)
        return tuple(map(_label, sorted({rule for rule, excluded in pairs if excluded in ids})))

    def _switched_off(self, device_id: str) -> tuple[str, ...]:
        return tuple(
            _label(one.name) for one in RULES if not self._rules.of(one, device_id).enabled
        )


def _label(rule: str) -> str:
    """Return what people call a rule; the name of one that is no more."""
    return msg(RULE_OF[rule].label) if rule in RULE_OF else rule


def _concerns(person: Person, download: Download, holds: list[Hold]) -> bool:
    """Whether a person may know of a download: they hold it, or nobody does and it is theirs."""
    holders = {one.user_id for one in holds} or {download.user_id}
    return person.is_admin or person.user_id in holders
