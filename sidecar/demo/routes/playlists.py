"""Playlists: made, read in their order, changed by their owners."""

from __future__ import annotations

from http import HTTPStatus

from sidecar.demo.library.playlists import Playlist
from sidecar.demo.protocol.formats import undashed
from sidecar.demo.protocol.messages import Refused, Reply, blank, done, told
from sidecar.demo.routes.items import listed_item
from sidecar.demo.routes.query_params import listed
from sidecar.demo.routes.routing import Ask, Route
from sidecar.demo.state.users import User


def _create(ask: Ask) -> Reply:
    fields = ask.request.fields() if ask.request.body else {}
    owner = ask.person(str(fields.get("userid") or ask.request.value("userId") or ""))
    name = str(fields.get("name") or ask.request.value("name") or "Playlist")
    ids = [str(one) for one in fields.get("ids") or listed(ask.request.values("ids"))]
    is_public = fields.get("ispublic") is not False
    made = ask.core.playlists.create(name, owner.id, _playable(ask, ids), is_public=is_public)
    _changed(ask, made, is_fresh=True)
    return told({"Id": made.id})


def _summary(ask: Ask) -> Reply:
    playlist = _playlist(ask, ask.asker)
    return told(
        {"OpenAccess": playlist.is_public, "Shares": [], "ItemIds": list(playlist.item_ids)}
    )


def _items(ask: Ask) -> Reply:
    user = ask.on_behalf_of()
    playlist = _playlist(ask, user)
    items = [item for one in playlist.item_ids if (item := ask.core.library.get(one))]
    seen = [item for item in items if ask.core.sees(user, item)]
    start, limit = ask.number("startIndex") or 0, ask.number("limit")
    shown = seen[start : None if limit is None else start + limit]
    return told(
        {
            "Items": [listed_item(ask, user, one, PlaylistItemId=one.id) for one in shown],
            "TotalRecordCount": len(seen),
            "StartIndex": start,
        }
    )


def _add(ask: Ask) -> Reply:
    position = ask.number("position")
    ids = _playable(ask, listed(ask.request.values("ids")))
    playlist = _owned(ask)
    playlist.add(ids, position)
    return _changed(ask, playlist)


def _remove(ask: Ask) -> Reply:
    playlist = _owned(ask)
    playlist.remove([undashed(one) or "" for one in listed(ask.request.values("entryIds"))])
    return _changed(ask, playlist)


def _move(ask: Ask) -> Reply:
    playlist = _owned(ask)
    position = ask.places["position"]
    entry = undashed(ask.places["entry"]) or ""
    if not position.isdigit() or not playlist.move(entry, int(position)):
        return blank(HTTPStatus.NOT_FOUND)
    return _changed(ask, playlist)


def _change(ask: Ask) -> Reply:
    playlist = _owned(ask)
    fields = ask.request.fields()
    playlist.name = str(fields.get("name") or playlist.name)
    if fields.get("ids") is not None:
        playlist.item_ids = _playable(ask, [str(one) for one in fields["ids"]])
    if fields.get("ispublic") is not None:
        playlist.is_public = bool(fields["ispublic"])
    return _changed(ask, playlist)


def _playable(ask: Ask, written: list[str]) -> list[str]:
    """Return the ids of the playable items among some, and of those in the folders among them."""
    items = (ask.core.find(undashed(one)) for one in written)
    return [song.id for one in items if one for song in ask.core.library.songs_of(one)]


def _playlist(ask: Ask, user: User) -> Playlist:
    playlist = ask.core.playlists.by_id.get(undashed(ask.places["item"]) or "")
    if playlist is None or not playlist.is_seen_by(user.id):
        raise Refused(told("Playlist not found", HTTPStatus.NOT_FOUND))
    return playlist


def _owned(ask: Ask) -> Playlist:
    playlist = _playlist(ask, ask.asker)
    if playlist.owner_id != ask.asker.id:
        raise Refused(blank(HTTPStatus.FORBIDDEN))
    return playlist


def _changed(ask: Ask, playlist: Playlist, *, is_fresh: bool = False) -> Reply:
    added, updated = ([playlist.id], []) if is_fresh else ([], [playlist.id])
    ask.core.news.library_changed(added, updated, [])
    ask.core.changed()
    return done()


ROUTES = (
    Route("POST", "/Playlists", _create),
    Route("GET", "/Playlists/{item}", _summary),
    Route("POST", "/Playlists/{item}", _change),
    Route("GET", "/Playlists/{item}/Items", _items),
    Route("POST", "/Playlists/{item}/Items", _add),
    Route("DELETE", "/Playlists/{item}/Items", _remove),
    Route("POST", "/Playlists/{item}/Items/{entry}/Move/{position}", _move),
)
