"""The Jellyfin client of one account: its API calls, each with a checked response.

It retries nothing that could act twice and follows no redirect. A 401 alone is not taken for a
sign-out: `/Users/Me` is asked whether the token is still valid.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from pydantic import SecretStr

from sidecar.domain.items.item import PLAYABLE, Item, ItemType, as_part
from sidecar.domain.playback.client_messages import OpenClient
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.errors import (
    JellyfinError,
    NotAllowed,
    NotFound,
    OutsideHours,
    ServerAway,
    SignedOut,
    WrongServer,
)
from sidecar.jellyfin import models
from sidecar.jellyfin.address import Address
from sidecar.jellyfin.batches import Batches
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.http.connection import (
    LARGEST_BODY_BYTES,
    READ_TIMEOUT_S,
    Body,
    JellyfinConnection,
    LeftOut,
    Query,
)
from sidecar.jellyfin.http.responses import (
    Answer,
    RefusedBefore,
    Unconfirmed,
    Unsaid,
    check_answer,
    read,
    too_much,
    unexpected_answer,
)
from sidecar.jellyfin.listing import (
    FetchPage,
    ListedPage,
    Listing,
    Rows,
    read_sequence,
    read_set,
)
from sidecar.jellyfin.mapping import list_now_playing, list_open_clients, to_item
from sidecar.jellyfin.models import BaseItem, JellyfinUser, PublicServer
from sidecar.messages import msg

IDS_PER_REQUEST = 100
# With all streams: a film may have dozens.
IDS_WITH_STREAMS = 50
LIBRARIES = ("UserViews",)
# Of 480 pixels on the page, and 1,000 on a device.
LARGEST_PICTURE = 2 * 1024 * 1024
# Five clients of 10.11 with queues of five thousand tracks each make 90 MB, of which 3 MB remain.
FULL_QUEUES = LeftOut("NowPlayingQueueFullItems", most_bytes=120 * 1024 * 1024)
# Most of what a page of films says, and hardly ever of interest.
STREAMS = LeftOut("MediaStreams", most_bytes=LARGEST_BODY_BYTES)
# Clients without a live connection stay listed until the server starts again.
ACTIVE_WITHIN_S = 3600
# No type that can contain a script, as SVG can.
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"})
FULL_FIELDS = "MediaSources,Path,CanDownload"
PRIMARY_IMAGE_ONLY: Query = {"enableImageTypes": "Primary", "imageTypeLimit": 1}
# Oldest first: what is added while we read comes at the end and shifts nothing.
STABLE_ORDER: Query = {"sortBy": "DateCreated,SortName", "sortOrder": "Ascending"}
# Album by album and series by series.
WHOLE_ORDER: Query = {
    "sortBy": "AlbumArtist,Album,SeriesSortName,ParentIndexNumber,IndexNumber,SortName"
}
# The containers whose files come with what they are in.
NESTED = frozenset(
    {
        ItemType.ALBUM,
        ItemType.ARTIST,
        ItemType.PLAYLIST,
        ItemType.SERIES,
        ItemType.SEASON,
        ItemType.COLLECTION,
    }
)
# What is listed in a library or folder, and of a genre: files, and what has its files elsewhere.
IN_A_FOLDER = (*sorted(PLAYABLE), ItemType.PLAYLIST, ItemType.COLLECTION)
OF_A_GENRE = (*sorted(PLAYABLE), ItemType.SERIES)
DISC_ORDER: Query = {"sortBy": "ParentIndexNumber,IndexNumber,SortName"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file and its type, one that cannot carry a script."""

    body: bytes
    mime_type: str


def _rest() -> None:
    """Do nothing."""


class Jellyfin:
    """One server, one account. May be shared by threads.

    Every call may raise, besides what its own docstring names:

    * `ServerAway`: the server does not answer, or is starting; `TooSlow`: this takes it too long
    * `SignedOut`: the token is refused, confirmed by `/Users/Me`
    * `OutsideHours`: this account has no access at this hour, confirmed by `/Users/Me`
    * `NotAllowed`: this account may not do this
    * `WrongServer`: another server answers at the address
    * `UnexpectedAnswer`: the response is not one that Jellyfin gives
    """

    def __init__(
        self,
        base_url: str,
        *,
        identity: DeviceIdentity,
        token: SecretStr | None = None,
        user_id: str | None = None,
        server_id: str | None = None,
        ca_file: Path | None = None,
        read_within_s: float = READ_TIMEOUT_S,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            base_url: The server's address, base path included.
            identity: The one that the account signed in with.
            token: None asks anonymously: enough for `public_info` and `is_ready`.
            user_id: Sent with every request for items, which Jellyfin would otherwise
                derive from the token.
            server_id: The expected server; None accepts any.
            ca_file: Certificates to trust in place of the usual ones.
            read_within_s: How long each answer may take.
        """
        self.user_id = user_id
        self.server_id = server_id
        self._by_ids = Batches[str](IDS_PER_REQUEST, RefusedBefore, NotAllowed)
        self._with_streams = Batches[str](IDS_WITH_STREAMS, RefusedBefore, NotAllowed)
        self.connection = JellyfinConnection(
            Address.of(base_url),
            identity=identity,
            token=token,
            ca_file=ca_file,
            read_within_s=read_within_s,
        )

    # The server and the account

    def public_info(self) -> PublicServer:
        """Fetch the server's public information; needs no token.

        Raises:
            ServerAway: It is starting; it may answer then, with keys in camelCase.
        """
        answer = self._ask_what_is_public()
        if answer.is_json and b'"startupWizardCompleted"' in answer.body:
            raise ServerAway(msg("Jellyfin at {server} is starting", server=answer.server))
        server = read(answer, models.PUBLIC_SERVER)
        self._check_server(server.id)
        return server

    def clock(self) -> datetime | None:
        """Return what time the server has, to the second; None if its answer does not say."""
        answer = self._ask_what_is_public()
        try:
            return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            return None

    def _ask_what_is_public(self) -> Answer:
        """Ask what Jellyfin tells everybody; whoever refuses that is not Jellyfin."""
        answer = self.connection.get("System", "Info", "Public")
        try:
            check_answer(answer)
        except (NotAllowed, NotFound):
            raise unexpected_answer(answer) from None
        return answer

    def health(self) -> str:
        """Fetch the server's health: `Healthy`, or `Degraded` while it starts."""
        answer = self.connection.get("health")
        check_answer(answer)
        if answer.mime_type != "text/plain":
            raise unexpected_answer(answer)
        return answer.body[:40].decode("utf-8", "replace").strip()

    def is_ready(self) -> bool:
        """Whether the server answers requests now. Never raises."""
        with suppress(JellyfinError):
            if self.health() == "Healthy":
                return True
        try:
            self.public_info()
        except JellyfinError:
            return False
        return True

    def me(self) -> JellyfinUser:
        """Fetch the signed-in user; this decides whether the token is still valid."""
        answer = self.connection.get("Users", "Me")
        try:
            check_answer(answer)
        except Unconfirmed as refusal:
            if not refusal.is_jellyfin:
                raise unexpected_answer(answer) from None
            self.public_info()
            raise SignedOut(
                msg(
                    "Jellyfin at {server} no longer accepts this account's sign-in",
                    server=answer.server,
                )
            ) from None
        except Unsaid:
            self._check_it_is_no_proxy(answer)
            raise OutsideHours(
                msg(
                    "Jellyfin at {server} lets this account do nothing now: it is outside its "
                    "access hours, or may not be used from here. Its work goes on by itself",
                    server=answer.server,
                )
            ) from None
        user = read(answer, models.USER)
        self._check_server(user.server_id)
        return user

    def _check_it_is_no_proxy(self, refused: Answer) -> None:
        """Check with `public_info`, which Jellyfin refuses nobody, that a proxy did not refuse."""
        try:
            self.public_info()
        except NotAllowed:
            raise unexpected_answer(refused) from None

    def users(self) -> tuple[JellyfinUser, ...]:
        """List all users of the server; the list may be shorter if the account is no admin."""
        return read(self._ask("GET", "Users"), models.USERS)

    def logout(self) -> None:
        """Revoke the token; a token that is refused already counts as revoked."""
        try:
            self._ask("POST", "Sessions", "Logout")
        except SignedOut:
            return

    def close(self) -> None:
        """Close idle connections; the client may still be used."""
        self.connection.close()

    def authorization_header(self) -> dict[str, str]:
        """Return the header that carries the token: for requests to this server only."""
        return {"Authorization": self.connection.authorization}

    # Items

    def item(self, item_id: str) -> Item:
        """Ask for one item with its file's size and validator; raises as `base_item`."""
        return self._to_item(self.base_item(item_id))

    def base_item(self, item_id: str) -> BaseItem:
        """Ask for one item, whole.

        Raises:
            NotFound: The server does not know it, or hides it from this account.
        """
        return read(self._ask("GET", "Items", item_id, query=self._user_query()), models.ITEM)

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Ask for many items with their files' sizes and validators, a hundred at a time.

        An item that the server does not know is simply not in the result. One of a library that
        this account may not see is: ids that somebody names belong to `visible_items`.
        """
        query: Query = {"fields": FULL_FIELDS, **PRIMARY_IMAGE_ONLY}
        found: dict[str, Item] = {}
        for page in self.pages_of(ids, query=query):
            found |= {one.id: self._to_item(one) for one in page.items if one is not None}
        return found

    def visible_items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Ask for items that somebody names, as `items`, but only for what this account may see.

        `/Items?ids=` ignores which libraries an account may see; an item's own address does not,
        nor does a list by parent: that of an album or season stands for all that is named of it.
        """
        wanted = list(dict.fromkeys(ids))
        if len(wanted) == 1:
            return self._seen(wanted)
        named = self.items(wanted)
        by_place: dict[str, list[str]] = {}
        for one in named.values():
            by_place.setdefault(one.album_id or one.season_id or one.id, []).append(one.id)
        visible: dict[str, Item] = {}
        for place, members in by_place.items():
            if len(members) > 1:
                # Its address first: a list of a hidden one is a 401, like a token that ended.
                if not self._seen([place]):
                    continue
                listed = {one.id for one in self.files({"parentId": place}).entries}
                visible |= {one: named[one] for one in members if one in listed}
            visible |= self._seen(one for one in members if one not in visible)
        return {one: visible[one] for one in wanted if one in visible}

    def _seen(self, ids: Iterable[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for one in ids:
            try:
                found[one] = self.item(one)
            except (NotFound, NotAllowed):
                continue
        return found

    def pages_of(
        self, ids: Iterable[str], *, query: Query, with_streams: bool = False
    ) -> Iterator[models.ItemsPage]:
        """Ask for items by their ids, a hundred at a time; fewer if the address is too long then.

        Proxies and filters before a server may refuse addresses of more than 2,048 characters,
        and each says so in its own way.
        """

        def request(batch: Sequence[str]) -> models.ItemsPage:
            asked: Query = {"ids": ",".join(batch), **query}
            return self.page("Items", query=asked, with_streams=with_streams)

        batches = self._with_streams if with_streams else self._by_ids
        for _, page in batches.ask(list(dict.fromkeys(ids)), request):
            yield page

    def favourites(
        self, types: Collection[ItemType], *, between: Callable[[], object] = _rest
    ) -> Listing:
        """List this account's favourites of these types, over all pages.

        The items have no sizes and validators; `items` fetches those.

        Args:
            types: Which.
            between: Called before each further page, for what must not wait for the last one.
        """

        def pages(*path: str, query: Query) -> FetchPage:
            fetch = self.pages(*path, query=query)

            def fetch_next(start: int, limit: int) -> ListedPage:
                if start:
                    between()
                return fetch(start, limit)

            return fetch_next

        queried = sorted(set(types) - {ItemType.ARTIST, ItemType.COLLECTION})
        parts: list[Rows] = []
        if queried:
            query = {"recursive": "true", "includeItemTypes": ",".join(queried), **STABLE_ORDER}
            parts.append(read_set(pages("Items", query={"isFavorite": "true", **query})))
        if ItemType.ARTIST in types:
            # `/Items` misses artists that have no folder of their own.
            query = {"isFavorite": "true", "sortBy": "SortName"}
            parts.append(read_set(pages("Artists", query=query)))
        if ItemType.COLLECTION in types:
            # Without a parent the server lists no collection, whether it has a heart or not.
            libraries = self.libraries()
            boxes = [one.id for one in libraries if one.collection_type == "boxsets"]
            parts += map(self._favourite_collections, boxes)
        return self.listing(*parts)

    def library_state(self) -> tuple[int, str | None]:
        """Return what changes when files come to the library or leave it.

        That is how many there are, and the newest of them. Files that replace others may leave
        it as it is: for these there are events.
        """
        newest: Query = {"sortBy": "DateCreated", "sortOrder": "Descending", "limit": 1}
        kinds = ",".join(sorted(PLAYABLE))
        page = self.page("Items", query={"recursive": "true", "includeItemTypes": kinds, **newest})
        return page.total_record_count, next((one.id for one in page.items if one), None)

    def _favourite_collections(self, library_id: str) -> Rows:
        query = {"parentId": library_id, "recursive": "true", "isFavorite": "true", **STABLE_ORDER}
        return read_set(self.pages("Items", query={**query, "includeItemTypes": "BoxSet"}))

    def libraries(self) -> tuple[BaseItem, ...]:
        """Return the libraries that the account sees."""
        views = self.page(*LIBRARIES, query={})
        return tuple(one for one in views.items if one is not None)

    def expand(self, item: Item, *, full: bool = False) -> Listing:
        """List the playable items of a container, in its order; of a playable item, itself.

        A playlist keeps its repeats. The items have no sizes and validators, unless what an album,
        artist, series, season or playlist contains is asked for in `full`.

        Raises:
            NotFound: It is not there any more, or this account may not see it.
        """
        if item.is_playable:
            return self._with_parts([item], complete=True)
        fields = {"fields": FULL_FIELDS} if full else {}
        match item.type:
            case ItemType.ALBUM:
                # Not `albumIds`: before 12.0 that means every album of the same name.
                rows = self.files({"parentId": item.id, "includeItemTypes": "Audio", **fields})
            case ItemType.ARTIST:
                # Not `artistIds`: a guest on one track would bring in a whole compilation.
                query = {"albumArtistIds": item.id, "includeItemTypes": "Audio"}
                rows = self.files({**query, **fields})
            case ItemType.SERIES | ItemType.SEASON:
                rows = self.files({"parentId": item.id, "includeItemTypes": "Episode", **fields})
            case ItemType.PLAYLIST:
                rows = read_sequence(self.pages("Playlists", item.id, "Items", query=fields))
            case ItemType.COLLECTION:
                # Not `recursive`: the episodes of a series in it are not listed then.
                return self._expand_each({"parentId": item.id}, NESTED - {ItemType.COLLECTION})
            case ItemType.LIBRARY | ItemType.FOLDER:
                return self._expand_each(_all_of({"parentId": item.id}, IN_A_FOLDER))
            case ItemType.GENRE | ItemType.MUSIC_GENRE:
                return self._expand_each(_all_of({"genreIds": item.id}, OF_A_GENRE))
            case _:
                return Listing((), complete=True)
        listing = self.listing(rows)
        playable = [one for one in listing.items if one.is_playable]
        return self._with_parts(playable, complete=listing.complete)

    def with_parts(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Return the items, each film in several parts followed by its further parts."""
        return self._with_parts(items, complete=True).items

    def _with_parts(self, items: Iterable[Item], *, complete: bool) -> Listing:
        found: list[Item] = []
        for one in items:
            found.append(one)
            if one.parts > 1:
                further = self._further_parts(one)
                complete &= len(further) == one.parts - 1
                found += further
        return Listing(tuple(found), complete=complete)

    def _further_parts(self, film: Item) -> list[Item]:
        """List the second and later parts of a film, which no other list has."""
        try:
            page = self.page("Videos", film.id, "AdditionalParts", query={})
        except (NotFound, NotAllowed):
            return []
        parts = [self._to_item(one) for one in page.items[: film.parts - 1] if one is not None]
        return [as_part(one, film, number) for number, one in enumerate(parts, start=2)]

    def _expand_each(self, query: Query, nested: Collection[ItemType] = NESTED) -> Listing:
        """List what a query finds, containers of these types expanded, each file once.

        A collection in a collection is left out: the two may contain each other.
        """
        members = self.listing(read_set(self.pages("Items", query=query)))
        is_complete = members.complete
        files: dict[str, Item] = {}
        for one in members.items:
            if not one.is_playable and one.type not in nested:
                continue
            try:
                part = self.expand(one)
            except NotFound:
                is_complete = False
                continue
            is_complete &= part.complete
            files |= {file.id: file for file in part.items}
        return Listing(tuple(files.values()), complete=is_complete)

    def set_favourite(self, item_id: str, *, value: bool) -> bool:
        """Set or clear a favourite; return the state that the server reports then."""
        method = "POST" if value else "DELETE"
        answer = self._ask(method, "UserFavoriteItems", item_id, query=self._user_query())
        return read(answer, models.USER_ITEM_DATA).is_favorite

    def download_url(self, item_id: str) -> str:
        """Return the URL of the item's file; requests need `authorization_header`."""
        return self.connection.address.url("Items", item_id, "Download")

    def image(self, item_id: str, tag: str, *, max_width: int) -> Picture:
        """Fetch a cover, at most `max_width` pixels wide.

        Raises:
            NotFound: There is none.
        """
        query: Query = {"tag": tag, "maxWidth": max_width, "quality": 90}
        place = ("Items", item_id, "Images", "Primary")
        answer = self._ask("GET", *place, query=query, most_bytes=LARGEST_PICTURE)
        if answer.mime_type not in PICTURES:
            raise unexpected_answer(answer)
        picture = Picture(bytes(answer.body), answer.mime_type)
        answer.drop()
        return picture

    # Playback

    def sessions(self) -> tuple[NowPlaying, ...]:
        """List what plays now: in all sessions for an admin, otherwise in the account's own."""
        lately: Query = {"activeWithinSeconds": ACTIVE_WITHIN_S}
        answer = self._ask("GET", "Sessions", query=lately, without=FULL_QUEUES)
        sessions = read(answer, models.SESSIONS)
        return list_now_playing(sessions, except_device=self.connection.identity.device_id)

    def open_clients(self) -> tuple[tuple[OpenClient, ...], datetime | None]:
        """List the clients that are open, for an admin those of all, and the server's time."""
        answer = self._ask("GET", "Sessions", without=FULL_QUEUES)
        sessions = read(answer, models.SESSIONS)
        return list_open_clients(sessions, except_device=self.connection.identity.device_id)

    def show_message(self, session_id: str, *, header: str, text: str, seconds: int) -> None:
        """Show a short message in a client of the account.

        The answer is no proof that it was shown: a client that cannot is told all the same.

        Raises:
            NotFound: The session is over.
            NotAllowed: It is somebody else's.
        """
        body = {"Header": header, "Text": text, "TimeoutMs": seconds * 1000}
        self._ask("POST", "Sessions", session_id, "Message", body=body)

    def _ask(
        self,
        method: str,
        *path: str,
        query: Query | None = None,
        body: Body | None = None,
        most_bytes: int = LARGEST_BODY_BYTES,
        without: LeftOut | None = None,
    ) -> Answer:
        answer = self.connection.send(
            method, *path, query=query, body=body, most_bytes=most_bytes, without=without
        )
        try:
            check_answer(answer)
        except (Unconfirmed, Unsaid):
            self.me()
            raise
        return answer

    def _user_query(self) -> Query:
        return {} if self.user_id is None else {"userId": self.user_id}

    def page(self, *path: str, query: Query, with_streams: bool = False) -> models.ItemsPage:
        """Fetch one page of a listing for this account.

        Args:
            path: Of the listing.
            query: Its parameters.
            with_streams: Keep the media streams of the files, if the query asks for them.

        Raises:
            UnexpectedAnswer: It has more items than were asked for.
        """
        without = None if with_streams else STREAMS
        answer = self._ask("GET", *path, query={**self._user_query(), **query}, without=without)
        page = read(answer, models.ITEMS_PAGE)
        # The libraries come all at once, whatever was asked for.
        if path != LIBRARIES and len(page.items) > _most(query):
            raise too_much(answer.server, answer.asked)
        return page

    def listed_page(self, *path: str, query: Query) -> ListedPage:
        """Fetch one page of a listing for this account, as `Item` values."""
        return self.to_listed(self.page(*path, query=query))

    def to_listed(self, page: models.ItemsPage) -> ListedPage:
        """Convert a page to `Item` values; raises `WrongServer`."""
        items = tuple(None if one is None else self._to_item(one) for one in page.items)
        return ListedPage(items, page.total_record_count)

    def pages(self, *path: str, query: Query) -> FetchPage:
        """Return a function that fetches a page, for `read_set` and `read_sequence`."""

        def fetch(start: int, limit: int) -> ListedPage:
            place: Query = {"startIndex": start, "limit": limit, **PRIMARY_IMAGE_ONLY}
            return self.listed_page(*path, query={**query, **place})

        return fetch

    def files(self, query: Mapping[str, str]) -> Rows:
        """Read the files below a parent, disc by disc or season by season."""
        common = {"recursive": "true", "excludeLocationTypes": "Virtual", **DISC_ORDER}
        return read_set(self.pages("Items", query={**query, **common}))

    def listing(self, *parts: Rows) -> Listing:
        """Join what was read into one listing."""
        items = tuple(one for rows in parts for one in rows.entries)
        return Listing(items, complete=all(rows.complete for rows in parts))

    def _to_item(self, base: BaseItem) -> Item:
        self._check_server(base.server_id)
        return to_item(base)

    def _check_server(self, server_id: str | None) -> None:
        if None not in {self.server_id, server_id} and server_id != self.server_id:
            raise WrongServer(wrong_server(self.connection.address))


def _all_of(within: Query, types: Iterable[str]) -> Query:
    """Return the query for everything of some types, at any depth."""
    common: Query = {"recursive": "true", "excludeLocationTypes": "Virtual", **WHOLE_ORDER}
    return {**within, **common, "includeItemTypes": ",".join(types)}


def wrong_server(address: Address) -> str:
    """Return the message for when another server answers at the address."""
    return msg(
        "Another Jellyfin server answers at {server}: everything stops until the right one is "
        "back, the address in the settings is corrected, or an admin takes the new one "
        "(on the page Admin, or with jellyfin-sidecar server accept)",
        server=address,
    )


def _most(query: Query) -> int:
    """Return how many items the response to a query may have."""
    if "limit" in query:
        return int(query["limit"])
    ids = str(query.get("ids", ""))
    return ids.count(",") + 1 if ids else models.MOST_ITEMS
