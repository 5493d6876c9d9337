"""Builds synthetic music and noise as ffmpeg filter graphs that end in `[sound]`.

A song is a loop of four soft chords with a plucked melody above them, its key, tempo and tune
drawn from its seed: the same seed always sounds the same. No audio is computed here.
"""

from __future__ import annotations

from random import Random

_SEMITONE = 2 ** (1 / 12)
_LOWEST_ROOT_HZ = 110.0
_MAJOR_CHORD, _MINOR_CHORD = (0, 4, 7), (0, 3, 7)
_PROGRESSIONS = (
    ((0, _MAJOR_CHORD), (7, _MAJOR_CHORD), (9, _MINOR_CHORD), (5, _MAJOR_CHORD)),
    ((9, _MINOR_CHORD), (5, _MAJOR_CHORD), (0, _MAJOR_CHORD), (7, _MAJOR_CHORD)),
    ((0, _MAJOR_CHORD), (9, _MINOR_CHORD), (5, _MAJOR_CHORD), (7, _MAJOR_CHORD)),
    ((2, _MINOR_CHORD), (7, _MAJOR_CHORD), (0, _MAJOR_CHORD), (9, _MINOR_CHORD)),
)
_NOTES_A_CHORD = 4


def music(seed: int, seconds: int, sample_rate: int) -> str:
    """Return a stereo graph of a soft looping tune."""
    draw = Random(seed)  # noqa: S311 -- a tune, not a secret: the same seed must play the same
    root = _LOWEST_ROOT_HZ * _SEMITONE ** draw.randrange(12)
    bar = draw.choice((1.6, 2.0, 2.4))
    chords = draw.choice(_PROGRESSIONS)
    pads, plucks = [], []
    for index, (step, intervals) in enumerate(chords):
        notes = [root * _SEMITONE ** (step + interval) for interval in intervals]
        pads.append(_pad([notes[0] / 2, *notes], bar, sample_rate, f"pad{index}"))
        plucks += [
            _pluck(draw.choice(notes) * draw.choice((2, 4)), bar / _NOTES_A_CHORD, sample_rate)
            for _ in range(_NOTES_A_CHORD)
        ]
    loop_samples = round(bar * len(chords) * sample_rate)
    return ";".join(
        (
            *pads,
            *(f"{pluck}[note{index}]" for index, pluck in enumerate(plucks)),
            _in_a_row("pad", len(pads), "low"),
            _in_a_row("note", len(plucks), "high"),
            _finish(loop_samples, seconds),
        )
    )


def rain(seed: int, seconds: int, sample_rate: int) -> str:
    """Return a stereo graph of quiet noise, which no lossless codec can make small."""
    sides = (
        f"anoisesrc=color=white:amplitude=0.12:seed={seed + side}:sample_rate={sample_rate}"
        f":duration={seconds}:nb_samples=8192[{name}]"
        for side, name in enumerate(("left", "right"))
    )
    merged = f"[left][right]join=inputs=2:channel_layout=stereo,{_ends(seconds)}[sound]"
    return ";".join((*sides, merged))


def _pad(notes: list[float], seconds: float, sample_rate: int, name: str) -> str:
    voices = [
        f"sine=frequency={note:.2f}:duration={seconds}:sample_rate={sample_rate}[{name}v{index}]"
        for index, note in enumerate(notes)
    ]
    mixed = "".join(f"[{name}v{index}]" for index in range(len(notes)))
    return (
        f"{';'.join(voices)};{mixed}amix=inputs={len(notes)}:normalize=0,volume=0.7,"
        f"afade=t=in:d={seconds * 0.2:.2f}:curve=qsin,"
        f"afade=t=out:st={seconds * 0.6:.2f}:d={seconds * 0.4:.2f}[{name}]"
    )


def _pluck(note: float, seconds: float, sample_rate: int) -> str:
    return (
        f"sine=frequency={note:.2f}:duration={seconds}:sample_rate={sample_rate},"
        f"afade=t=in:d=0.01,afade=t=out:st=0.02:d={seconds - 0.02:.3f}:curve=cub"
    )


def _in_a_row(name: str, count: int, result: str) -> str:
    inputs = "".join(f"[{name}{index}]" for index in range(count))
    return f"{inputs}concat=n={count}:v=0:a=1[{result}]"


def _finish(loop_samples: int, seconds: int) -> str:
    """Mix and repeat the tune, with a slight delay on the right channel."""
    return (
        f"[low][high]amix=inputs=2:normalize=0,volume=2.5,aloop=loop=-1:size={loop_samples},"
        f"atrim=end={seconds},{_ends(seconds)},aformat=channel_layouts=stereo,"
        f"adelay=0|11,aecho=0.8:0.6:190|310:0.3|0.18,atrim=end={seconds}[sound]"
    )


def _ends(seconds: int) -> str:
    """Fade in and out, so that no file begins or ends with a click."""
    return f"afade=t=in:d=1,afade=t=out:st={seconds - 2}:d=2"
