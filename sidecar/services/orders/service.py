"""Does what was pressed here, or orders it of the machine that has the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic_core import to_jsonable_python

from sidecar.errors import DeviceError
from sidecar.services.accounts.person import Person
from sidecar.services.devices.orders import DeviceOrders, OrderGiven, OrderView
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.orders.kinds import OrderKind, OrderKinds, P
from sidecar.services.processes.told_values import read_value

R = TypeVar("R")


class OrderService:
    """Does or orders. Safe for many threads.

    Attributes:
        kinds: What can be ordered.
    """

    def __init__(self, kinds: OrderKinds, asking: DeviceOrders, registry: DeviceRegistry) -> None:
        self.kinds = kinds
        self._asking = asking
        self._registry = registry

    def press(
        self,
        kind: OrderKind[P, R],
        person: Person,
        device_id: str,
        *given: P.args,
        **named: P.kwargs,
    ) -> R:
        """Do something with the files of a device, where that is.

        Raises:
            OrderGiven: Another machine was asked to do it.
            Exception: Whatever `kind.act` raises.
        """
        self._ask(kind, person, device_id, *given)
        return kind.act(person, device_id, *given, **named)

    def look(self, kind: OrderKind[[], R], person: Person, device_id: str) -> R:
        """Return what is on a device, or what its machine found when it was last asked.

        Raises:
            errors.DeviceError: It is on another machine, which has to be asked first.
            Exception: Whatever `kind.act` raises.
        """
        if kind.result is None or self._registry.machine_to_ask(device_id) is None:
            return kind.act(person, device_id)
        kind.check(person, device_id)
        told = self._asking.find_result(person, device_id, kind.name)
        if told is None:
            absence = self._registry.explain_absence(device_id)
            # It may have come here meanwhile.
            raise absence or DeviceError("missing", "")
        return read_value(kind.result, told)

    def ask_to_look(self, kind: OrderKind[[], R], person: Person, device_id: str) -> None:
        """Ask the machine that has a device to look at it; nothing is asked if it is not elsewhere.

        Raises:
            OrderGiven: It was asked; `look` returns what it finds.
            Exception: The person may not.
        """
        # Also where nothing is asked: the page that follows is told to nobody else.
        kind.check(person, device_id)
        self._ask(kind, person, device_id)

    def of(self, person: Person) -> Sequence[OrderView]:
        """Return a person's orders that are to be shown, the newest first."""
        return self._asking.of(person)

    def drop(self, person: Person, order_id: int) -> None:
        """Withdraw an order, or show it no more; see `DeviceOrders.drop`."""
        self._asking.drop(person, order_id)

    def _ask(
        self, kind: OrderKind[..., Any], person: Person, device_id: str, *given: object
    ) -> None:
        """Ask another machine and raise `OrderGiven`; return if it is to be done here."""
        machine = self._registry.machine_to_ask(device_id, is_ejected=kind.is_for_ejected)
        if machine is None:
            return
        kind.check(person, device_id)
        values = to_jsonable_python(given)
        raise OrderGiven(
            self._asking.give(machine, person, device_id, kind.name, values, what=kind.what)
        )
