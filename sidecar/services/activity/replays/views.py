"""What the page and the API show of replays, and what people ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sidecar.config.budgets import read_budgets
from sidecar.domain.replay.job import Budget
from sidecar.domain.replay.report import AdviceReport, Report
from sidecar.errors import SidecarError
from sidecar.messages import msg


class ReplayState(StrEnum):
    """How far a person's replay is."""

    NONE = "none"
    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"


class ReplayRefused(SidecarError):
    """A replay cannot be begun, or a part of a file cannot be taken."""


def parse_budgets(texts: Sequence[str]) -> Sequence[Budget]:
    """Return the sizes in these texts.

    Raises:
        ReplayRefused: One is none.
    """
    try:
        return list(dict.fromkeys(one for text in texts for one in read_budgets(text)))
    except ValueError as wrong:
        raise ReplayRefused(
            msg(
                "“{text}” is no size: write 32 GB, or 5 % for a share of the library",
                text=str(wrong)[:40],
            )
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What a person wants replayed.

    Attributes:
        device_id: The device whose settings count; None for those of the settings file.
        is_household: Everybody's plays, for admins.
        is_uploaded: The plays of the file that was uploaded before.
    """

    budgets: Sequence[Budget]
    device_id: str | None = None
    is_household: bool = False
    is_uploaded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReplay:
    """A finished replay, kept until the next one.

    Attributes:
        device_id, device_name: Whose settings counted; None and empty for those of the file.
        bad_rows: How many rows of the file could not be read.
        bad_lines: Where the first of these are.
    """

    at: datetime
    device_id: str | None
    device_name: str
    is_household: bool
    is_uploaded: bool
    report: Report
    bad_rows: int = 0
    bad_lines: Sequence[int] = ()

    def advice(self, budget: int) -> AdviceReport | None:
        """Return what is recommended for a budget."""
        return next((one for one in self.report.recommended if one.budget == budget), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """How far a person's replay is, and the last result.

    Attributes:
        progress: From 0 to 1.
        refused: Why the last one failed.
    """

    state: ReplayState
    progress: float = 0.0
    refused: str | None = None
    kept: KeptReplay | None = None
