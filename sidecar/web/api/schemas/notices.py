"""Schemas of notices."""

from typing import Literal

from sidecar.web.api.schemas.base import Schema


class Notice(Schema):
    """A notice for a person, such as a missing device."""

    kind: str
    level: Literal["info", "warning", "error"]
    text: str
