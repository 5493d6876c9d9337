"""Starts demo servers over one tiny library, with their slow things made quick."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from tests.contract.client import Client

QUICK = Timing(library_changed_s=0.05, user_data_s=0.05)


@dataclass
class House:
    """A library folder, the servers that serve it, and people with devices."""

    folder: Path
    open: ExitStack = field(default_factory=ExitStack)

    def server(
        self,
        speaks: Version = Version.V12_0,
        *,
        timing: Timing = QUICK,
        base_url: str = "",
        state_dir: Path | None = None,
        server_id: str | None = None,
    ) -> DemoServer:
        return self.open.enter_context(
            DemoServer(
                self.folder,
                speaks=speaks,
                timing=timing,
                base_url=base_url,
                state_dir=state_dir,
                server_id=server_id,
            )
        )


def device_of(server: DemoServer, name: str, device: str = "one") -> Client:
    """Return a signed-in device of a person."""
    client = Client(server.url, f"{name}-{device}", "Test")
    client.sign_in(name, name)
    return client
