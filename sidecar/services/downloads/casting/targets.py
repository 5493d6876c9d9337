"""Shows devices as cast targets, in the *Cast to Device* menu of their users' Jellyfin clients.

    this thread:     device and signed-in user ──▶ cast target, with a thread of its own
    a target:        play order ──▶ `CastOrders`; other commands are ignored

A target is not in the menu when its device is missing, paused or has casting off, when its
user is signed out, and when the sidecar stops. Nothing is played and nothing is reported as played.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.errors import SidecarError
from sidecar.events import AccountChanged, DeviceChanged, SettingsChanged
from sidecar.events import Event as Happening
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.live.cast import cast_client, cast_target
from sidecar.jellyfin.live.commands import Command, PlayOrder
from sidecar.jellyfin.live.events import Disconnected, News
from sidecar.process.threads import LOOK_ANYWAY_S, ThreadGroup, Wakeup, attempt, run_when_woken
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.downloads.casting.orders import CastOrders

log = logging.getLogger(__name__)

SETTLE_S = 1.0
END_WITHIN_S = 2.0

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A target that should be open: an account's client, and the name of a device."""

    account: Jellyfin
    name: str


@dataclass(frozen=True, slots=True)
class _Target:
    """A target that is open."""

    account: Jellyfin
    threads: ThreadGroup


class CastTargets:
    """Opens and closes the cast targets. `run` belongs to one thread."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        registry: DeviceRegistry,
        orders: CastOrders,
        around: Callable[[], AbstractContextManager[object]],
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            accounts: The accounts whose clients open the targets.
            registry: The devices.
            orders: Receives play orders.
            around: The context in which every target's thread runs.
            clock: For all waits.
            chance: Returns random numbers in [0, 1).
        """
        self._accounts = accounts
        self._registry = registry
        self._orders = orders
        self._around = around
        self._clock = clock
        self._chance = chance
        self._targets: dict[Key, _Target] = {}
        self.wakeup = Wakeup()

    def hear(self, news: Happening) -> None:
        """Note what may change the targets; a listener for the bus."""
        if isinstance(news, DeviceChanged | AccountChanged | SettingsChanged):
            self.wakeup.set()

    def run(self, stop: Event) -> None:
        """Open and close targets as needed until `stop` is set, then close all."""
        try:
            what = "looking after the cast targets"
            run_when_woken(
                self.look,
                stop,
                self.wakeup,
                what,
                rest_s=lambda: LOOK_ANYWAY_S,
                settle_s=SETTLE_S,
                wait=self._clock.wait,
            )
        finally:
            self._close(list(self._targets))

    def look(self) -> None:
        """Open the targets that should be in the menu, and close the others."""
        wanted = dict(self._wanted())
        self._close(
            [
                key
                for key, there in self._targets.items()
                if key not in wanted or wanted[key].account is not there.account
            ]
        )
        for key, target in wanted.items():
            if key not in self._targets:
                attempt(partial(self._open, key, target), "showing a device as a cast target")

    def _wanted(self) -> Iterable[tuple[Key, _Wanted]]:
        devices = [
            (device_id, one)
            for device_id, one in self._registry.attached_anywhere().items()
            if one.cast and not one.paused
        ]
        for account in self._accounts.signed_in() if devices else ():
            try:
                client = self._accounts.client(account.user_id)
            except SidecarError as trouble:
                log.debug("%s cannot cast: %s", account.name, trouble)
                continue
            for device_id, device in devices:
                if device.serves(account.name):
                    yield (account.user_id, device_id), _Wanted(client, device.name)

    def _open(self, key: Key, wanted: _Wanted) -> None:
        (_, device_id), name = key, wanted.name

        def deliver(news: News) -> None:
            if isinstance(news, PlayOrder):
                self._orders.take(device_id, news)
            elif isinstance(news, Disconnected):
                log.info("%s cannot be cast to now: %s", name, news.reason)
            elif isinstance(news, Command):
                log.debug("%s plays nothing: %s is passed over", name, news.name)

        client = cast_client(wanted.account, device_id, name)
        target = cast_target(client, deliver, clock=self._clock, chance=self._chance)
        threads = ThreadGroup(self._around)
        self._targets[key] = _Target(wanted.account, threads)
        threads.add(f"cast-{name}", target.run, target)

    def _close(self, keys: Iterable[Key]) -> None:
        going = [self._targets.pop(key) for key in keys]
        for one in going:
            one.threads.ask_to_stop()
        deadline = self._clock.monotonic() + END_WITHIN_S
        for one in going:
            one.threads.stop_all(within_s=max(0.0, deadline - self._clock.monotonic()))
