"""Parses untrusted JSON with limits on its length, number of values and depth.

A few megabytes of brackets become gigabytes of Python objects, and deep nesting exhausts the
stack. So the values are counted before anything is parsed.
"""

from __future__ import annotations

import json
from typing import Any

# Every value but the first follows one of these bytes.
_STARTS = (b",", b"[", b"{")


class UnboundedJson(ValueError):
    """The JSON exceeds a limit on length, number of values or depth."""


def check_bounds(
    content: bytes | bytearray,
    *,
    most_bytes: int,
    most_values: int,
    most_objects: int | None = None,
) -> None:
    """Check the limits without parsing: the content need not be JSON.

    Raises:
        UnboundedJson: A limit is exceeded.
    """
    if len(content) > most_bytes:
        raise UnboundedJson(f"longer than {most_bytes} bytes")
    # Brackets and commas inside strings count too: the limits leave room for them.
    if sum(map(content.count, _STARTS)) > most_values:
        raise UnboundedJson(f"more than {most_values} values")
    if most_objects is not None and content.count(b"{") > most_objects:
        raise UnboundedJson(f"more than {most_objects} objects")


def read_json(content: bytes | bytearray, *, most_bytes: int, most_values: int) -> Any:  # noqa: ANN401 - JSON
    """Parse JSON.

    Raises:
        UnboundedJson: A limit is exceeded.
        ValueError: The content is not valid JSON.
    """
    check_bounds(content, most_bytes=most_bytes, most_values=most_values)
    try:
        return json.loads(content)
    except RecursionError:
        raise UnboundedJson("far too deep") from None
