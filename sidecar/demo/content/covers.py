"""Builds cover pictures as ffmpeg filter graphs: a gradient of two colours with rings or waves.

Each album looks different at a glance. Nothing is drawn here; `content.media` runs it.
"""

from __future__ import annotations

from random import Random

from sidecar.demo.content.recipe import Colours

SQUARE = (500, 500)
POSTER = (400, 600)


def cover(colours: Colours, size: tuple[int, int], seed: int) -> str:
    """Return a graph with the picture as its only frame; the same seed gives the same picture."""
    draw = Random(seed)  # noqa: S311 -- a picture, not a secret: the same seed must draw the same
    width, height = size
    across, down = draw.uniform(0.2, 0.8), draw.uniform(0.2, 0.8)
    pattern = draw.choice(
        (
            f"sin(hypot(X-{across:.2f}*W,Y-{down:.2f}*H)/{draw.uniform(9, 22):.1f})",
            f"sin(Y/{draw.uniform(12, 24):.1f}+3*sin(X/{draw.uniform(40, 90):.1f}))",
            f"sin(6.283*{draw.randrange(5, 12)}*atan2(Y-{down:.2f}*H,X-{across:.2f}*W)/6.283)",
        )
    )
    mix = "(X/W+Y/H)/2"
    channels = ":".join(
        f"{name}='clip({start}+({end}-({start}))*{mix}+24*{pattern},0,255)'"
        for name, start, end in zip("rgb", *colours, strict=True)
    )
    return f"color=black:size={width}x{height}:rate=1:duration=1,format=gbrp,geq={channels}"
