"""The kinds of columns that SQLite does not have: what they are in the file, and outside.

Times are integers of milliseconds in the file and aware datetimes outside.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import peewee

from sidecar.domain.downloads.download import Status, Validator
from sidecar.messages import restore, store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# A look-up takes a fifth of the time of a call of the class.
STATUSES = {one.value: one for one in Status}


class StatusField(peewee.TextField):
    """The state of a download."""

    def db_value(self, value: Status | None) -> str | None:
        """Return its name as plain text, which a member is not for each driver."""
        return None if value is None else STATUSES[value].value

    def python_value(self, value: str | None) -> Status | None:
        """Return the state."""
        return None if value is None else STATUSES[value]


class MomentField(peewee.IntegerField):
    """A point in time, to the millisecond."""

    def db_value(self, value: datetime | None) -> int | None:
        """Return the milliseconds since 1970."""
        return None if value is None else (value - EPOCH) // MILLISECOND

    def python_value(self, value: int | None) -> datetime | None:
        """Return the aware time."""
        return None if value is None else EPOCH + value * MILLISECOND


class MessageField(peewee.TextField):
    """A sentence for people; in rows of earlier versions it is plain English text."""

    def db_value(self, value: str | None) -> str | None:
        """Return a message as JSON, plain text as it is."""
        return None if value is None else store(value)

    def python_value(self, value: str | None) -> str | None:
        """Return the message, or the plain text."""
        return None if value is None else restore(value)


class ValidatorField(peewee.TextField):
    """What a part file's bytes belong to; NULL if there are none that count."""

    def db_value(self, value: Validator | None) -> str | None:
        """Return a JSON list: what the server wrote, the length."""
        return None if value is None else json.dumps([value.last_modified, value.total])

    def python_value(self, value: str | None) -> Validator | None:
        """Return the validator."""
        if value is None:
            return None
        last_modified, total = json.loads(value)
        return Validator(last_modified, total)
