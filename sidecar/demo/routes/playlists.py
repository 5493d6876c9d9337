"""Routes for playlists: creating, reading and changing them."""

from __future__ import annotations

from http import HTTPStatus

from sidecar.demo.library.playlists import DemoPlaylist
from sidecar.demo.protocol.formats import parse_id
from sidecar.demo.protocol.messages import ErrorReply, Reply, empty_reply, json_reply, no_content
from sidecar.demo.routes.items import list_item
from sidecar.demo.routes.query_params import split_list
from sidecar.demo.routes.routing import RequestContext, Route
from sidecar.demo.state.users import DemoUser


def _create(ask: RequestContext) -> Reply:
    fields = ask.request.fields() if ask.request.body else {}
    owner = ask.person(str(fields.get("userid") or ask.request.value("userId") or ""))
    name = str(fields.get("name") or ask.request.value("name") or "Playlist")
    ids = [str(one) for one in fields.get("ids") or split_list(ask.request.values("ids"))]
    is_public = fields.get("ispublic") is not False
    made = ask.core.playlists.create(name, owner.id, _playable(ask, ids), is_public=is_public)
    _save_and_announce(ask, made, is_fresh=True)
    return json_reply({"Id": made.id})


def _summary(ask: RequestContext) -> Reply:
    playlist = _playlist(ask, ask.asker)
    return json_reply(
        {"OpenAccess": playlist.is_public, "Shares": [], "ItemIds": list(playlist.item_ids)}
    )


def _items(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    playlist = _playlist(ask, user)
    items = [item for one in playlist.item_ids if (item := ask.core.library.get(one))]
    seen = [item for item in items if ask.core.may_see(user, item)]
    start, limit = ask.number("startIndex") or 0, ask.number("limit")
    shown = seen[start : None if limit is None else start + limit]
    return json_reply(
        {
            "Items": [list_item(ask, user, one, PlaylistItemId=one.id) for one in shown],
            "TotalRecordCount": len(seen),
            "StartIndex": start,
        }
    )


def _add(ask: RequestContext) -> Reply:
    position = ask.number("position")
    ids = _playable(ask, split_list(ask.request.values("ids")))
    playlist = _require_owner(ask)
    playlist.add(ids, position)
    return _save_and_announce(ask, playlist)


def _remove(ask: RequestContext) -> Reply:
    playlist = _require_owner(ask)
    playlist.remove([parse_id(one) or "" for one in split_list(ask.request.values("entryIds"))])
    return _save_and_announce(ask, playlist)


def _move(ask: RequestContext) -> Reply:
    playlist = _require_owner(ask)
    position = ask.places["position"]
    entry = parse_id(ask.places["entry"]) or ""
    if not position.isdigit() or not playlist.move(entry, int(position)):
        return empty_reply(HTTPStatus.NOT_FOUND)
    return _save_and_announce(ask, playlist)


def _change(ask: RequestContext) -> Reply:
    playlist = _require_owner(ask)
    fields = ask.request.fields()
    playlist.name = str(fields.get("name") or playlist.name)
    if fields.get("ids") is not None:
        playlist.item_ids = _playable(ask, [str(one) for one in fields["ids"]])
    if fields.get("ispublic") is not None:
        playlist.is_public = bool(fields["ispublic"])
    return _save_and_announce(ask, playlist)


def _playable(ask: RequestContext, written: list[str]) -> list[str]:
    """Return the ids of the playable items among some, and of those in the folders among them."""
    items = (ask.core.find(parse_id(one)) for one in written)
    return [song.id for one in items if one for song in ask.core.library.songs_of(one)]


def _playlist(ask: RequestContext, user: DemoUser) -> DemoPlaylist:
    playlist = ask.core.playlists.by_id.get(parse_id(ask.places["item"]) or "")
    if playlist is None or not playlist.is_visible_to(user.id):
        raise ErrorReply(json_reply("Playlist not found", HTTPStatus.NOT_FOUND))
    return playlist


def _require_owner(ask: RequestContext) -> DemoPlaylist:
    playlist = _playlist(ask, ask.asker)
    if playlist.owner_id != ask.asker.id:
        raise ErrorReply(empty_reply(HTTPStatus.FORBIDDEN))
    return playlist


def _save_and_announce(
    ask: RequestContext, playlist: DemoPlaylist, *, is_fresh: bool = False
) -> Reply:
    added, updated = ([playlist.id], []) if is_fresh else ([], [playlist.id])
    ask.core.news.library_changed(added, updated, [])
    ask.core.save_soon()
    return no_content()


ROUTES = (
    Route("POST", "/Playlists", _create),
    Route("GET", "/Playlists/{item}", _summary),
    Route("POST", "/Playlists/{item}", _change),
    Route("GET", "/Playlists/{item}/Items", _items),
    Route("POST", "/Playlists/{item}/Items", _add),
    Route("DELETE", "/Playlists/{item}/Items", _remove),
    Route("POST", "/Playlists/{item}/Items/{entry}/Move/{position}", _move),
)
