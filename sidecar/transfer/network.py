"""Finds out which kind of network is used and whether it is metered.

It reads the interface of the default route and asks NetworkManager. It never raises and takes two
seconds at most; what it cannot find out is reported as unknown.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sidecar.domain.transfers.network import Line, LineKind

log = logging.getLogger(__name__)

LONGEST_S = 2.0
ETHERNET = "1"
GATEWAY = 0x2
NMCLI = ("nmcli", "-t", "-f", "GENERAL.METERED", "device", "show")
# The answers of NetworkManager; "(guessed)" may follow.
ANSWERS = {"yes": True, "no": False}


class WayOut:
    """Checks the default route when asked. Thread-safe."""

    def __init__(
        self,
        *,
        proc: Path = Path("/proc/net"),
        sys: Path = Path("/sys/class/net"),
        ask: Sequence[str] = NMCLI,
    ) -> None:
        """Prepare.

        Args:
            proc: Folder in which the kernel lists its routes.
            sys: Folder in which the kernel describes its interfaces.
            ask: Command that prints whether an interface is metered; the name is appended.
        """
        self._proc = proc
        self._sys = sys
        self._ask = tuple(ask)

    def look(self) -> Line:
        """Return what is known of the network now."""
        interface = self._find_interface()
        if interface is None:
            return Line()
        return Line(self._find_kind(interface), self._is_metered(interface))

    def _find_interface(self) -> str | None:
        """Return the interface of the default route, the one with the smallest metric."""
        found: list[tuple[int, str]] = []
        with suppress(OSError, ValueError, IndexError):
            for line in (self._proc / "route").read_text().splitlines()[1:]:
                name, destination, _, flags, _, _, metric, mask = line.split()[:8]
                if destination == mask == "00000000" and int(flags, 16) & GATEWAY:
                    found.append((int(metric), name))
        with suppress(OSError, ValueError, IndexError):
            for line in (self._proc / "ipv6_route").read_text().splitlines():
                parts = line.split()
                if set(parts[0] + parts[1]) == {"0"} and int(parts[8], 16) & GATEWAY:
                    found.append((int(parts[5], 16), parts[9]))
        return min(found)[1] if found else None

    def _find_kind(self, interface: str) -> LineKind:
        folder = self._sys / interface
        if (folder / "wireless").exists() or (folder / "phy80211").exists():
            return LineKind.WIFI
        with suppress(OSError):
            is_mobile = "DEVTYPE=wwan" in (folder / "uevent").read_text()
            if (folder / "type").read_text().strip() == ETHERNET and not is_mobile:
                return LineKind.WIRED
            return LineKind.OTHER
        return LineKind.UNKNOWN

    def _is_metered(self, interface: str) -> bool | None:
        if shutil.which(self._ask[0]) is None:
            return None
        try:
            told = subprocess.run(  # noqa: S603 - fixed words, and a name from the kernel
                [*self._ask, interface],
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=True,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "LC_ALL": "C"},
            ).stdout
        except (OSError, subprocess.SubprocessError) as trouble:
            log.debug("NetworkManager does not tell: %s", trouble)
            return None
        answer = told.strip().rpartition(":")[2].partition(" ")[0]
        return ANSWERS.get(answer)
