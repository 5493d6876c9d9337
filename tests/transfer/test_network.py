from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.domain.transfers.network import Line, LineKind
from sidecar.transfer.network import WayOut

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
LAN = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
IPV6 = (
    f"{'0' * 32} 00 {'0' * 32} 00 fe800000000000000000000000000001 00000400 00000001 00000000"
    " 00000003     wwan0\n"
)


def default(name: str, metric: int) -> str:
    return f"{name}\t00000000\t0101A8C0\t0003\t0\t0\t{metric}\t00000000\t0\t0\t0\n"


class Machine:
    """The kernel's files, and a program in the place of NetworkManager's."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.sys = folder / "proc", folder / "sys"
        self.program = folder / "ask"
        self.proc.mkdir()

    def routes(self, *lines: str) -> None:
        (self.proc / "route").write_text(HEAD + "".join(lines))

    def interface(self, name: str, *, kind: str = "1", wireless: bool = False) -> None:
        folder = self.sys / name
        folder.mkdir(parents=True)
        (folder / "type").write_text(f"{kind}\n")
        (folder / "uevent").write_text("DEVTYPE=wwan\n" if name.startswith("wwan") else "")
        if wireless:
            (folder / "wireless").mkdir()

    def answers(self, script: str) -> None:
        self.program.write_text(f"#!/bin/sh\n{script}\n")
        self.program.chmod(0o755)

    def look(self) -> Line:
        return WayOut(proc=self.proc, sys=self.sys, ask=(str(self.program),)).look()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_machine_without_a_way_out_tells_nothing(machine: Machine) -> None:
    assert machine.look() == Line(LineKind.UNKNOWN, None)
    machine.routes(LAN)
    assert machine.look() == Line(LineKind.UNKNOWN, None)


def test_the_default_route_with_the_smallest_metric_is_the_way_out(machine: Machine) -> None:
    machine.interface("eth0")
    machine.interface("wlan0", wireless=True)
    machine.routes(LAN, default("eth0", 600), default("wlan0", 100))

    assert machine.look().kind is LineKind.WIFI


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("eth0", "1", LineKind.WIRED),
        ("ppp0", "512", LineKind.OTHER),
        ("wwan0", "1", LineKind.OTHER),
    ],
)
def test_the_kernel_says_what_an_interface_is(
    machine: Machine, name: str, kind: str, found: LineKind
) -> None:
    machine.interface(name, kind=kind)
    machine.routes(default(name, 100))

    assert machine.look().kind is found


def test_a_way_out_over_ipv6_alone_is_seen(machine: Machine) -> None:
    machine.interface("wwan0")
    (machine.proc / "ipv6_route").write_text(IPV6)

    assert machine.look().kind is LineKind.OTHER


@pytest.mark.parametrize(
    ("script", "is_metered"),
    [
        ("echo GENERAL.METERED:yes", True),
        ('echo "GENERAL.METERED:no (guessed)"', False),
        ('echo "GENERAL.METERED:yes (guessed)"', True),
        ("echo GENERAL.METERED:unknown", None),
        ("echo nonsense", None),
        ("exit 8", None),
    ],
)
def test_network_manager_says_what_it_costs(
    machine: Machine, script: str, is_metered: bool | None
) -> None:
    machine.interface("eth0")
    machine.routes(default("eth0", 100))
    machine.answers(f'[ "$1" = eth0 ] || exit 9; {script}')

    assert machine.look() == Line(LineKind.WIRED, is_metered)


def test_files_that_make_no_sense_harm_nobody(machine: Machine) -> None:
    (machine.proc / "route").write_bytes(b"\xff\xfe\n\x00 x")
    (machine.proc / "ipv6_route").write_text("0 1 2\n")

    assert machine.look() == Line()
