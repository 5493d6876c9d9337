"""What the pages and the API do in the same way, and how much they take for it."""

from __future__ import annotations

from http import HTTPStatus

from sidecar.services.downloads.undo import UndoRecord
from sidecar.web.i18n.numbers import translatable
from sidecar.web.request.errors import ApiError
from sidecar.web.security import auth
from sidecar.web.services import WebServices

MOST_ITEMS = 100
MOST_MATCHES = 1000
# Of each kind, in a saved filter.
MOST_VALUES = 10
LONGEST_PATH = 4096
# Of a device.
LONGEST_NAME = 60
LONGEST_TOKEN = 40
LONGEST_LABEL = 100
TOO_MANY = translatable("This account has too many keys: revoke one that is not needed any more.")
NOT_BY_KEY = translatable("A key makes no other keys: sign in with your name and password.")
OVER = translatable(
    "This cannot be undone any more: it was too long ago, was undone already, or another machine "
    "has begun it."
)


def take_back(services: WebServices, token: str) -> UndoRecord:
    """Undo the action of the current person that has this token.

    Raises:
        ApiError: The token has expired or was used already (409).
    """
    record = services.undo.undo(auth.person(), token)
    if record is None:
        raise ApiError(HTTPStatus.CONFLICT, OVER, facts={"code": "over"})
    return record


def hidden_answered(
    services: WebServices, user_id: str, library: str | None, answer: str
) -> UndoRecord | None:
    """Carry out an answer about files that are hidden from an account; return how to undo it."""
    if answer == "keep":
        services.hidden.keep(auth.person(), user_id, library)
        return None
    reversal = services.hidden.let_go(auth.person(), user_id, library)
    files = len({(one.device_id, one.item_id) for one in reversal.holds})
    return services.undo.remember_one(auth.person(), "let_go_hidden", reversal, files)


def check_is_no_key() -> None:
    """Refuse a request that an API key makes: a stolen or expiring key could create its successor.

    Raises:
        ApiError: The request is authenticated by a key (403).
    """
    if auth.asker().key is not None:
        raise ApiError(HTTPStatus.FORBIDDEN, NOT_BY_KEY)
