"""Connects the bus to those of the other processes; loaded only if the settings name a Redis."""

from __future__ import annotations

from pydantic import SecretStr

from sidecar.assembly.store import KEY_FILE
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.events import Bus, Sender
from sidecar.jellyfin.tokens import TokenBox
from sidecar.process.threads import ThreadGroup
from sidecar.shared_events.bridge import EventBridge


def start_event_bridge(
    url: SecretStr, settings: Settings, bus: Bus, clock: Clock, threads: ThreadGroup
) -> None:
    """Start the threads that hand events to the other processes and take theirs.

    Raises:
        errors.ConfigError: The library for it is not installed.
    """
    box = TokenBox(settings.server.data_dir / KEY_FILE)
    bridge = EventBridge(url, bus, clock, seal=box.encrypt, open_sealed=box.decrypt)
    bus.subscribe(bridge.hear, Sender.HERE)
    bus.connect(bridge.is_hearing)
    threads.add("events-out", bridge.send)
    threads.add("events-in", bridge.receive)
