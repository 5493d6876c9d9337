"""Decides whether a media file is whole, from what was found in it.

    its end is missing ──────────────────────────────────────────▶ cut
    its end is there ──────┬─▶ as long as it should be ──────────▶ whole
                           └─▶ shorter: perhaps another version ─▶ unknown
    its kind states no end ┬─▶ exactly as long as it should be ──▶ whole
                           ├─▶ shorter ──────────────────────────▶ cut
                           └─▶ else ─────────────────────────────▶ unknown

Both "whole" and "cut" need proof; all else is unknown, which never counts as whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Where the end itself is proved, the length only has to be plausible: encoders pad the beginning,
# servers round, and a damaged frame in the middle is not played.
PLAUSIBLE_S = 1.0
PLAUSIBLE_PART = 0.01
# Where only the length can prove the end. Less than a frame of MP3 (26 ms), so that a lost one
# is seen.
EXACT_S = 0.02


class Verdict(StrEnum):
    """Whether a file is whole."""

    WHOLE = "whole"
    CUT = "cut"
    UNKNOWN = "unknown"


class Ending(StrEnum):
    """What a file's structure shows about its end; `UNSTATED` if its format has no end mark."""

    PRESENT = "present"
    MISSING = "missing"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Wholeness:
    """The verdict on a file.

    Attributes:
        detail: One plain clause: "decodes 61 of 203 seconds".
        seconds: Its length; None if unknown.
    """

    verdict: Verdict
    detail: str
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found in a file.

    Attributes:
        why: A clause on what proves the ending, or on what is missing.
        reached: Seconds up to which it has content.
        declared: Its length by its own header, in seconds.
        is_dependable: Whether other programs can know its length. They guess it where frames
            vary in size and their number is not stored.
        grain: The precision of `reached`, in seconds.
        was_decoded: Whether `reached` comes from a decoder.
        errors: The decoder's errors.
    """

    ending: Ending = Ending.UNSTATED
    why: str = "nothing in it tells its end"
    reached: float | None = None
    declared: float | None = None
    is_dependable: bool = True
    grain: float = 0.0
    was_decoded: bool = False
    errors: int = 0


def judge(found: Evidence, expected_seconds: float | None) -> Wholeness:
    """Decide whether a file is whole.

    Args:
        found: What was found in it.
        expected_seconds: Its length as the server knows it; None if unknown.
    """
    expected = expected_seconds if expected_seconds and expected_seconds > 0 else None
    seconds = found.reached if found.reached is not None else found.declared
    verdict, detail = _decide(found, seconds, expected)
    return Wholeness(verdict, detail, seconds)


def _decide(found: Evidence, seconds: float | None, expected: float | None) -> tuple[Verdict, str]:
    if found.ending is Ending.MISSING:
        return Verdict.CUT, found.why
    is_there = found.ending is Ending.PRESENT
    if seconds is None:
        is_proved = is_there and expected is None
        return (Verdict.WHOLE if is_proved else Verdict.UNKNOWN), found.why
    should_be = max(found.declared or 0.0, expected or 0.0)
    verb = "decodes" if found.was_decoded else "has"
    has, of = _format_seconds(seconds, should_be), _format_seconds(should_be, seconds)
    lacks = f"{verb} {has} of {of} seconds"
    if seconds < should_be - max(PLAUSIBLE_S, should_be * PLAUSIBLE_PART):
        if is_there:
            return Verdict.UNKNOWN, f"{lacks}, although its end is there: {found.why}"
        return (Verdict.CUT if found.is_dependable else Verdict.UNKNOWN), lacks
    if is_there:
        return Verdict.WHOLE, found.why
    return _judge_length(found, seconds, expected, verb)


def _judge_length(
    found: Evidence, seconds: float, expected: float | None, verb: str
) -> tuple[Verdict, str]:
    """Decide by length alone: it has to be exact, and without decoder errors."""
    is_exact = expected is not None and abs(seconds - expected) <= max(EXACT_S, found.grain)
    if is_exact and not found.errors:
        return Verdict.WHOLE, f"{verb} all of its {expected:.1f} seconds"
    on_the_way = ", with errors on the way" if found.errors else ""
    return Verdict.UNKNOWN, f"{verb} {seconds:.2f} seconds{on_the_way}, and {found.why}"


def _format_seconds(one: float, other: float) -> str:
    """Format two lengths in whole seconds, or finer if those would look the same."""
    return f"{one:.0f}" if abs(one - other) >= 1 else f"{one:.2f}"
