"""Routes for user data that people set by hand: favourites, played marks, positions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.formats import now, parse_date
from sidecar.demo.protocol.messages import ErrorReply, Reply, empty_reply, json_reply, problem_reply
from sidecar.demo.routes.routing import RequestContext, Route
from sidecar.demo.state.user_data import UserData
from sidecar.demo.state.users import DemoUser

_FIELDS = {
    "isfavorite": "is_favourite",
    "played": "played",
    "playcount": "play_count",
    "playbackpositionticks": "position_ticks",
    "lastplayeddate": "last_played",
    "rating": "rating",
    "likes": "likes",
}


def _favourite(ask: RequestContext) -> Reply:
    return _change(ask, lambda one: replace(one, is_favourite=True))


def _no_favourite(ask: RequestContext) -> Reply:
    return _change(ask, lambda one: replace(one, is_favourite=False))


def _change(ask: RequestContext, change: Callable[[UserData], UserData]) -> Reply:
    user = ask.on_behalf_of()
    item = ask.item(user)
    _save(ask, user, [item], change)
    return json_reply(ask.core.user_data_dto(user.id, item))


def _save(
    ask: RequestContext,
    user: DemoUser,
    items: list[DemoItem],
    change: Callable[[UserData], UserData],
) -> None:
    for item in items:
        before = ask.core.user_data.get(user.id, item)
        ask.core.user_data.save(user.id, item, change(before))
    ask.core.news.user_data_changed(user.id, items)
    ask.core.save_soon()


def _played(ask: RequestContext) -> Reply:
    on = _day(ask.request.value("datePlayed"))
    ask.session()
    return _tick(ask, lambda one: one.mark_played(on, now()))


def _unplayed(ask: RequestContext) -> Reply:
    return _tick(ask, UserData.mark_unplayed)


def _tick(ask: RequestContext, change: Callable[[UserData], UserData]) -> Reply:
    """Mark an item as played or not; for a folder also everything in it."""
    user = ask.on_behalf_of()
    item = ask.item(user)
    songs = list(ask.core.library.songs_of(item))
    _save(ask, user, [*songs, *([] if item in songs else [item])], change)
    return json_reply(ask.core.user_data_dto(user.id, item))


def _get(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    return json_reply(ask.core.user_data_dto(user.id, ask.item(user)))


def _post(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    if not (ask.asker.is_administrator or ask.asker.policy["EnableUserPreferenceAccess"]):
        return empty_reply(HTTPStatus.FORBIDDEN)
    given = {
        _FIELDS[name]: _date(value) if name == "lastplayeddate" else value
        for name, value in ask.request.fields().items()
        if name in _FIELDS and value is not None
    }
    item = ask.item(user)
    _save(ask, user, [item], lambda one: _replaced(one, given))
    return json_reply(ask.core.user_data_dto(user.id, item))


def _replaced(user_data: UserData, given: dict[str, Any]) -> UserData:
    return replace(user_data, **given)


def _day(text: str | None) -> datetime | None:
    if not text:
        return None
    if text.isdigit():
        # The older form, without any separators.
        try:
            return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            raise ErrorReply(problem_reply(HTTPStatus.BAD_REQUEST)) from None
    return _date(text)


def _date(text: object) -> datetime:
    try:
        return parse_date(str(text))
    except ValueError:
        raise ErrorReply(problem_reply(HTTPStatus.BAD_REQUEST)) from None


ROUTES = (
    Route("POST", "/UserFavoriteItems/{item}", _favourite),
    Route("DELETE", "/UserFavoriteItems/{item}", _no_favourite),
    Route("POST", "/Users/{user}/FavoriteItems/{item}", _favourite),
    Route("DELETE", "/Users/{user}/FavoriteItems/{item}", _no_favourite),
    Route("POST", "/UserPlayedItems/{item}", _played),
    Route("DELETE", "/UserPlayedItems/{item}", _unplayed),
    Route("GET", "/UserItems/{item}/UserData", _get),
    Route("POST", "/UserItems/{item}/UserData", _post),
)
