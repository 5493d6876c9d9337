"""Changes what is right into what is nearly right: the same for the same numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

LONGEST = 400_000
SIGNS = (b"\0", b"\xff", b"[", b"{", b'"', b"\\", b"\n", b"\t", b":", b",", b"/", b"-", b"..", b"%")
NUMBERS = (b"0", b"-1", b"1e999", b"9" * 30, b"9" * 5000, b"2147483648", b"18446744073709551616")
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**40, 1.5, 1e308, "", " ", "\0", "\ud800"),
    *("x" * 5000, "../../etc/passwd", "/", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"),
    *("NaN", "\u202e", [], {}, [[]], [None], {"": None}, [{}] * 50, "0" * 32, "g" * 32),
)


def mutated(seeds: Sequence[bytes], dice: Random) -> bytes:
    """Return one of the seeds, changed in a few places."""
    seed = dice.choice(seeds)
    is_json = seed[:1] in {b"{", b"["}
    if is_json and dice.random() < 0.6:
        return _rewritten(seed, dice)
    content = bytearray(seed)
    for _ in range(dice.randint(1, 6)):
        _edit(content, seeds, dice)
    return bytes(content[:LONGEST])


def _edit(content: bytearray, seeds: Sequence[bytes], dice: Random) -> None:
    # Structures are at the beginning more often than not.
    most = len(content) if dice.random() < 0.5 else min(600, len(content))
    at = dice.randint(0, max(0, most))
    length = dice.choice((1, 2, 4, 8, 64, 2000))
    match dice.randint(0, 8):
        case 0:
            content[at : at + 1] = bytes([dice.randrange(256)])
        case 1:
            content[at : at + length] = dice.randbytes(length)
        case 2:
            del content[at : at + length]
        case 3:
            content[at:at] = content[at : at + length] * dice.choice((1, 3, 50))
        case 4:
            del content[at:]
        case 5:
            content[at:at] = dice.choice(SIGNS) * dice.choice((1, 2, 3000))
        case 6:
            content[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))
        case 7:
            content[at:at] = dice.choice(NUMBERS)
        case _:
            other = dice.choice(seeds)
            start = dice.randint(0, len(other))
            content[at : at + length] = other[start : start + length * 10]


def _rewritten(seed: bytes, dice: Random) -> bytes:
    """Values in place of others, of whatever kind; keys in other cases, missing and doubled."""
    told = json.loads(seed)
    for _ in range(dice.randint(1, 5)):
        told = _changed(told, dice)
    return json.dumps(told).encode()


def _changed(told: Any, dice: Random) -> Any:  # noqa: ANN401 - JSON
    if dice.random() < 0.15:
        return dice.choice(ODD)
    if isinstance(told, dict) and told:
        key = dice.choice(sorted(told))
        changed = dict(told)
        match dice.randint(0, 9):
            case 0:
                del changed[key]
            case 1:
                changed[key.lower()] = changed.pop(key)
            case 2:
                changed[key] = [told[key]] * dice.choice((2, 300))
            case _:
                changed[key] = _changed(told[key], dice)
        return changed
    if isinstance(told, list) and told:
        place = dice.randrange(len(told))
        match dice.randint(0, 5):
            case 0:
                return [*told, *told] if len(told) < 200 else told
            case 1:
                return told[:place]
            case _:
                return [*told[:place], _changed(told[place], dice), *told[place + 1 :]]
    return dice.choice(ODD)
