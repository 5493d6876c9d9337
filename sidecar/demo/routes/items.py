"""Routes for the library: one item, queries, and the lists that the server makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus

from sidecar.demo.library.items import BaseItemKind, DemoItem
from sidecar.demo.protocol.formats import Json, parse_id
from sidecar.demo.protocol.messages import ErrorReply, Reply, json_reply, no_content, server_error
from sidecar.demo.routes.query import ItemQuery, QueryEngine, page
from sidecar.demo.routes.query_params import parse_query, split_list
from sidecar.demo.routes.routing import RequestContext, Route
from sidecar.demo.state.users import DemoUser

_DEFAULT_LATEST = 20


def items_page(
    ask: RequestContext, user: DemoUser, items: Iterable[DemoItem], total: int, start: int = 0
) -> Reply:
    """Return a page of items, each with what `fields` asks for."""
    return json_reply(
        {
            "Items": [list_item(ask, user, item) for item in items],
            "TotalRecordCount": total,
            "StartIndex": start,
        }
    )


def list_item(ask: RequestContext, user: DemoUser, item: DemoItem, **more: object) -> Json:
    """Return an item as lists tell it."""
    whole = ask.core.item_dto(user, item)
    if (ask.request.value("enableUserData") or "true").lower() == "false":
        del whole["UserData"]
    kinds = split_list(ask.request.values("enableImageTypes"))
    if kinds and "backdrop" not in map(str.lower, kinds):
        del whole["BackdropImageTags"]
    fields = split_list(ask.request.values("fields"))
    told = ask.core.dto_builder.list_item(whole, fields) | more
    if "childcount" in map(str.lower, fields):
        told = _child_count(ask, item) | told
    if "recursiveitemcount" in map(str.lower, fields):
        told = _file_count(ask, item) | told
    return told


def _child_count(ask: RequestContext, item: DemoItem) -> Json:
    """Return the child count of a folder, as the real server counts."""
    if item.kind not in {BaseItemKind.ALBUM, BaseItemKind.SERIES, BaseItemKind.SEASON}:
        return {}
    return {"ChildCount": sum(one.parent_id == item.id for one in ask.core.library)}


def _file_count(ask: RequestContext, item: DemoItem) -> Json:
    """Return how many files are in an album, those in the folders of its discs included."""
    if item.kind is not BaseItemKind.ALBUM:
        return {}
    tracks = (one.music for one in ask.core.library if one.media is not None)
    count = sum(music is not None and music.album_id == item.id for music in tracks)
    return {"RecursiveItemCount": count}


def query_engine(ask: RequestContext, user: DemoUser) -> QueryEngine:
    """Return the query engine for a user."""
    core = ask.core
    return QueryEngine(
        core.library, lambda item: core.user_data.get(user.id, item), core.speaks, core.random
    )


def visible_items(
    ask: RequestContext, user: DemoUser, *, everywhere: bool = False
) -> list[DemoItem]:
    """Return the items that a user may see; with `everywhere` those of all libraries."""
    listed = ask.core.listing(user, everywhere=everywhere)
    return [item for item in listed if not user.is_blocked(item)]


def _items(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    query = _query(ask, user)
    if query.contradicts_itself and ask.core.speaks.refuses_contradictory_filters:
        return server_error(HTTPStatus.BAD_REQUEST)
    if query.parent is not None and query.parent.kind is BaseItemKind.PLAYLIST:
        return _playlist_page(ask, user, query)
    return _answer(ask, user, query)


def _answer(ask: RequestContext, user: DemoUser, query: ItemQuery) -> Reply:
    speaks = ask.core.speaks
    # Both versions ignore the libraries of a user when items are asked for by their ids alone.
    by_ids = bool(query.ids) and query.parent is None
    pool = (
        ask.core.listing(user, everywhere=by_ids)
        if speaks.pages_before_it_hides
        else visible_items(ask, user, everywhere=by_ids)
    )
    found = query_engine(ask, user).run(query, pool)
    shown = [item for item in page(query, found) if not user.is_blocked(item)]
    counts = (ask.request.value("enableTotalRecordCount") or "true").lower() != "false"
    return items_page(ask, user, shown, len(found) if counts else len(shown), query.start)


def _query(ask: RequestContext, user: DemoUser) -> ItemQuery:
    parent_id = parse_id(ask.request.value("parentId") or "")
    parent = ask.core.find(parent_id)
    if parent is not None and not ask.core.may_see(user, parent):
        library = ask.core.library.get(parent.library_id) or parent
        refusal = f"{user.name} is not permitted to access Library {library.name}."
        raise ErrorReply(json_reply(refusal, HTTPStatus.UNAUTHORIZED))
    query = parse_query(ask.request.values, library=ask.core.library, parent=parent)
    # A place that is not there holds nothing; no id is everywhere.
    return query if parent is not None or parent_id is None else replace(query, limit=0)


def _playlist_page(ask: RequestContext, user: DemoUser, query: ItemQuery) -> Reply:
    playlist = ask.core.playlists.by_id[query.parent.id if query.parent else ""]
    items = [item for one in playlist.item_ids if (item := ask.core.library.get(one))]
    shown = [item for item in items if ask.core.may_see(user, item)]
    return items_page(ask, user, page(query, shown), len(shown), query.start)


def _item(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    item = ask.item(user)
    return json_reply(_child_count(ask, item) | ask.core.item_dto(user, item))


def _views(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    libraries = [item for item in visible_items(ask, user) if item.kind is BaseItemKind.LIBRARY]
    views = [
        ask.core.item_dto(user, item) | {"ChildCount": ask.core.random.randint(1, 9)}
        for item in sorted(libraries, key=lambda item: item.sort_name)
    ]
    return json_reply({"Items": views, "TotalRecordCount": len(views), "StartIndex": 0})


def _artists(ask: RequestContext, names: set[str]) -> Reply:
    user = ask.on_behalf_of()
    asked = replace(
        _query(ask, user), kinds=frozenset({BaseItemKind.ARTIST}), parent=None, recursive=True
    )
    pool = [
        one
        for one in visible_items(ask, user)
        if one.kind is BaseItemKind.ARTIST and one.name in names
    ]
    found = query_engine(ask, user).run(asked, pool)
    return items_page(ask, user, page(asked, found), len(found), asked.start)


def _all_artists(ask: RequestContext) -> Reply:
    music = (item.music for item in visible_items(ask, ask.on_behalf_of()) if item.music)
    return _artists(ask, {name for one in music for name in (*one.artists, *one.album_artists)})


def _album_artists(ask: RequestContext) -> Reply:
    music = (item.music for item in visible_items(ask, ask.on_behalf_of()) if item.music)
    return _artists(ask, {name for one in music for name in one.album_artists})


def _latest(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    place = _query(ask, user).parent
    limit = ask.number("limit") or _DEFAULT_LATEST
    kinds = {BaseItemKind.ALBUM, BaseItemKind.MOVIE, BaseItemKind.EPISODE}
    found = [
        item
        for item in visible_items(ask, user)
        if item.kind in kinds and (place is None or item.library_id == place.id)
    ]
    found.sort(key=lambda item: item.created, reverse=True)
    more = ask.core.speaks.counts_children_unasked
    return json_reply([_latest_dto(ask, user, item, counts=more) for item in found[:limit]])


def _latest_dto(ask: RequestContext, user: DemoUser, item: DemoItem, *, counts: bool) -> Json:
    if not counts or item.kind is not BaseItemKind.ALBUM:
        return list_item(ask, user, item)
    children = sum(one.parent_id == item.id for one in ask.core.library)
    return list_item(ask, user, item, ChildCount=children)


def _seasons(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    series = ask.item(user)
    seasons = [one for one in ask.core.library if one.parent_id == series.id]
    seasons.sort(key=lambda one: one.index or 0)
    return items_page(ask, user, seasons, len(seasons))


def _episodes(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    episodes = _in_order(ask.core.library.songs_of(ask.item(user)))
    season_id = parse_id(ask.request.value("seasonId") or "")
    season = ask.request.value("season")
    wanted = [
        one
        for one in episodes
        if (season_id is None or one.parent_id == season_id)
        and (season is None or str(one.parent_index) == season)
    ]
    start_item = parse_id(ask.request.value("startItemId") or "")
    ids = [one.id for one in wanted]
    first = ids.index(start_item) if start_item in ids else 0
    query = parse_query(ask.request.values, library=ask.core.library, parent=None)
    return items_page(ask, user, page(query, wanted[first:]), len(wanted), query.start)


def _next_up(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    only = parse_id(ask.request.value("seriesId") or "")
    no_first = (ask.request.value("disableFirstEpisode") or "").lower() == "true"
    from_start = only is not None and not no_first
    found = [
        episode
        for series in visible_items(ask, user)
        if series.kind is BaseItemKind.SERIES
        and (only is None or series.id == only)
        and (episode := _next_of(ask, user, series, from_start=from_start))
    ]
    query = parse_query(ask.request.values, library=ask.core.library, parent=None)
    return items_page(ask, user, page(query, found), len(found), query.start)


def _next_of(
    ask: RequestContext, user: DemoUser, series: DemoItem, *, from_start: bool
) -> DemoItem | None:
    """Return the episode after the last one that was seen; specials are none.

    Args:
        ask: The request.
        user: Who watches.
        series: Of which series.
        from_start: Of one that was not begun the first one; else none.
    """
    episodes = [one for one in _in_order(ask.core.library.songs_of(series)) if one.parent_index]
    seen = [at for at, one in enumerate(episodes) if ask.core.user_data.get(user.id, one).played]
    if not seen and not from_start:
        return None
    after = seen[-1] + 1 if seen else 0
    if after == len(episodes):
        return None
    is_begun = ask.core.user_data.get(user.id, episodes[after]).position_ticks > 0
    with_begun = (ask.request.value("enableResumable") or "true").lower() == "true"
    return None if is_begun and not with_begun else episodes[after]


def _in_order(episodes: Iterable[DemoItem]) -> list[DemoItem]:
    return sorted(episodes, key=lambda one: (one.parent_index or 0, one.index or 0))


def _additional_parts(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    found = [ask.core.library.get(one) for one in ask.item(user).parts]
    parts = [ask.core.item_dto(user, one) for one in found if one is not None]
    return json_reply({"Items": parts, "TotalRecordCount": len(parts), "StartIndex": 0})


def _genres(ask: RequestContext, kind: BaseItemKind) -> Reply:
    user = ask.on_behalf_of()
    found = [one for one in ask.core.library if one.kind is kind]
    found.sort(key=lambda one: one.sort_name)
    return items_page(ask, user, found, len(found))


def _film_genres(ask: RequestContext) -> Reply:
    return _genres(ask, BaseItemKind.GENRE)


def _music_genres(ask: RequestContext) -> Reply:
    return _genres(ask, BaseItemKind.MUSIC_GENRE)


def _resume(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    query = replace(
        _query(ask, user),
        filters=frozenset({"IsResumable"}),
        recursive=True,
        sort_by=("dateplayed",),
        descending=(True,),
    )
    return _answer(ask, user, query)


def _instant_mix(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    seed = ask.item(user)
    songs = [one for one in visible_items(ask, user) if one.kind is BaseItemKind.AUDIO]
    mixed = _mix(ask, seed, songs)
    shown = mixed[: ask.number("limit")]
    return items_page(ask, user, shown, len(mixed))


def _mix(ask: RequestContext, seed: DemoItem, songs: Sequence[DemoItem]) -> list[DemoItem]:
    playlist = ask.core.playlists.by_id.get(seed.id)
    ids = playlist.item_ids if playlist else [one.id for one in ask.core.library.songs_of(seed)]
    music = [one.music for one in songs if one.id in ids and one.music]
    genres = {genre for one in music for genre in one.genres}
    alike = [one for one in songs if one.music and genres & set(one.music.genres)]
    mixed = ask.core.random.sample(alike, len(alike))
    if seed.kind is not BaseItemKind.AUDIO:
        return mixed
    return [seed, *(one for one in mixed if one.id != seed.id)]


def _similar(ask: RequestContext) -> Reply:
    user = ask.on_behalf_of()
    item = ask.item(user)
    genres = set(item.all_genres)
    others = (one for one in visible_items(ask, user) if one.kind is item.kind and one is not item)
    alike = [one for one in others if genres & set(one.all_genres)]
    shown = ask.core.random.sample(alike, len(alike))[: ask.number("limit")]
    return items_page(ask, user, shown, len(shown))


def _delete(ask: RequestContext) -> Reply:
    item = ask.item(ask.asker)
    playlist = ask.core.playlists.by_id.get(item.id)
    if playlist is None or playlist.owner_id != ask.asker.id:
        return json_reply("Unauthorized access", HTTPStatus.UNAUTHORIZED)
    del ask.core.playlists.by_id[item.id]
    ask.core.news.library_changed([], [], [item.id])
    ask.core.save_soon()
    return no_content()


ROUTES = (
    Route("GET", "/Items", _items),
    Route("GET", "/Users/{user}/Items", _items),
    Route("GET", "/Items/Latest", _latest),
    Route("GET", "/Users/{user}/Items/Latest", _latest),
    Route("GET", "/Items/{item}", _item),
    Route("GET", "/Users/{user}/Items/{item}", _item),
    Route("DELETE", "/Items/{item}", _delete),
    Route("GET", "/UserViews", _views),
    Route("GET", "/Users/{user}/Views", _views),
    Route("GET", "/Videos/{item}/AdditionalParts", _additional_parts),
    Route("GET", "/Genres", _film_genres),
    Route("GET", "/MusicGenres", _music_genres),
    Route("GET", "/Artists", _all_artists),
    Route("GET", "/Artists/AlbumArtists", _album_artists),
    Route("GET", "/Shows/NextUp", _next_up),
    Route("GET", "/Shows/{item}/Seasons", _seasons),
    Route("GET", "/Shows/{item}/Episodes", _episodes),
    Route("GET", "/UserItems/Resume", _resume),
    Route("GET", "/Items/{item}/Similar", _similar),
    Route("GET", "/Items/{item}/InstantMix", _instant_mix),
    Route("GET", "/Songs/{item}/InstantMix", _instant_mix),
    Route("GET", "/Albums/{item}/InstantMix", _instant_mix),
    Route("GET", "/Artists/{item}/InstantMix", _instant_mix),
    Route("GET", "/Playlists/{item}/InstantMix", _instant_mix),
)
