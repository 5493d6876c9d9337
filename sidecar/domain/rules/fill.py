"""The fill rule: wants what people will probably play next, for the room that others leave.

The choice is made once a day for all people of a device, by `domain.fill`; here each of them wishes
their part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from sidecar.domain.fill.choice import FillLimits
from sidecar.domain.rules.context import (
    ComputedRule,
    Context,
    RuleSettings,
    Wake,
    Wanted,
    enabled_setting,
    grace_setting,
    slider_setting,
    switch,
    whole_number_setting,
)
from sidecar.domain.wishes import EvictionClass, Reason
from sidecar.messages import translatable

NAME = "fill"
USUAL = FillLimits()
DISCOVERY = MappingProxyType(
    {
        0: translatable("familiar"),
        25: translatable("rather familiar"),
        50: translatable("balanced"),
        75: translatable("rather new"),
        100: translatable("new"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSettings(RuleSettings):
    """Off by default: nobody has asked for these files.

    Attributes:
        discovery, turnover, of_album, of_artist, sure_share, whole_albums: As of `FillLimits`.
    """

    enabled: bool = enabled_setting(default=False)
    grace: timedelta = grace_setting(timedelta(0))
    discovery: int = slider_setting(
        USUAL.discovery,
        named=DISCOVERY,
        label=translatable("From familiar to new"),
        details=translatable("How much of it was never played."),
    )
    turnover: int = whole_number_setting(
        USUAL.turnover,
        least=0,
        most=1000,
        label=translatable("Change at most in a week, in per cent"),
        details=translatable(
            "Of the room that is filled. What is begun and not heard to its end stays."
        ),
    )
    of_album: int = whole_number_setting(
        USUAL.of_album,
        least=0,
        most=1000,
        label=translatable("Tracks of one album at most (0 = any number)"),
    )
    of_artist: int = whole_number_setting(
        USUAL.of_artist,
        least=1,
        most=100,
        label=translatable("Of one artist at most, in per cent"),
        details=translatable("Of the room that is filled, as long as there is something else."),
    )
    sure_share: int = whole_number_setting(
        USUAL.sure_share,
        least=0,
        most=100,
        label=translatable("Sure for each person, in per cent"),
        details=translatable("Of an equal share, if several people use the device."),
    )
    whole_albums: bool = switch(
        default=USUAL.whole_albums,
        label=translatable("Whole albums"),
        details=translatable("Instead of single tracks."),
    )

    @property
    def limits(self) -> FillLimits:
        """The same as what limits the choice."""
        return FillLimits(
            discovery=self.discovery,
            turnover=self.turnover,
            of_album=self.of_album,
            of_artist=self.of_artist,
            sure_share=self.sure_share,
            whole_albums=self.whole_albums,
        )


def make_wishes(context: Context[FillSettings]) -> Wanted:
    """Return wishes for the account's part of what was chosen; until then what is there stays."""
    if context.filling is None:
        return Wanted(unsure_of=context.held_sources)
    # What is there keeps the reason for which it came: nothing is written for it each day.
    known = {(one.item_id, one.reason.source_id): one.reason.text for one in context.held}
    wishes = []
    for one in context.filling:
        source = one.item.album_id or one.item.id
        why = Reason(NAME, source, known.get((one.item.id, source), one.text))
        wishes.append(context.wish(one.item, why))
    return Wanted(tuple(wishes))


RULE = ComputedRule(
    name=NAME,
    label=translatable("Fill what is left"),
    description=translatable(
        "The space that nothing else needs is filled with what you will probably play next. "
        "It goes first when anything else needs the space."
    ),
    icon="hourglass",
    strength=EvictionClass.FILLING,
    order=80,
    settings=FillSettings,
    wakes_on=frozenset({Wake.FILLING, Wake.HOUR}),
    wishes=make_wishes,
)
