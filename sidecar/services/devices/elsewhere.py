"""What other machines have, where several processes share a database, and what they are told.

A device belongs to the machine where it is plugged in: the process that has it attached holds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.store.devices.machines import DeviceMachines, DeviceOnMachine, DeviceState

# The codes of devices that another machine has, or had last.
ELSEWHERE, SILENT = "elsewhere", "silent"
# Codes of errors that mean the device is not at its path: its folder must be opened anew.
GONE = frozenset({"missing", "no-marker", "other-device"})
# The code of a device that a person may unplug.
UNPLUGGED = "unplugged"


class DevicesElsewhere:
    """The devices on other machines. Safe for many threads.

    Attributes:
        opens: Whether devices are opened on this machine at all.
    """

    def __init__(self, machines: DeviceMachines, machine: str, *, opens: bool) -> None:
        self._machines = machines
        self._machine = machine
        self.opens = opens

    def held(self) -> Mapping[str, DeviceOnMachine]:
        """Return the devices that other processes have attached, by id."""
        return {
            one.device_id: one
            for one in self._machines.all()
            if one.is_held and one.process_id != self._machines.own_id
        }

    def find(self, device_id: str) -> DeviceOnMachine | None:
        """Return where a device is, or was last; None if that is not known."""
        return next((one for one in self._machines.all() if one.device_id == device_id), None)

    @contextmanager
    def making_new(self, name: str) -> Iterator[None]:
        """Be the only machine that makes a new device of this name, during a `with` block.

        Two machines with the same path in their settings would else each make a marker of its own.

        Raises:
            errors.DeviceError: Another one makes it, or has just made it.
        """
        if not self._machines.begin_new(name):
            text = msg("{name} is set up on another machine at this moment", name=name)
            raise DeviceError(ELSEWHERE, text)
        try:
            yield
        finally:
            self._machines.end_new(name)

    def hold(self, device_id: str, name: str, path: str) -> None:
        """Hold a device that is about to be attached here.

        Raises:
            errors.DeviceError: Another process holds it.
        """
        if not self._machines.hold(device_id, self._machine, path):
            held = self.held().get(device_id)
            raise refuse_elsewhere(name, held.machine if held else self._machine)

    def let_go(self, device_id: str, problem_code: str, problem: str) -> None:
        """Tell the others that a device is not attached here any more, and why."""
        self._machines.let_go(device_id, problem_code, problem)

    def forget_here(self, device_ids: Collection[str]) -> None:
        """Tell the others that the settings here name devices no more that were here once."""
        if device_ids:
            self._machines.forget(self._machine, device_ids)

    def tell(self, states: Mapping[str, DeviceState]) -> None:
        """Tell the others how the devices are that are attached here."""
        self._machines.tell(states)

    def machine_to_ask(self, device_id: str, *, is_ejected: bool) -> str | None:
        """Return the machine that can act on the files of a device; None if it is to be done here.

        One that is not heard of can, when it is back. A device that was unplugged is on none.

        Args:
            device_id: The device; it is not attached here.
            is_ejected: Whether it counts as well that a machine has ejected it.
        """
        there = self.find(device_id)
        if there is None or there.process_id == self._machines.own_id:
            return None
        if there.is_held:
            return there.machine
        if there.machine == self._machine and self.opens:
            return None
        code = there.state.problem_code
        return None if code in GONE or (code == UNPLUGGED and not is_ejected) else there.machine

    def explain_absence(self, device_id: str, name: str) -> DeviceError | None:
        """Return why a device cannot be used here; None if it is not on another machine."""
        there = self.find(device_id)
        if there is None or (there.machine == self._machine and not there.is_held):
            return None
        if there.is_held:
            return refuse_elsewhere(name, there.machine)
        code, problem = there.state.problem_code, there.state.problem
        if code is not None and problem is not None and code in GONE | {UNPLUGGED}:
            return DeviceError(code, problem)
        text = msg(
            "{machine}, where {name} was last, is not heard of: what waits for {name} goes on when "
            "the sidecar runs there again, or when it is plugged in where one runs",
            machine=there.machine,
            name=name,
        )
        return DeviceError(SILENT, text)


def refuse_elsewhere(name: str, machine: str) -> DeviceError:
    """Return why nothing can be done here with the files of a device."""
    text = msg(
        "{name} is on {machine}: its files are reached from there only; plug it in here, or open "
        "the sidecar's page of that machine",
        name=name,
        machine=machine,
    )
    return DeviceError(ELSEWHERE, text)
