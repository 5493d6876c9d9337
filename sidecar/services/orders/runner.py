"""Carries out the orders for the devices of this machine, one after the other.

Whoever gave it may have lost their rights since: the call checks them again. An order may be begun
twice, when the machine dies in the middle; what was done already is then done, and stays so.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import partial
from threading import Event

from pydantic import TypeAdapter, ValidationError

from sidecar.domain.processes.orders import MOST_TRIES, OrderState
from sidecar.errors import DatabaseError, NotPossible, NotVisible, SidecarError
from sidecar.events import Bus, NewsMissed, NoticesChanged, OrdersArrived
from sidecar.events import Event as News
from sidecar.messages import msg
from sidecar.process.threads import Wakeup, log_failure, run_periodically
from sidecar.services.accounts.person import Person
from sidecar.services.devices.orders import WORN_OUT
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.orders.kinds import OrderKinds
from sidecar.services.processes.told_values import write_value
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.orders import Order, Orders

log = logging.getLogger(__name__)

# An order is told as an event; without Redis it is found by looking.
EVERY_S = 2.0
NOT_ANY_MORE = msg("You may not do this any more")
NOT_KNOWN = msg("The sidecar there is of another version and does not know how: update it")
ODD = msg("Something went wrong there, and was written to its log")


class OrderRunner:
    """Takes orders and carries them out. One thread runs it."""

    def __init__(
        self,
        kinds: OrderKinds,
        orders: Orders,
        registry: DeviceRegistry,
        account: Callable[[str], Account | None],
        bus: Bus,
    ) -> None:
        """Prepare.

        Args:
            kinds: What can be ordered.
            orders: All orders.
            registry: The devices of this machine.
            account: Finds an account by its id.
            bus: Told when an order has begun or ended.
        """
        self._kinds = kinds.by_name()
        self._orders = orders
        self._registry = registry
        self._account = account
        self._bus = bus
        self.wakeup = Wakeup()

    def hear(self, news: News) -> None:
        """Listen to the bus: look for orders at once when there may be one."""
        if isinstance(news, OrdersArrived | NewsMissed):
            self.wakeup.set()

    def run(self, stop: Event) -> None:
        """Step every two seconds, and whenever an order is told, until `stop` is set."""
        rest = partial(self.wakeup.wait, EVERY_S)
        run_periodically(partial(self.step, stop), stop, rest, "carrying out orders")

    def step(self, stop: Event | None = None) -> None:
        """Carry out all orders for the devices that are here."""
        while stop is None or not stop.is_set():
            order = self._orders.take(self._registry.ids_to_act_on())
            if order is None:
                return
            self._bus.publish(NoticesChanged())
            state, answer, result = self._carry_out(order)
            self._orders.end(order.id, state, answer, result)
            log.info("an order to %s is over: %s: %s", order.what, state, answer)
            self._bus.publish(NoticesChanged())

    def _carry_out(self, order: Order) -> tuple[OrderState, str, str | None]:
        if order.tries > MOST_TRIES:
            return OrderState.FAILED, WORN_OUT, None
        try:
            return self._act(order)
        except NotVisible:
            return OrderState.REFUSED, NOT_ANY_MORE, None
        except ValidationError:
            return OrderState.REFUSED, NOT_KNOWN, None
        except DatabaseError:
            # It is taken again when the database answers.
            raise
        except SidecarError as refused:
            return OrderState.REFUSED, str(refused), None
        except Exception as error:  # noqa: BLE001 - it is logged, and the others go on
            log_failure(error, f"carrying out an order to {order.what}")
            return OrderState.FAILED, ODD, None

    def _act(self, order: Order) -> tuple[OrderState, str, str | None]:
        kind, account = self._kinds.get(order.kind), self._account(order.user_id)
        if kind is None:
            raise NotPossible(NOT_KNOWN)
        if account is None or not account.is_signed_in:
            raise NotVisible
        person = Person(account.user_id, account.name, account.is_admin)
        kind.check(person, order.device_id)
        given = TypeAdapter(kind.given).validate_python(json.loads(order.given))
        result = kind.act(person, order.device_id, *given)
        shown = write_value(result) if kind.result is not None else None
        return OrderState.DONE, kind.tell(result), shown
