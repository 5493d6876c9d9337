"""JSON that others wrote, read within bounds: how long it is, how many values it has, how deep.

A few megabytes of brackets become gigabytes of values, and a deep text ends whoever reads it. So
values are counted before the first of them is made.
"""

from __future__ import annotations

import json
from typing import Any

# Of what every value begins with, or is parted from the one before by.
_STARTS = (b",", b"[", b"{")


class UnboundedJson(ValueError):
    """It is longer, or of more values, than anybody would write who means well."""


def check_bounds(content: bytes | bytearray, *, most_bytes: int, most_values: int) -> None:
    """Return if a text cannot become more than so much; whether it is JSON is not looked at.

    Raises:
        UnboundedJson: It can.
    """
    if len(content) > most_bytes:
        raise UnboundedJson(f"longer than {most_bytes} bytes")
    # Signs inside of texts are counted as well: the bounds leave room for these.
    if sum(map(content.count, _STARTS)) > most_values:
        raise UnboundedJson(f"more than {most_values} values")


def read_json(content: bytes | bytearray, *, most_bytes: int, most_values: int) -> Any:  # noqa: ANN401 - JSON
    """Return what a text says.

    Raises:
        ValueError: It is no JSON, or out of bounds; `UnboundedJson` if it is too much.
    """
    check_bounds(content, most_bytes=most_bytes, most_values=most_values)
    try:
        return json.loads(content)
    except RecursionError:
        raise UnboundedJson("far too deep") from None
