"""Answers about machines that join."""

from sidecar.web.api.schemas.base import Moment, Schema


class JoinCode(Schema):
    """A code for one machine, and until when it works."""

    code: str
    ends_at: Moment


class Joined(Schema):
    """What a machine needs to take part; whoever has it can read and change everything."""

    database_url: str
    redis_url: str | None
    token_key: str
    jellyfin_url: str | None
