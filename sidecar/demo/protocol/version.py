"""The two Jellyfin versions that the demo can imitate, and everything in which they differ.

Everything else asks here: no other module compares versions.
"""

from __future__ import annotations

from enum import Enum


class Version(Enum):
    """The imitated version; the value is the number that it reports."""

    V10_11 = "10.11.11"
    V12_0 = "12.0.0"

    @property
    def takes_legacy_authorization(self) -> bool:
        """Whether `X-Emby-*` headers, the scheme `Emby` and `api_key` still authenticate."""
        return self is Version.V10_11

    @property
    def keeps_every_reported_queue(self) -> bool:
        """Whether a session's queue follows every report; otherwise only the Stopped ones."""
        return self is Version.V10_11

    @property
    def tells_queued_items_in_full(self) -> bool:
        """Whether sessions carry `NowPlayingQueueFullItems`."""
        return self is Version.V10_11

    @property
    def forgets_hearts(self) -> bool:
        """Whether reports overwrite the user data with that of the start of the playback."""
        return self is Version.V12_0

    @property
    def goes_deaf(self) -> bool:
        """Whether a socket without KeepAlive stays open but gets no more messages."""
        return self is Version.V12_0

    @property
    def initiates_quick_connect_on_get(self) -> bool:
        """Whether `GET /QuickConnect/Initiate` exists beside the POST."""
        return self is Version.V10_11

    @property
    def pages_before_it_hides(self) -> bool:
        """Whether items forbidden to a user are dropped after paging, which makes short pages."""
        return self is Version.V10_11

    @property
    def finds_albums_by_name(self) -> bool:
        """Whether `albumIds` means all albums of that name; otherwise only direct children."""
        return self is Version.V10_11

    @property
    def filters_at_the_root(self) -> bool:
        """Whether a query without a parent is recursive; otherwise it lists libraries."""
        return self is Version.V12_0

    @property
    def gives_pictures_an_etag(self) -> bool:
        """Whether a picture asked for with its tag has that tag as `ETag`."""
        return self is Version.V12_0

    @property
    def names_its_language(self) -> bool:
        """Whether every answer says `Content-Language`."""
        return self is Version.V12_0

    @property
    def tells_versions_as_films(self) -> bool:
        """Whether a further version of a film is a film as well, with the sources of all."""
        return self is Version.V12_0

    @property
    def tells_people_and_chapters(self) -> bool:
        """Whether a full music item has its artists as `People`, and an empty `Chapters`."""
        return self is Version.V12_0

    @property
    def counts_children_unasked(self) -> bool:
        """Whether albums come with `ChildCount` in the list of the latest."""
        return self is Version.V10_11

    @property
    def tells_played_percentage_of_nothing(self) -> bool:
        """Whether a series without a played episode says so with a percentage of 0."""
        return self is Version.V12_0

    @property
    def knows_original_streams(self) -> bool:
        """Whether streams have `IsOriginal`; the older form has video fields on sound as well."""
        return self is Version.V12_0

    @property
    def refuses_contradictory_filters(self) -> bool:
        """Whether `filters` that exclude each other are a bad request, not an empty answer."""
        return self is Version.V12_0

    @property
    def unticks_started_films(self) -> bool:
        """Whether a film or an episode stops being played when it is started again."""
        return self is Version.V10_11
