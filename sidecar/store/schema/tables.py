"""The tables as peewee sees them. The store's own: no row leaves it.

`migrations` makes them; a test holds the two together.
"""

from __future__ import annotations

import peewee

from sidecar.store.schema.fields import MessageField, MomentField, StatusField, ValidatorField

IMPORTED_PLAYS = (
    # What was taken over from players' logs; `count_after` says what Jellyfin is to count once it
    # was told, and is NULL when it was.
    """CREATE TABLE imported_plays (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        device_id TEXT NOT NULL REFERENCES devices (id),
        item_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        stamp INTEGER NOT NULL,
        heard_s REAL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,
        seconds_heard REAL NOT NULL CHECK (seconds_heard >= 0),
        count_after INTEGER,
        UNIQUE (device_id, item_id, kind, stamp)
    ) STRICT""",
    """CREATE INDEX imported_plays_begun ON imported_plays (user_id, device_id)
        WHERE count_after IS NOT NULL""",
)


PEERS = (
    """CREATE TABLE peers (
        device_id TEXT NOT NULL REFERENCES devices (id),
        peer_id TEXT NOT NULL,
        name TEXT NOT NULL,
        is_paused INTEGER NOT NULL CHECK (is_paused IN (0, 1)),
        last_seen INTEGER,
        PRIMARY KEY (device_id, peer_id)
    ) STRICT, WITHOUT ROWID""",
    # Of one file only as long as it is the very one that arrived: `completed_at` names it.
    """CREATE TABLE arrivals (
        download_id INTEGER NOT NULL REFERENCES downloads (id) ON DELETE CASCADE,
        peer_id TEXT NOT NULL,
        completed_at INTEGER NOT NULL,
        known_at INTEGER NOT NULL,
        PRIMARY KEY (download_id, peer_id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX downloads_by_completion ON downloads (device_id, completed_at)
        WHERE status = 'completed'""",
)


class PeerRow(peewee.Model):
    """Another device that a folder is shared with."""

    device_id = peewee.TextField()
    peer_id = peewee.TextField()
    name = peewee.TextField()
    is_paused = peewee.BooleanField()
    last_seen = MomentField(null=True)

    class Meta:
        table_name = "peers"
        primary_key = peewee.CompositeKey("device_id", "peer_id")


class ArrivalRow(peewee.Model):
    """A file that another device has."""

    download_id = peewee.IntegerField()
    peer_id = peewee.TextField()
    completed_at = MomentField()
    known_at = MomentField()

    class Meta:
        table_name = "arrivals"
        primary_key = peewee.CompositeKey("download_id", "peer_id")


class ImportedPlayRow(peewee.Model):
    """A listening that was taken over from a player's log."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    device_id = peewee.TextField()
    item_id = peewee.TextField()
    kind = peewee.TextField()
    stamp = peewee.IntegerField()
    heard_s = peewee.FloatField(null=True)
    started_at = MomentField()
    ended_at = MomentField()
    seconds_heard = peewee.FloatField()
    count_after = peewee.IntegerField(null=True)
    was_counted = peewee.BooleanField(default=False)

    class Meta:
        table_name = "imported_plays"


class BrowserPlayRow(ImportedPlayRow):
    """A listening that was taken over from our player in a browser."""

    class Meta:
        table_name = "browser_plays"


class DevicePlaylistRow(peewee.Model):
    """A playlist on a device, as it was written there or taken home from there last."""

    device_id = peewee.TextField()
    path = peewee.TextField()
    list_id = peewee.TextField(null=True)
    user_id = peewee.TextField(null=True)
    paths = peewee.TextField()

    class Meta:
        table_name = "device_playlists"
        primary_key = peewee.CompositeKey("device_id", "path")


class TakenPlaylistRow(peewee.Model):
    """What a person took home from a list on a device, and what Jellyfin had before."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    device_id = peewee.TextField()
    path = peewee.TextField()
    told = peewee.TextField()
    is_done = peewee.BooleanField(default=False)

    class Meta:
        table_name = "taken_playlists"


class PlayerListenerRow(peewee.Model):
    """Whose player a device is."""

    device_id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField(null=True)

    class Meta:
        table_name = "player_listeners"


class PlayerStateRow(peewee.Model):
    """What was dealt with of a file on a player."""

    device_id = peewee.TextField()
    item_id = peewee.TextField()
    position_ms = peewee.IntegerField(null=True)
    position_at = MomentField(null=True)
    undated = peewee.IntegerField(default=0)
    counted_at = MomentField(null=True)
    elsewhere = peewee.IntegerField(default=0)
    rating = peewee.IntegerField(null=True)
    line = peewee.TextField(null=True)

    class Meta:
        table_name = "player_states"
        primary_key = peewee.CompositeKey("device_id", "item_id")


class PlayerImportRow(peewee.Model):
    """An import of what a player knows."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    device_id = peewee.TextField()
    made_at = MomentField()

    class Meta:
        table_name = "player_imports"


class PlayerChangeRow(peewee.Model):
    """What an import has changed for one item."""

    id = peewee.AutoField()
    import_id = peewee.IntegerField()
    item_id = peewee.TextField()
    title = peewee.TextField()
    change = peewee.TextField()
    is_done = peewee.BooleanField(default=False)

    class Meta:
        table_name = "player_changes"


class RuleSettingsRow(peewee.Model):
    """What a rule does otherwise on one device."""

    device_id = peewee.TextField()
    rule = peewee.TextField()
    changed = peewee.TextField()

    class Meta:
        table_name = "rule_settings"
        primary_key = peewee.CompositeKey("device_id", "rule")


class DeviceSettingsRow(peewee.Model):
    """What was changed for one device."""

    device_id = peewee.TextField(primary_key=True)
    changed = peewee.TextField()

    class Meta:
        table_name = "device_settings"


class ExclusionRow(peewee.Model):
    """An item that a person does not want from one rule."""

    user_id = peewee.TextField()
    device_id = peewee.TextField()
    rule = peewee.TextField()
    item_id = peewee.TextField()
    created_at = MomentField()

    class Meta:
        table_name = "exclusions"
        primary_key = peewee.CompositeKey("user_id", "device_id", "rule", "item_id")


class ChosenPlaylistRow(peewee.Model):
    """A playlist that a person wants on a device."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    device_id = peewee.TextField()
    playlist_id = peewee.TextField()
    title = peewee.TextField()
    kind = peewee.TextField(default="Playlist")

    class Meta:
        table_name = "chosen_playlists"


class SelectionRow(peewee.Model):
    """A filter of the library that a person saved."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    name = peewee.TextField()
    asked = peewee.TextField()
    created_at = MomentField()

    class Meta:
        table_name = "selections"


class SelectionDeviceRow(peewee.Model):
    """A device on which a saved filter is kept in sync."""

    selection_id = peewee.TextField()
    device_id = peewee.TextField()
    matched = peewee.IntegerField(null=True)
    keeps_all = peewee.BooleanField(default=False)

    class Meta:
        table_name = "selection_devices"
        primary_key = peewee.CompositeKey("selection_id", "device_id")


class PlaylistOrderRow(peewee.Model):
    """What is on a playlist, as an account listed it last."""

    user_id = peewee.TextField()
    playlist_id = peewee.TextField()
    items = peewee.TextField()
    missing_since = MomentField(null=True)
    is_gone = peewee.BooleanField(default=False)

    class Meta:
        table_name = "playlist_orders"
        primary_key = peewee.CompositeKey("user_id", "playlist_id")


class CompanionRow(peewee.Model):
    """A finished file whose cover, lyrics and subtitles were looked for."""

    download_id = peewee.IntegerField(primary_key=True)
    completed_at = MomentField()

    class Meta:
        table_name = "beside"


class EvictionCooldownRow(peewee.Model):
    """An item that was evicted and rests."""

    device_id = peewee.TextField()
    item_id = peewee.TextField()
    until = MomentField()

    class Meta:
        table_name = "rests"
        primary_key = peewee.CompositeKey("device_id", "item_id")


class DownloadRow(peewee.Model):
    """`domain.downloads.download.Download`, and the keys it is found by."""

    id = peewee.AutoField()
    item_id = peewee.TextField()
    device_id = peewee.TextField()
    user_id = peewee.TextField()
    status = StatusField()
    title = peewee.TextField()
    item_type = peewee.TextField()
    artist = peewee.TextField(null=True)
    album = peewee.TextField(null=True)
    album_id = peewee.TextField(null=True)
    image_item_id = peewee.TextField(null=True)
    image_tag = peewee.TextField(null=True)
    source_etag = peewee.TextField(null=True)
    search_key = peewee.TextField()
    file_path = peewee.TextField()
    path_key = peewee.TextField()
    file_size = peewee.IntegerField(null=True)
    mime_type = peewee.TextField(null=True)
    expected_size = peewee.IntegerField(null=True)
    bytes_downloaded = peewee.IntegerField(default=0)
    validator = ValidatorField(null=True)
    finalizing = peewee.BooleanField(default=False)
    priority = peewee.IntegerField()
    error_code = peewee.TextField(null=True)
    error_message = MessageField(null=True)
    retry_count = peewee.IntegerField(default=0)
    retry_next_at = MomentField(null=True)
    queued_at = MomentField()
    place = peewee.IntegerField(default=0)
    started_at = MomentField(null=True)
    completed_at = MomentField(null=True)
    last_used_seq = peewee.IntegerField(default=0)
    content_hash = peewee.TextField(null=True)
    format = peewee.TextField()
    seconds = peewee.FloatField(null=True)
    source_extension = peewee.TextField(null=True)
    source_size = peewee.IntegerField(null=True)
    source_hash = peewee.TextField(null=True)
    format_note = MessageField(null=True)
    original_size = peewee.IntegerField(null=True)
    accepted = ValidatorField(null=True)
    missing_since = MomentField(null=True)
    is_asked_about = peewee.BooleanField(default=False)
    gone_since = MomentField(null=True)
    source_path = peewee.TextField(null=True)
    wanted_path = peewee.TextField(null=True)
    series_id = peewee.TextField(null=True)
    claimed_by = peewee.TextField(null=True)
    has_copies = peewee.BooleanField(default=False)

    class Meta:
        table_name = "downloads"


class DifferentItemsRow(peewee.Model):
    """Two items that are different files, as a person has said."""

    old_item_id = peewee.TextField()
    new_item_id = peewee.TextField()

    class Meta:
        table_name = "unlike"
        primary_key = peewee.CompositeKey("old_item_id", "new_item_id")


class KeptPartRow(peewee.Model):
    """What a cancelled download had of its file."""

    download_id = peewee.IntegerField(primary_key=True)
    device_id = peewee.TextField()
    item_id = peewee.TextField()
    validator = ValidatorField()
    bytes_downloaded = peewee.IntegerField()
    kept_at = MomentField()

    class Meta:
        table_name = "kept_parts"


class DeviceRow(peewee.Model):
    """A folder that we fill."""

    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    path = peewee.TextField()
    added_at = MomentField()

    class Meta:
        table_name = "devices"


class AccountRow(peewee.Model):
    """A Jellyfin user who has signed in."""

    user_id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    name_key = peewee.TextField()
    server_id = peewee.TextField()
    is_admin = peewee.BooleanField()
    may_download = peewee.BooleanField()
    jellyfin_device_id = peewee.TextField()
    token_encrypted = peewee.BlobField(null=True)
    state = peewee.TextField()
    signed_in_at = MomentField()

    class Meta:
        table_name = "accounts"


class SessionRow(peewee.Model):
    """A session of the web page."""

    id_hash = peewee.BlobField(primary_key=True)
    user_id = peewee.TextField()
    created_at = MomentField()
    last_used_at = MomentField()
    address_prefix = peewee.TextField()
    user_agent = peewee.TextField(default="")

    class Meta:
        table_name = "sessions"


class PushSubscriptionRow(peewee.Model):
    """Where the browser of a session is told of news, sealed; it ends with the session."""

    session_hash = peewee.BlobField(primary_key=True)
    sealed = peewee.BlobField()

    class Meta:
        table_name = "push_subscriptions"


class ApiKeyRow(peewee.Model):
    """A key for scripts."""

    id = peewee.AutoField()
    key_hash = peewee.BlobField()
    user_id = peewee.TextField()
    label = peewee.TextField()
    created_at = MomentField()
    last_used_at = MomentField(null=True)
    revoked_at = MomentField(null=True)
    expires_at = MomentField(null=True)
    origin = peewee.TextField(null=True)

    class Meta:
        table_name = "api_keys"


class HoldRow(peewee.Model):
    """A wish that is kept."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    device_id = peewee.TextField()
    item_id = peewee.TextField()
    rule = peewee.TextField()
    source_id = peewee.TextField()
    text = MessageField()
    release_at = MomentField(null=True)

    class Meta:
        table_name = "holds"


class FavouriteStateRow(peewee.Model):
    """What we believe of one favourite of one account."""

    user_id = peewee.TextField()
    item_id = peewee.TextField()
    item_type = peewee.TextField()
    is_favorite = peewee.BooleanField()
    at_risk = peewee.BooleanField()
    restore = peewee.BooleanField()
    changed_at = MomentField()

    class Meta:
        table_name = "hearts"
        primary_key = peewee.CompositeKey("user_id", "item_id")


class TombstoneRow(peewee.Model):
    """An item that a person removed on purpose."""

    user_id = peewee.TextField()
    device_id = peewee.TextField()
    item_id = peewee.TextField()
    created_at = MomentField()

    class Meta:
        table_name = "tombstones"
        primary_key = peewee.CompositeKey("user_id", "device_id", "item_id")


class PlayRow(peewee.Model):
    """`domain.playback.plays.Play`, and whether it counts."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    item_id = peewee.TextField()
    title = peewee.TextField()
    album_id = peewee.TextField(null=True)
    artist = peewee.TextField(null=True)
    client = peewee.TextField(null=True)
    device_name = peewee.TextField(null=True)
    session_id = peewee.TextField()
    playlist_item_id = peewee.TextField(null=True)
    started_at = MomentField()
    ended_at = MomentField()
    position_s = peewee.FloatField()
    seconds_heard = peewee.FloatField()
    run_time = peewee.FloatField(null=True)
    counts = peewee.BooleanField()
    was_there = peewee.BooleanField(null=True)

    class Meta:
        table_name = "plays"


class OwnedRow(peewee.Model):
    """Whose a download is; kept by triggers (`owners`)."""

    user_id = peewee.TextField()
    download_id = peewee.IntegerField()
    status = StatusField()
    device_id = peewee.TextField()

    class Meta:
        table_name = "owned"
        primary_key = peewee.CompositeKey("download_id", "user_id")


class OwnTallyRow(peewee.Model):
    """How many of some downloads in a state on a device are somebody's; by triggers (`owners`)."""

    user_id = peewee.TextField()
    status = StatusField()
    device_id = peewee.TextField()
    part = peewee.IntegerField()
    files = peewee.IntegerField()

    class Meta:
        table_name = "own_tallies"
        primary_key = peewee.CompositeKey("user_id", "status", "device_id", "part")


class TallyRow(peewee.Model):
    """How many downloads a device has in a state; kept by triggers (`owners`)."""

    device_id = peewee.TextField()
    status = StatusField()
    files = peewee.IntegerField()
    bytes = peewee.IntegerField()

    class Meta:
        table_name = "tallies"
        primary_key = peewee.CompositeKey("device_id", "status")


class TileRow(peewee.Model):
    """An album, a series or a film with files that are there; kept by triggers (`kept_tiles`)."""

    id = peewee.AutoField()
    tile = peewee.TextField()
    newest = peewee.IntegerField()
    files = peewee.IntegerField()

    class Meta:
        table_name = "tiles"


class OwnTileRow(peewee.Model):
    """The same of somebody's files; kept by triggers (`kept_tiles`)."""

    user_id = peewee.TextField()
    tile_id = peewee.IntegerField()
    newest = peewee.IntegerField()
    files = peewee.IntegerField()

    class Meta:
        table_name = "own_tiles"
        primary_key = peewee.CompositeKey("tile_id", "user_id")


class TiledRow(peewee.Model):
    """The tile of a file that is there; kept by triggers (`kept_tiles`)."""

    download_id = peewee.IntegerField(primary_key=True)
    tile_id = peewee.IntegerField()

    class Meta:
        table_name = "tiled"


class CopiedRow(peewee.Model):
    """The item of a file that is there and has copies; kept by triggers (`own_copies`)."""

    download_id = peewee.IntegerField(primary_key=True)
    item_id = peewee.TextField()

    class Meta:
        table_name = "copied"


class OwnCopyRow(peewee.Model):
    """How many of an item's files somebody has; kept by triggers (`own_copies`)."""

    item_id = peewee.TextField()
    user_id = peewee.TextField()
    files = peewee.IntegerField()

    class Meta:
        table_name = "own_copies"
        primary_key = peewee.CompositeKey("item_id", "user_id")


class MetaRow(peewee.Model):
    """A fact about the whole installation."""

    key = peewee.TextField(primary_key=True)
    value = peewee.TextField()

    class Meta:
        table_name = "meta"


class HiddenItemRow(peewee.Model):
    """An item that an account holds and may not see on the server any more."""

    user_id = peewee.TextField()
    item_id = peewee.TextField()
    library = peewee.TextField(null=True)
    since = MomentField()
    is_kept = peewee.BooleanField()

    class Meta:
        """Where it is."""

        table_name = "hidden_items"
        primary_key = peewee.CompositeKey("user_id", "item_id")


class SeenLibrariesRow(peewee.Model):
    """The rights and libraries of an account when it was asked last."""

    user_id = peewee.TextField(primary_key=True)
    rights = peewee.TextField()
    libraries = peewee.TextField()

    class Meta:
        """Where it is."""

        table_name = "seen_libraries"


class PageSettingRow(peewee.Model):
    """A setting that an admin has set on the page."""

    key = peewee.TextField(primary_key=True)
    value = peewee.TextField()

    class Meta:
        table_name = "page_settings"


class ChoiceRow(peewee.Model):
    """What a person chose last on the page."""

    user_id = peewee.TextField()
    name = peewee.TextField()
    value = peewee.TextField()

    class Meta:
        """Where it is."""

        table_name = "choices"
        primary_key = peewee.CompositeKey("user_id", "name")


class ActivityRow(peewee.Model):
    """Something that happened to a file, or that a person confirmed."""

    id = peewee.AutoField()
    at = MomentField()
    kind = peewee.TextField()
    device_id = peewee.TextField()
    item_id = peewee.TextField(null=True)
    title = peewee.TextField()
    artist = peewee.TextField(null=True)
    item_type = peewee.TextField(null=True)
    bytes = peewee.IntegerField(null=True)
    by_user = peewee.TextField(null=True)
    text = MessageField(null=True)

    class Meta:
        """Where it is."""

        table_name = "activity"


class ActivityOfRow(peewee.Model):
    """A person whom it concerned, and why."""

    activity_id = peewee.IntegerField()
    user_id = peewee.TextField()
    text = MessageField(null=True)

    class Meta:
        """Where it is."""

        table_name = "activity_of"
        primary_key = peewee.CompositeKey("user_id", "activity_id")


class SpaceSampleRow(peewee.Model):
    """How full a device was on a day."""

    device_id = peewee.TextField()
    day = peewee.IntegerField()
    used = peewee.IntegerField()
    most = peewee.IntegerField(null=True)

    class Meta:
        """Where it is."""

        table_name = "space_samples"
        primary_key = peewee.CompositeKey("device_id", "day")


class SpeedSampleRow(peewee.Model):
    """How much was fetched for an account in five minutes."""

    slot = peewee.IntegerField()
    user_id = peewee.TextField()
    bytes = peewee.IntegerField()

    class Meta:
        """Where it is."""

        table_name = "speed_samples"
        primary_key = peewee.CompositeKey("user_id", "slot")


class ProcessRow(peewee.Model):
    """A running process of this installation; `beat` grows as long as it lives."""

    id = peewee.TextField(primary_key=True)
    host = peewee.TextField()
    lock = peewee.TextField()
    started_at = MomentField()
    seen_at = MomentField()
    beat = peewee.IntegerField(default=0)
    version = peewee.TextField(default="")
    roles = peewee.TextField(default="")

    class Meta:
        table_name = "processes"


class MachineRow(peewee.Model):
    """A machine, and when it was heard of first and last."""

    name = peewee.TextField(primary_key=True)
    since = MomentField()
    heard_at = MomentField()

    class Meta:
        table_name = "machines"


class DeviceMachineRow(peewee.Model):
    """Where a device is on a machine, and how it is there; with a process: attached now."""

    device_id = peewee.TextField()
    machine = peewee.TextField()
    path = peewee.TextField()
    process_id = peewee.TextField(null=True)
    free = peewee.IntegerField(null=True)
    total = peewee.IntegerField(null=True)
    problem_code = peewee.TextField(null=True)
    problem = peewee.TextField(null=True)
    told_at = MomentField()
    times_held = peewee.IntegerField(default=0)
    block = peewee.IntegerField(null=True)
    largest_file = peewee.IntegerField(null=True)
    aside = peewee.IntegerField(default=0)

    class Meta:
        table_name = "device_machines"
        primary_key = peewee.CompositeKey("device_id", "machine")


class FindingRow(peewee.Model):
    """What a process has found or knows of a device that it has, for the others."""

    kind = peewee.TextField()
    subject = peewee.TextField()
    process_id = peewee.TextField()
    version = peewee.IntegerField()
    content = peewee.TextField()

    class Meta:
        table_name = "findings"
        primary_key = peewee.CompositeKey("kind", "subject", "process_id")


class OrderRow(peewee.Model):
    """What a person wants done with a device's files by the machine that has it."""

    id = peewee.AutoField()
    device_id = peewee.TextField()
    user_id = peewee.TextField()
    machine = peewee.TextField()
    kind = peewee.TextField()
    given = peewee.TextField()
    what = MessageField()
    made_at = MomentField()
    state = peewee.TextField()
    process_id = peewee.TextField(null=True)
    tries = peewee.IntegerField(default=0)
    ended_at = MomentField(null=True)
    answer = MessageField(null=True)
    result = peewee.TextField(null=True)

    class Meta:
        table_name = "orders"


ROWS: tuple[type[peewee.Model], ...] = (
    MetaRow,
    PageSettingRow,
    DeviceRow,
    AccountRow,
    SessionRow,
    PushSubscriptionRow,
    ApiKeyRow,
    HiddenItemRow,
    SeenLibrariesRow,
    DownloadRow,
    DifferentItemsRow,
    KeptPartRow,
    HoldRow,
    FavouriteStateRow,
    TombstoneRow,
    RuleSettingsRow,
    DeviceSettingsRow,
    ExclusionRow,
    ChosenPlaylistRow,
    SelectionRow,
    SelectionDeviceRow,
    PlaylistOrderRow,
    CompanionRow,
    EvictionCooldownRow,
    PlayRow,
    PeerRow,
    ArrivalRow,
    ImportedPlayRow,
    BrowserPlayRow,
    DevicePlaylistRow,
    TakenPlaylistRow,
    PlayerListenerRow,
    PlayerStateRow,
    PlayerImportRow,
    PlayerChangeRow,
    OwnedRow,
    OwnTallyRow,
    TallyRow,
    TileRow,
    OwnTileRow,
    TiledRow,
    CopiedRow,
    OwnCopyRow,
    ChoiceRow,
    ActivityRow,
    ActivityOfRow,
    SpaceSampleRow,
    SpeedSampleRow,
    ProcessRow,
    DeviceMachineRow,
    MachineRow,
    OrderRow,
    FindingRow,
)
