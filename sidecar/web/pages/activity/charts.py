"""Works out charts as shapes in a box of a hundred by forty, which the template draws as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 100.0
HEIGHT = 40.0
# Of the room of a bar, what stays empty beside it.
GAP = 0.2


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from the ground up; `part` is the height of the lower part in another colour."""

    x: float
    width: float
    height: float
    part: float


def bars(
    values: Sequence[float], parts: Sequence[float] = (), *, most: float | None = None
) -> list[Bar]:
    """Return a bar for each value, the highest as high as the box, or as `most` would be."""
    top = max([most or 0.0, *values])
    room = WIDTH / max(len(values), 1)
    lower = [*parts, *[0.0] * (len(values) - len(parts))]

    def high(value: float) -> float:
        return round(HEIGHT * value / top, 2) if top else 0.0

    return [
        Bar(round(place * room, 2), round(room * (1 - GAP), 2), high(value), high(part))
        for place, (value, part) in enumerate(zip(values, lower, strict=True))
    ]


def grouped(groups: Sequence[Sequence[float]]) -> list[list[Bar]]:
    """Return bars side by side for each group, with room between the groups.

    The highest of all is as high as the box.
    """
    top = max((value for group in groups for value in group), default=0.0)
    room = WIDTH / max(len(groups), 1)
    found = []
    for place, group in enumerate(groups):
        width = room * (1 - GAP) / max(len(group), 1)
        found.append(
            [
                Bar(
                    round(place * room + room * GAP / 2 + number * width, 2),
                    round(width * (1 - GAP / 2), 2),
                    round(HEIGHT * value / top, 2) if top else 0.0,
                    0.0,
                )
                for number, value in enumerate(group)
            ]
        )
    return found


def height_of(value: float, values: Sequence[float]) -> float:
    """Return how high a line for a value is drawn beside these."""
    top = max([value, *values])
    return round(HEIGHT * value / top, 2) if top else 0.0
