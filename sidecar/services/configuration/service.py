"""The present settings, and changing them on the page.

    file and environment ─┐
                          ├─▶ merge ─▶ now() ─▶ limits, quiet hours, rules … wherever they count
    page (database) ──────┘                └──▶ running(): what was taken at the start

What only a start can take says that it waits for one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from pydantic import SecretStr

from sidecar.config import Settings
from sidecar.config.page import (
    FILE_ONLY,
    SECRETS_OF,
    SECTIONS,
    Changes,
    Origin,
    find_origin,
    find_section,
    keys_of,
    merge,
    merge_valid,
    needs_restart,
)
from sidecar.config.schema import KeyKind, SettingKey, describe_keys, to_plain_value
from sidecar.errors import ConfigError, NotVisible, SidecarError, SignedOut
from sidecar.events import Bus, Event, NewsMissed, SettingsChanged
from sidecar.jellyfin.tokens import TokenBox
from sidecar.messages import msg
from sidecar.services.configuration.explain import explain_refusal
from sidecar.store.page_settings import PageSettings

log = logging.getLogger(__name__)

SEALED = "sealed"
Value = str | int | float | bool | None
# Raises `ConfigError` for settings that are not possible on this machine.
Check = Callable[[Settings, Settings], object]


class SettingsRefused(SidecarError):
    """Some values are refused; nothing was changed.

    Attributes:
        reasons: The sentence for each key, as "transfer.workers".
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(msg("Nothing was saved: see what is marked"))
        self.reasons = dict(reasons)


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting as admins see it.

    Attributes:
        place: Its whole name, such as "transfer.workers".
        value: The present value; of a secret only whether there is one.
        default: What counts without the page.
        is_fixed: The page cannot change it, whoever sets it.
        waits: It counts only after a restart, which has not been yet.
    """

    place: str
    key: SettingKey
    value: Value
    default: Value
    origin: Origin
    is_fixed: bool
    needs_restart: bool
    waits: bool

    @property
    def is_locked(self) -> bool:
        """Whether it cannot be changed on the page."""
        return self.is_fixed or self.origin.is_locked


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section of the settings as admins see it."""

    name: str
    settings: tuple[SettingView, ...]

    @property
    def is_locked(self) -> bool:
        """Whether nothing in it can be changed on the page."""
        return all(one.is_locked for one in self.settings)


class ConfigurationService:
    """Knows and changes the settings. Safe for many threads.

    Attributes:
        restart: Starts the sidecar again; None if nobody here can.
    """

    def __init__(
        self,
        base: Settings,
        *,
        store: PageSettings,
        box: TokenBox,
        bus: Bus,
        ignored: Collection[str] = (),
        restart: Callable[[], object] | None = None,
    ) -> None:
        """Read the settings of the page and merge them.

        Args:
            base: The settings of the file and the environment.
            store: Stores the settings of the page.
            box: Encrypts the secrets among them.
            bus: Told when settings have changed.
            ignored: Settings of the page that did not work at the last start.
            restart: Starts the sidecar again; None if nobody here can.
        """
        self._base = base
        self._store = store
        self._box = box
        self._bus = bus
        self.restart = restart
        self._lock = Lock()
        self._checks: tuple[Check, ...] = ()
        self._ignored = frozenset(ignored)
        self._sealed = store.all()
        self._changes = self._open(self._sealed)
        self._now, refused = merge_valid(base, self._changes)
        for key, error in refused.items():
            log.warning("the page's setting %s is passed over: %s", key, error)
            self._changes.pop(key, None)
        self._running = self._now

    def check_with(self, checks: Iterable[Check]) -> None:
        """Have these checks pass before a change is stored."""
        self._checks = tuple(checks)

    def rebase(self, base: Settings) -> Settings:
        """Take other settings for those of the file, before anything runs; return all."""
        with self._lock:
            self._base = base
            self._now, _ = merge_valid(base, self._changes)
            self._running = self._now
            return self._now

    def hear(self, event: Event) -> None:
        """Read again what another process has changed; a listener for the bus."""
        match event:
            case SettingsChanged():
                self._read_again()
            case NewsMissed():
                self.read_again()
            case _:
                pass

    def read_again(self) -> None:
        """Look for what another process has changed, whose news may not have come."""
        if self._read_again():
            self._bus.receive(SettingsChanged())

    @property
    def base(self) -> Settings:
        """The settings of the file and the environment."""
        return self._base

    def now(self) -> Settings:
        """Return the present settings."""
        return self._now

    def running(self) -> Settings:
        """Return the settings that were taken at the start."""
        return self._running

    def set_on_page(self, key: str) -> object:
        """Return what the page sets for a key; None if nothing."""
        return self._changes.get(key)

    def sections(self) -> tuple[SectionView, ...]:
        """Return all sections but the devices."""
        return tuple(map(self.section, SECTIONS))

    def section(self, name: str) -> SectionView:
        """Return one section.

        Raises:
            NotVisible: There is no such section.
        """
        if name not in SECTIONS:
            raise NotVisible
        with self._lock:
            base, now, running, changes = self._base, self._now, self._running, self._changes
        shown, at_start = find_section(now, name), find_section(running, name)
        default = find_section(base, name)
        wanted = set(keys_of(name))
        return SectionView(
            name,
            tuple(
                SettingView(
                    place=f"{name}.{key.name}",
                    key=key,
                    value=_shown(getattr(shown, key.name)),
                    default=_shown(getattr(default, key.name)),
                    origin=find_origin(base, changes, name, key.name),
                    is_fixed=f"{name}.{key.name}" in FILE_ONLY
                    or _has_locked_secret(base, changes, f"{name}.{key.name}"),
                    needs_restart=needs_restart(f"{name}.{key.name}"),
                    waits=needs_restart(f"{name}.{key.name}")
                    and getattr(shown, key.name) != getattr(at_start, key.name),
                )
                for key in describe_keys(SECTIONS[name])
                if key.name in wanted
            ),
        )

    def waits_for_restart(self) -> bool:
        """Whether a change counts only after a restart."""
        return any(one.waits for section in self.sections() for one in section.settings)

    def change(self, given: Changes) -> None:
        """Change some settings by their whole names, all or none; None resets one.

        Raises:
            NotVisible: There is no such setting.
            SettingsRefused: One is locked, or its value is refused; nothing was changed.
        """
        known = {one.place: one for section in self.sections() for one in section.settings}
        refused: dict[str, str] = {
            secret: msg("Enter this again: it is not sent to another address by itself")
            for place, value in given.items()
            if value is not None and place in known and value != known[place].value
            for secret in SECRETS_OF.get(place, ())
            if secret not in given and known[secret].value
        }
        for place, value in given.items():
            if place not in known:
                raise NotVisible
            if known[place].is_locked:
                refused[place] = msg("This is set in the settings file or the environment")
            elif value is not None:
                try:
                    merge(self._base, {place: value})
                except ConfigError as error:
                    refused[place] = explain_refusal(place, known[place].key, error)
        if refused:
            raise SettingsRefused(refused)
        self.save(given)

    def may_save(self) -> bool:
        """Whether settings of the page can be changed by this process."""
        return self._store.may_save()

    def save(self, given: Changes) -> None:
        """Store settings of the page by their whole keys, all or none; None removes one.

        Raises:
            ConfigError: A value is refused; nothing was changed.
            SettingsRefused: A value is not possible on this machine; nothing was changed.
        """
        if not given:
            return
        with self._lock:
            changes = {
                key: value for key, value in {**self._changes, **given}.items() if value is not None
            }
            now = merge(self._base, changes)
            for check in self._checks:
                try:
                    check(self._now, now)
                except ConfigError as error:
                    raise SettingsRefused({error.key: error.reason}) from None
            self._store.save({key: self._seal(key, value) for key, value in given.items()})
            self._changes, self._now = changes, now
        log.info("settings were changed on the page: %s", ", ".join(sorted(given)))
        self._bus.publish(SettingsChanged())

    def _read_again(self) -> bool:
        """Take the settings that the page has stored; return whether they are others."""
        with self._lock:
            sealed = self._store.all()
            if sealed == self._sealed:
                return False
            stored = self._open(sealed)
            is_new = stored != self._changes
            self._sealed, self._changes = sealed, stored
            self._now, _ = merge_valid(self._base, stored)
            return is_new

    def _seal(self, key: str, value: object) -> object:
        if value is None or not _is_secret(key):
            return value
        return {SEALED: self._box.encrypt(SecretStr(str(value))).decode()}

    def _open(self, sealed: Mapping[str, object]) -> dict[str, object]:
        stored = open_sealed(sealed, self._box)
        return {key: value for key, value in stored.items() if key not in self._ignored}


def open_sealed(stored: Mapping[str, object], box: TokenBox) -> dict[str, object]:
    """Return the stored settings with their secrets decrypted, without those that cannot be."""
    opened: dict[str, object] = {}
    for key, value in stored.items():
        if isinstance(value, dict) and SEALED in value:
            try:
                opened[key] = box.decrypt(str(value[SEALED]).encode()).get_secret_value()
            except SignedOut:
                log.warning("the page's setting %s cannot be decrypted any more", key)
        else:
            opened[key] = value
    return opened


def _has_locked_secret(base: Settings, changes: Changes, place: str) -> bool:
    """Whether a setting is an address that gets a secret of the file or the environment."""
    secrets = (one.rpartition(".") for one in SECRETS_OF.get(place, ()))
    return any(
        getattr(find_section(base, section), key) is not None
        and find_origin(base, changes, section, key).is_locked
        for section, _, key in secrets
    )


def _is_secret(place: str) -> bool:
    section, _, name = place.rpartition(".")
    return section in SECTIONS and any(
        one.name == name and one.kind is KeyKind.SECRET for one in describe_keys(SECTIONS[section])
    )


def _shown(value: object) -> Value:
    return value is not None if isinstance(value, SecretStr) else to_plain_value(value)
