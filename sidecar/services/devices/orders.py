"""Asks the machine that has a device to do what was pressed here, and shows what became of it.

    press here ─▶ order in the database ─▶ carried out by the process that has the device
      (rights)                               (rights again)  └─▶ shown to who pressed: done, refused

With one process there are no orders, and nothing here asks the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.clock import Clock
from sidecar.domain.processes.orders import OrderState, is_silent
from sidecar.errors import NotVisible, SidecarError
from sidecar.events import Bus, NoticesChanged, OrdersArrived
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.store.devices.orders import NewOrder, Order, Orders
from sidecar.store.processes import Processes

WORN_OUT = msg("It was begun several times and never came to an end: look at the log there")
EXPIRED = msg("Nobody could do it for a day, so it is not done any more: press again")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as the person who gave it sees it.

    Attributes:
        kind: A stable name of what is to be done.
        what: The end of the sentence "Asked car to …".
        is_running: Whether it is being carried out now.
        silent_since: When its machine was heard of last, if that is too long ago.
        answer: What was done or why not; empty while it is open.
    """

    id: int
    device_id: str
    kind: str
    machine: str
    what: str
    state: OrderState
    made_at: datetime
    is_running: bool = False
    silent_since: datetime | None = None
    answer: str = ""

    @property
    def text(self) -> str:
        """What was asked of whom, as a sentence without its full stop."""
        return msg("Asked {machine} to {what}", machine=self.machine, what=self.what)


class OrderGiven(SidecarError):
    """The machine that has the device was asked to do it; what becomes of it is shown later."""

    def __init__(self, order: OrderView) -> None:
        super().__init__(order.text)
        self.order = order


class DeviceOrders:
    """Gives orders for people, and lists and withdraws their own. Safe for many threads."""

    def __init__(
        self, orders: Orders, registry: DeviceRegistry, processes: Processes, bus: Bus, clock: Clock
    ) -> None:
        self._orders = orders
        self._registry = registry
        self._processes = processes
        self._bus = bus
        self._clock = clock
        self._mark: object = None

    def ask(
        self,
        person: Person,
        device_id: str,
        kind: str,
        given: object,
        what: Callable[[str], str],
    ) -> OrderView | None:
        """Ask the machine that has a device; None if it is to be done, or refused, here.

        See `give`.
        """
        machine = self._registry.machine_to_ask(device_id)
        if machine is None:
            return None
        return self.give(machine, person, device_id, kind, given, what=what)

    def give(
        self,
        machine: str,
        person: Person,
        device_id: str,
        kind: str,
        given: object,
        *,
        what: Callable[[str], str],
    ) -> OrderView:
        """Order something of a machine.

        Whether the person may was checked before.

        Args:
            machine: The one that has the device.
            person: Who asks.
            device_id: The device.
            kind: Names what is to be done.
            given: Its values, which become JSON.
            what: Makes the end of the sentence "Asked car to …" of the device's name.
        """
        order = self._orders.add(
            NewOrder(
                device_id=device_id,
                user_id=person.user_id,
                machine=machine,
                kind=kind,
                given=json.dumps(given),
                what=what(self._registry.name_of(device_id)),
            )
        )
        self._bus.publish(OrdersArrived())
        self._bus.publish(NoticesChanged())
        return self._view(order, self._heard())

    def of(self, person: Person) -> Sequence[OrderView]:
        """Return the orders of a person that are to be shown, the newest first."""
        if not self._registry.is_shared:
            return ()
        orders = self._orders.of(person.user_id)
        heard = self._heard() if any(one.is_open for one in orders) else {}
        return [self._view(one, heard) for one in orders]

    def drop(self, person: Person, order_id: int) -> None:
        """Withdraw an order, or show it no more.

        Raises:
            errors.NotVisible: There is none of this person's, or it is being carried out now.
        """
        if not self._orders.drop(person.user_id, order_id):
            raise NotVisible
        self._bus.publish(NoticesChanged())

    def withdraw(self, person: Person, order_id: int) -> bool:
        """Withdraw an order of this person; return whether nobody had begun it."""
        is_withdrawn = self._orders.drop(person.user_id, order_id, is_open=True)
        if is_withdrawn:
            self._bus.publish(NoticesChanged())
        return is_withdrawn

    def find_result(self, person: Person, device_id: str, kind: str) -> str | None:
        """Return the JSON of what a machine found for this person not long ago.

        None if it found nothing, or if they had something else done there since.
        """
        for one in self._orders.of(person.user_id):
            if one.device_id == device_id and one.state is OrderState.DONE:
                if one.kind == kind:
                    return one.result
                if one.result is None:
                    return None
        return None

    def tell_changes(self) -> None:
        """Tell open pages when another process has changed orders since the last time."""
        mark = self._orders.mark()
        before, self._mark = self._mark, mark
        if mark != before:
            self._bus.publish(NoticesChanged())

    def end_stale(self) -> None:
        """End the orders that nobody carries out; once in an installation."""
        if self._orders.end_stale(WORN_OUT, EXPIRED):
            self._bus.publish(NoticesChanged())

    def _heard(self) -> Mapping[str, datetime]:
        return {one.name: one.heard_at for one in self._processes.machines()}

    def _view(self, order: Order, heard: Mapping[str, datetime]) -> OrderView:
        heard_at = heard.get(order.machine)
        is_waiting = order.is_open and order.process_id is None
        return OrderView(
            id=order.id,
            device_id=order.device_id,
            kind=order.kind,
            machine=order.machine,
            what=order.what,
            state=order.state,
            made_at=order.made_at,
            is_running=order.is_open and not is_waiting,
            silent_since=heard_at
            if is_waiting and is_silent(heard_at, self._clock.now())
            else None,
            answer=order.answer or "",
        )
