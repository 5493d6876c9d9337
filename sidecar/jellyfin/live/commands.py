"""Remote-control commands from other clients: frames in, small values out.

The server has expanded albums and the like, and shuffled or mixed what was to be shuffled or mixed,
before the session hears of it. Nothing is obeyed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sidecar.domain.playback.cast_queue import CastPosition
from sidecar.jellyfin.models import Count, Id, JellyfinModel, Many, Maybe


@dataclass(frozen=True, slots=True)
class PlayOrder:
    """Somebody wants something to be played.

    Attributes:
        item_ids: In order; a container only if the server did not expand it.
        start: Which of them comes first; 0 unless they clicked one in the middle.
        by: The user who sent it; None if the server does not say.
    """

    item_ids: tuple[str, ...]
    when: CastPosition
    start: int = 0
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """Anything else that a player is told: `Stop`, `Pause`, `DisplayMessage` and the like."""

    name: str
    by: str | None = None


class _Play(JellyfinModel):
    item_ids: Many[Id] = ()
    play_command: CastPosition
    start_index: Count = 0
    controlling_user_id: Maybe[Id] = None


class _Playstate(JellyfinModel):
    command: str
    controlling_user_id: Maybe[Id] = None


class _General(JellyfinModel):
    name: str
    controlling_user_id: Maybe[Id] = None


class PlayFrame(JellyfinModel):
    """`Play`."""

    message_type: Literal["Play"]
    data: _Play

    def to_value(self) -> PlayOrder:
        """Return what it says."""
        told = self.data
        ids = tuple(one for one in told.item_ids if one is not None)
        return PlayOrder(ids, told.play_command, told.start_index, told.controlling_user_id)


class PlaystateFrame(JellyfinModel):
    """`Playstate`."""

    message_type: Literal["Playstate"]
    data: _Playstate

    def to_value(self) -> Command:
        """Return what it says."""
        return Command(self.data.command, self.data.controlling_user_id)


class GeneralCommandFrame(JellyfinModel):
    """`GeneralCommand`."""

    message_type: Literal["GeneralCommand"]
    data: _General

    def to_value(self) -> Command:
        """Return what it says."""
        return Command(self.data.name, self.data.controlling_user_id)
