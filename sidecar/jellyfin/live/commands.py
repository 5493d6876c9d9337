"""Parses remote-control commands from other clients.

The server has expanded albums and the like, and has shuffled or mixed where that was asked for,
before it sends a command. Nothing is carried out here.
"""

from dataclasses import dataclass
from typing import Literal

from sidecar.domain.playback.cast_queue import CastPosition
from sidecar.jellyfin.models import Count, Id, JellyfinModel, Many, Maybe


@dataclass(frozen=True, slots=True)
class PlayOrder:
    """A command to play items.

    Attributes:
        item_ids: In order; a container only if the server did not expand it.
        start: Index of the first to play; 0 unless the person chose one in the middle.
        by: The user who sent it; None if the server does not say.
    """

    item_ids: tuple[str, ...]
    when: CastPosition
    start: int = 0
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """Any other command: `Stop`, `Pause`, `DisplayMessage` and the like."""

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
        """Convert the frame."""
        told = self.data
        ids = tuple(one for one in told.item_ids if one is not None)
        return PlayOrder(ids, told.play_command, told.start_index, told.controlling_user_id)


class PlaystateFrame(JellyfinModel):
    """`Playstate`."""

    message_type: Literal["Playstate"]
    data: _Playstate

    def to_value(self) -> Command:
        """Convert the frame."""
        return Command(self.data.command, self.data.controlling_user_id)


class GeneralCommandFrame(JellyfinModel):
    """`GeneralCommand`."""

    message_type: Literal["GeneralCommand"]
    data: _General

    def to_value(self) -> Command:
        """Convert the frame."""
        return Command(self.data.name, self.data.controlling_user_id)
