"""Models of Jellyfin's JSON: only the keys that we read, and hardly any is required.

Names are Jellyfin's own, in our spelling (`RunTimeTicks` is `run_time_ticks`). A key that is
missing, null or of the wrong type becomes the field's default, so that one bad tag in one file
never hides a whole library; only what a value is useless without is required.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    dataclasses,
)
from pydantic.alias_generators import to_pascal
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")

TICKS_PER_SECOND = 10_000_000
# No name or path is longer.
LONGEST_TEXT = 4096
# Items in a page, and entries in any other list: more is taken for an attack.
MOST_ITEMS = 2000
MOST_OF_A_KIND = 50_000


@dataclass(frozen=True, slots=True)
class Default:
    """Marks a field with the default that replaces an invalid value.

    Unlike a validator in Python it runs inside the JSON parser, so unread values cost little.
    """

    value: Any

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_default_schema(
            handler(source), default=self.value, on_error="default"
        )


def _strip_dashes(value: object) -> object:
    return value.replace("-", "").lower() if isinstance(value, str) else value


def _parse_time(value: datetime) -> datetime | None:
    """Return the time in UTC; the year 1 is Jellyfin's value for never.

    So is the last of the calendar: its end is in no time zone but ours.
    """
    if not 1 < value.year < MAXYEAR:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Maybe = Annotated[T | None, Default(None)]
Many = Annotated[tuple[Maybe[T], ...], Field(max_length=MOST_OF_A_KIND), Default(())]
Id = Annotated[str, BeforeValidator(_strip_dashes), StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Flag = Annotated[bool, Default(value=False)]
# No recording is longer than 28 years, and none begins before its start.
Ticks = Annotated[int, Field(ge=0, le=2**53)]
# What fits into a column of the database.
Whole = Annotated[int, Field(ge=-(2**62), le=2**62)]
Count = Annotated[Whole, Default(0)]
Moment = Annotated[datetime, AfterValidator(_parse_time)]


READ_LOOSELY = ConfigDict(
    frozen=True,
    extra="ignore",
    alias_generator=to_pascal,
    hide_input_in_errors=True,
    str_max_length=LONGEST_TEXT,
)


class JellyfinModel(BaseModel):
    """The base of all models: frozen, and unknown keys are ignored.

    What a response may have thousands of is a dataclass instead: it takes a tenth of the memory.
    """

    model_config = READ_LOOSELY


class PublicServer(JellyfinModel):
    """`GET /System/Info/Public`. `id` is the identity of the server."""

    id: Id
    version: str
    server_name: Annotated[str, Default("")] = ""


class Policy(JellyfinModel):
    """What a user may do; a key that an older server does not send means yes."""

    is_administrator: Flag = False
    is_disabled: Flag = False
    enable_content_downloading: Annotated[bool, Default(value=True)] = True
    enable_all_folders: Annotated[bool, Default(value=True)] = True
    enabled_folders: Many[str] = ()
    blocked_media_folders: Many[str] = ()
    max_parental_rating: Maybe[Whole] = None
    max_parental_sub_rating: Maybe[Whole] = None
    blocked_tags: Many[str] = ()
    allowed_tags: Many[str] = ()
    block_unrated_items: Many[str] = ()

    @property
    def hides_items(self) -> bool:
        """Whether single items are hidden from the user, by their ratings or tags.

        Unlike what is in a library that the user may not see, these are not listed by their ids.
        """
        ratings = (self.max_parental_rating, self.max_parental_sub_rating)
        words = (self.blocked_tags, self.allowed_tags, self.block_unrated_items)
        return any(one is not None for one in ratings) or any(words)

    @property
    def sight(self) -> str:
        """What decides which items the user may see, as text: only good for comparing."""
        lists = (
            # All folders may be seen whatever is listed.
            () if self.enable_all_folders else self.enabled_folders,
            self.blocked_media_folders,
            self.blocked_tags,
            self.allowed_tags,
            self.block_unrated_items,
        )
        ratings = (self.max_parental_rating, self.max_parental_sub_rating)
        told = [self.enable_all_folders, *ratings, *(sorted(filter(None, one)) for one in lists)]
        return json.dumps(told)


class JellyfinUser(JellyfinModel):
    """A Jellyfin account."""

    id: Id
    name: str
    server_id: Maybe[Id] = None
    policy: Annotated[Policy, Default(Policy())] = Policy()


class SignInAnswer(JellyfinModel):
    """The response to a password or an approved Quick Connect request."""

    user: JellyfinUser
    access_token: SecretStr = Field(min_length=1)
    server_id: Id


class QuickConnectAnswer(JellyfinModel):
    """The state of a Quick Connect request."""

    secret: SecretStr = Field(min_length=1)
    code: str
    authenticated: Flag = False


@dataclasses.dataclass(slots=True, config=READ_LOOSELY)
class UserItemData:
    """A user's data of an item, as in `UserDataChanged` and in the response to a favourite."""

    item_id: Id
    is_favorite: bool
    played: Flag = False
    play_count: Count = 0
    playback_position_ticks: Annotated[Ticks, Default(0)] = 0
    last_played_date: Maybe[Moment] = None


@dataclasses.dataclass(slots=True, config=READ_LOOSELY)
class CarriedUserData:
    """The part of `UserData` that an item carries."""

    is_favorite: Maybe[bool] = None
    played: Maybe[bool] = None
    play_count: Count = 0
    last_played_date: Maybe[Moment] = None
    playback_position_ticks: Annotated[Ticks, Default(0)] = 0
    unplayed_item_count: Maybe[Whole] = None


@dataclasses.dataclass(slots=True, config=READ_LOOSELY)
class ImageTags:
    """The tags of an item's own pictures: of the one that we show."""

    primary: Maybe[str] = None


@dataclasses.dataclass(slots=True, config=READ_LOOSELY)
class MediaStream:
    """One stream of a file, or an external subtitle file."""

    index: Whole = 0
    type: str = ""
    codec: Maybe[str] = None
    language: Maybe[str] = None
    title: Maybe[str] = None
    is_external: Flag = False
    is_forced: Flag = False
    is_hearing_impaired: Flag = False
    is_text_subtitle_stream: Flag = False


@dataclasses.dataclass(slots=True, config=READ_LOOSELY)
class MediaSource:
    """One file of an item. `e_tag` changes with the file; `size` is that of the last scan."""

    id: Maybe[Id] = None
    path: Maybe[str] = None
    protocol: Maybe[str] = None
    container: Maybe[str] = None
    size: Annotated[int | None, Field(ge=0, le=2**62), Default(None)] = None
    e_tag: Maybe[str] = None
    is_remote: Flag = False
    media_streams: Many[MediaStream] = ()


@dataclasses.dataclass(slots=True, config=READ_LOOSELY)
class NamedRef:
    """A name with an id, such as an album artist."""

    id: Maybe[Id] = None
    name: Maybe[str] = None


class BaseItem(JellyfinModel):
    """One item of a library (`BaseItemDto`)."""

    id: Id
    type: str
    server_id: Maybe[Id] = None
    name: Maybe[str] = None
    album: Maybe[str] = None
    album_id: Maybe[Id] = None
    album_artist: Maybe[str] = None
    album_artists: Many[NamedRef] = ()
    artists: Many[str] = ()
    genres: Many[str] = ()
    series_name: Maybe[str] = None
    series_id: Maybe[Id] = None
    season_id: Maybe[Id] = None
    parent_id: Maybe[Id] = None
    index_number: Maybe[Whole] = None
    index_number_end: Maybe[Whole] = None
    parent_index_number: Maybe[Whole] = None
    production_year: Maybe[Whole] = None
    premiere_date: Maybe[Moment] = None
    date_created: Maybe[Moment] = None
    community_rating: Maybe[float] = None
    run_time_ticks: Maybe[Ticks] = None
    container: Maybe[str] = None
    path: Maybe[str] = None
    location_type: Maybe[str] = None
    can_download: Maybe[bool] = None
    media_sources: Many[MediaSource] = ()
    image_tags: Annotated[ImageTags, Default(ImageTags())] = ImageTags()
    album_primary_image_tag: Maybe[str] = None
    series_primary_image_tag: Maybe[str] = None
    parent_primary_image_item_id: Maybe[Id] = None
    parent_primary_image_tag: Maybe[str] = None
    user_data: Maybe[CarriedUserData] = None
    child_count: Maybe[Whole] = None
    recursive_item_count: Maybe[Whole] = None
    collection_type: Maybe[str] = None
    has_lyrics: Maybe[bool] = None
    video_type: Maybe[str] = None
    part_count: Maybe[Whole] = None
    playlist_item_id: Maybe[str] = None


class ItemsPage(JellyfinModel):
    """One page of a listing; an entry that cannot be read is None."""

    items: Annotated[tuple[Maybe[BaseItem], ...], Field(max_length=MOST_ITEMS)]
    total_record_count: Whole


class ItemStateData(JellyfinModel):
    """`UserData` of an item in a listing, in which an older server does not repeat the id."""

    is_favorite: Flag = False
    played: Flag = False
    play_count: Count = 0
    playback_position_ticks: Annotated[Ticks, Default(0)] = 0
    last_played_date: Maybe[Moment] = None


class ItemState(JellyfinModel):
    """An item's id and what the account knows of it."""

    id: Id
    user_data: Maybe[ItemStateData] = None


class ItemStatesPage(JellyfinModel):
    """A listing of items for their user data; an entry that cannot be read is None."""

    items: Annotated[tuple[Maybe[ItemState], ...], Field(max_length=MOST_ITEMS)]


class PlayingItem(BaseItem):
    """What a session plays: an item without size and permission, and not always with a type."""

    type: Annotated[str, Default("")] = ""


class PlayState(JellyfinModel):
    """The playback state of a session."""

    position_ticks: Annotated[Ticks, Default(0)] = 0
    is_paused: Flag = False
    repeat_mode: Maybe[str] = None
    playback_order: Maybe[str] = None


@dataclasses.dataclass(slots=True, config=READ_LOOSELY)
class QueuedItem:
    """One entry of a client's queue."""

    id: Maybe[str] = None
    playlist_item_id: Maybe[str] = None


class ClientSession(JellyfinModel):
    """A client that is connected.

    Attributes:
        supports_remote_control: Whether it takes commands; yes if the server does not say.
        now_playing_queue: May have thousands of entries: an iterator that parses them one by
            one, so it can be used once.
    """

    id: str
    user_id: Maybe[Id] = None
    device_id: Maybe[str] = None
    device_name: Maybe[str] = None
    client: Maybe[str] = None
    now_playing_item: Maybe[PlayingItem] = None
    playlist_item_id: Maybe[str] = None
    play_state: Annotated[PlayState, Default(PlayState())] = PlayState()
    supports_remote_control: Annotated[bool, Default(value=True)] = True
    supported_commands: Many[str] = ()
    last_playback_check_in: Maybe[Moment] = None
    last_activity_date: Maybe[Moment] = None
    now_playing_queue: Annotated[Iterable[Maybe[QueuedItem]], Default(())] = ()


class CreatedPlaylist(JellyfinModel):
    """The answer to a new playlist."""

    id: Id


CREATED_PLAYLIST = TypeAdapter(CreatedPlaylist)
PUBLIC_SERVER = TypeAdapter(PublicServer)
USER = TypeAdapter(JellyfinUser)
USERS = TypeAdapter(Annotated[tuple[JellyfinUser, ...], Field(max_length=MOST_ITEMS), FailFast()])
SIGN_IN = TypeAdapter(SignInAnswer)
QUICK_CONNECT = TypeAdapter(QuickConnectAnswer)
USER_ITEM_DATA = TypeAdapter(UserItemData)
ITEM_STATES = TypeAdapter(ItemStatesPage)
ITEM = TypeAdapter(BaseItem)
ITEMS_PAGE = TypeAdapter(ItemsPage)
Sessions = Annotated[tuple[ClientSession, ...], Field(max_length=MOST_ITEMS), FailFast()]
SESSIONS = TypeAdapter(Sessions)
