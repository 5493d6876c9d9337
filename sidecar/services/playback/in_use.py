"""The items that play or come next, where one process hears it and another one makes room."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

from sidecar.store.meta import Meta

IN_USE = "items_in_use"


class SharedInUse:
    """Tells other processes what is in use, as `tell` heard it last. Nothing of it is removed."""

    def __init__(self, heard: Callable[[], Collection[str]], meta: Meta) -> None:
        self._heard = heard
        self._meta = meta
        self._told: str | None = None

    def tell(self) -> None:
        """Write what is in use, if that has changed; in the process that hears it."""
        text = json.dumps(sorted(self._heard()))
        if text != self._told:
            self._meta.set(IN_USE, text)
            self._told = text

    def read(self) -> Collection[str]:
        """Return what is in use; in the other ones."""
        return frozenset(json.loads(self._meta.get(IN_USE) or "[]"))
