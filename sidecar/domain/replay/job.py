"""What a replay is asked to do, as JSON for the child process that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from sidecar.domain.fill.choice import FULL, FillLimits
from sidecar.domain.rules.context import RuleSettings
from sidecar.domain.rules.registry import RULE_OF


@dataclass(frozen=True, slots=True)
class Budget:
    """The space of a device: bytes, or a share of the library in per cent."""

    amount: float
    is_share: bool

    def of(self, library: int) -> int:
        """Return the bytes, for a library of this size."""
        return int(library * self.amount / FULL) if self.is_share else int(self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayJob:
    """What is to be replayed.

    Attributes:
        settings: Of the rules, by their names.
        limits: Of `fill`.
    """

    budgets: Sequence[Budget]
    settings: Mapping[str, RuleSettings]
    limits: FillLimits

    def to_json(self) -> dict[str, object]:
        """Return it as JSON for `from_json`."""
        return {
            "budgets": [[one.amount, one.is_share] for one in self.budgets],
            "settings": {name: _to_plain(one) for name, one in self.settings.items()},
            "limits": _to_plain(self.limits),
        }

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> ReplayJob:
        """Return it from the JSON of `to_json`."""
        return ReplayJob(
            budgets=[Budget(amount, is_share) for amount, is_share in told["budgets"]],
            settings={
                name: RULE_OF[name].settings(**_from_plain(values))
                for name, values in told["settings"].items()
            },
            limits=FillLimits(**told["limits"]),
        )


def _to_plain(settings: RuleSettings | FillLimits) -> dict[str, object]:
    values = {one.name: getattr(settings, one.name) for one in fields(settings)}
    return {
        name: {"seconds": one.total_seconds()} if isinstance(one, timedelta) else one
        for name, one in values.items()
    }


def _from_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: timedelta(seconds=one["seconds"]) if isinstance(one, dict) else one
        for name, one in values.items()
    }
