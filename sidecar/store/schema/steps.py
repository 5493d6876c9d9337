"""The tables as they came to be. A step that was released never changes: another one follows."""

from __future__ import annotations

APPLICATION_ID = 0x4A465343

FIRST = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    """CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE devices (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        added_at INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE accounts (
        user_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        server_id TEXT NOT NULL,
        is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
        may_download INTEGER NOT NULL CHECK (may_download IN (0, 1)),
        jellyfin_device_id TEXT NOT NULL UNIQUE,
        token_encrypted BLOB,
        state TEXT NOT NULL CHECK (state IN ('signed-in', 'signed-out')),
        signed_in_at INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX accounts_by_name ON accounts (name_key)",
    """CREATE TABLE sessions (
        id_hash BLOB PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER NOT NULL,
        address_prefix TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    "CREATE INDEX sessions_by_use ON sessions (last_used_at)",
    """CREATE TABLE api_keys (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key_hash BLOB NOT NULL UNIQUE,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        label TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER,
        revoked_at INTEGER
    ) STRICT""",
    "CREATE INDEX api_keys_by_user ON api_keys (user_id)",
    """CREATE TABLE downloads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        item_id TEXT NOT NULL,
        device_id TEXT NOT NULL REFERENCES devices (id),
        user_id TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN
            ('pending', 'downloading', 'paused', 'completed', 'failed', 'removed')),
        title TEXT NOT NULL,
        item_type TEXT NOT NULL,
        artist TEXT,
        album TEXT,
        album_id TEXT,
        image_item_id TEXT,
        image_tag TEXT,
        source_etag TEXT,
        search_key TEXT NOT NULL,
        file_path TEXT NOT NULL,
        path_key TEXT NOT NULL,
        file_size INTEGER CHECK (file_size >= 0),
        mime_type TEXT,
        expected_size INTEGER CHECK (expected_size >= 0),
        bytes_downloaded INTEGER NOT NULL DEFAULT 0 CHECK (bytes_downloaded >= 0),
        validator TEXT,
        finalizing INTEGER NOT NULL DEFAULT 0 CHECK (finalizing IN (0, 1)),
        priority INTEGER NOT NULL,
        error_code TEXT,
        error_message TEXT,
        retry_count INTEGER NOT NULL DEFAULT 0 CHECK (retry_count >= 0),
        retry_next_at INTEGER,
        queued_at INTEGER NOT NULL,
        started_at INTEGER,
        completed_at INTEGER,
        last_used_seq INTEGER NOT NULL DEFAULT 0,
        content_hash TEXT,
        format TEXT NOT NULL,
        UNIQUE (device_id, item_id),
        UNIQUE (device_id, path_key)
    ) STRICT""",
    # The columns after `id` are there so that what is not due is passed over in the index.
    """CREATE INDEX downloads_to_claim ON downloads
        (priority DESC, queued_at, id, retry_next_at, device_id, user_id, status)
        WHERE status = 'pending'""",
    """CREATE INDEX downloads_waiting ON downloads (status, retry_next_at)
        WHERE retry_next_at IS NOT NULL""",
    "CREATE INDEX downloads_by_status ON downloads (status, id, device_id, item_id, user_id)",
    """CREATE INDEX downloads_on_device ON downloads (device_id, id, file_size, status)
        WHERE status = 'completed'""",
    """CREATE TABLE holds (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL,
        device_id TEXT NOT NULL REFERENCES devices (id),
        item_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        source_id TEXT NOT NULL,
        text TEXT NOT NULL,
        release_at INTEGER,
        UNIQUE (user_id, device_id, item_id, rule, source_id)
    ) STRICT""",
    "CREATE INDEX holds_by_item ON holds (device_id, item_id, user_id)",
    "CREATE INDEX holds_by_rule ON holds (user_id, rule, source_id)",
    "CREATE INDEX holds_to_release ON holds (release_at) WHERE release_at IS NOT NULL",
    """CREATE TABLE hearts (
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        item_id TEXT NOT NULL,
        item_type TEXT NOT NULL,
        is_favorite INTEGER NOT NULL CHECK (is_favorite IN (0, 1)),
        at_risk INTEGER NOT NULL CHECK (at_risk IN (0, 1)),
        restore INTEGER NOT NULL CHECK (restore IN (0, 1)),
        changed_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, item_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX hearts_in_doubt ON hearts (user_id, changed_at) WHERE at_risk = 1",
    """CREATE TABLE tombstones (
        user_id TEXT NOT NULL,
        device_id TEXT NOT NULL REFERENCES devices (id),
        item_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, device_id, item_id)
    ) STRICT, WITHOUT ROWID""",
)
RULES = (
    """CREATE TABLE rule_settings (
        device_id TEXT NOT NULL REFERENCES devices (id),
        rule TEXT NOT NULL,
        changed TEXT NOT NULL,
        PRIMARY KEY (device_id, rule)
    ) STRICT, WITHOUT ROWID""",
    # An empty device stands for all of them.
    """CREATE TABLE exclusions (
        user_id TEXT NOT NULL,
        device_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        item_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, device_id, rule, item_id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE chosen_playlists (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL,
        device_id TEXT NOT NULL REFERENCES devices (id),
        playlist_id TEXT NOT NULL,
        title TEXT NOT NULL,
        UNIQUE (user_id, device_id, playlist_id)
    ) STRICT""",
)
DEVICE_SETTINGS = (
    """CREATE TABLE device_settings (
        device_id TEXT PRIMARY KEY REFERENCES devices (id),
        changed TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)

RESTS = (
    """CREATE TABLE rests (
        device_id TEXT NOT NULL REFERENCES devices (id),
        item_id TEXT NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (device_id, item_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX rests_by_end ON rests (until)",
)

PLAYS = (
    """CREATE TABLE plays (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        item_id TEXT NOT NULL,
        title TEXT NOT NULL,
        album_id TEXT,
        artist TEXT,
        client TEXT,
        device_name TEXT,
        session_id TEXT NOT NULL,
        playlist_item_id TEXT,
        started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,
        position_s REAL NOT NULL,
        seconds_heard REAL NOT NULL CHECK (seconds_heard >= 0),
        run_time REAL,
        counts INTEGER NOT NULL CHECK (counts IN (0, 1)),
        UNIQUE (user_id, session_id, started_at, item_id)
    ) STRICT""",
    "CREATE INDEX plays_by_user ON plays (user_id, id)",
    """CREATE INDEX plays_in_album ON plays (user_id, album_id, ended_at, item_id)
        WHERE counts = 1 AND album_id IS NOT NULL""",
    """CREATE INDEX plays_of_albums ON plays (user_id, ended_at, album_id)
        WHERE counts = 1 AND album_id IS NOT NULL""",
    "CREATE INDEX plays_of_item ON plays (item_id, ended_at) WHERE counts = 1",
    # Most files were never used since they came, and are not in it.
    "CREATE INDEX downloads_by_use ON downloads (last_used_seq) WHERE last_used_seq > 0",
)

QUEUE_ORDER = (
    # A counter with gaps, so that one download can go between two others.
    "ALTER TABLE downloads ADD COLUMN place INTEGER NOT NULL DEFAULT 0",
    """UPDATE downloads SET place = spread.place FROM (
        SELECT id, 1048576 * row_number() OVER (ORDER BY queued_at, id) AS place FROM downloads
    ) AS spread WHERE spread.id = downloads.id""",
    "DROP INDEX downloads_to_claim",
    """CREATE INDEX downloads_to_claim ON downloads
        (priority DESC, place, id, retry_next_at, device_id, user_id, status)
        WHERE status = 'pending'""",
    # What a cancelled download had, if it was to be kept: asked for again, it goes on from there.
    """CREATE TABLE kept_parts (
        download_id INTEGER PRIMARY KEY,
        device_id TEXT NOT NULL REFERENCES devices (id),
        item_id TEXT NOT NULL,
        validator TEXT NOT NULL,
        bytes_downloaded INTEGER NOT NULL CHECK (bytes_downloaded >= 0),
        kept_at INTEGER NOT NULL,
        UNIQUE (device_id, item_id)
    ) STRICT""",
)

FORMATS = (
    "ALTER TABLE downloads ADD COLUMN seconds REAL",
    "ALTER TABLE downloads ADD COLUMN source_extension TEXT",
    "ALTER TABLE downloads ADD COLUMN source_size INTEGER CHECK (source_size >= 0)",
    "ALTER TABLE downloads ADD COLUMN source_hash TEXT",
    "ALTER TABLE downloads ADD COLUMN format_note TEXT",
    # What comes after the last dot: so far all files are as they are on the server.
    """UPDATE downloads SET source_extension =
        replace(file_path, rtrim(file_path, replace(file_path, '.', '')), '')
        WHERE file_path LIKE '%.___' OR file_path LIKE '%.____'""",
)

PLAYLISTS = (
    # As they were listed last, whole: ids of items in their order, repeats included.
    """CREATE TABLE playlist_orders (
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        playlist_id TEXT NOT NULL,
        items TEXT NOT NULL,
        missing_since INTEGER,
        is_gone INTEGER NOT NULL DEFAULT 0 CHECK (is_gone IN (0, 1)),
        PRIMARY KEY (user_id, playlist_id)
    ) STRICT, WITHOUT ROWID""",
)
TILES = (
    # What the files of an album have in common, and the episodes of a series; a film is its own.
    """ALTER TABLE downloads ADD COLUMN tile TEXT GENERATED ALWAYS AS (
        CASE WHEN album_id IS NOT NULL THEN album_id
            WHEN item_type = 'Episode' AND artist IS NOT NULL THEN 'series:' || artist
            ELSE item_id END
    ) VIRTUAL""",
    "CREATE INDEX downloads_by_tile ON downloads (tile) WHERE status = 'completed'",
)
BESIDE = (
    """CREATE TABLE beside (
        download_id INTEGER PRIMARY KEY REFERENCES downloads (id) ON DELETE CASCADE,
        completed_at INTEGER NOT NULL
    ) STRICT""",
)
ORIGINALS = (
    # Of what was converted, where it is kept: bytes that it takes besides its file.
    "ALTER TABLE downloads ADD COLUMN original_size INTEGER CHECK (original_size >= 0)",
    """CREATE INDEX downloads_with_original ON downloads (device_id, original_size)
        WHERE original_size IS NOT NULL""",
)
ACCEPTED = (
    # What a person has taken for the whole file although the scan says another length.
    "ALTER TABLE downloads ADD COLUMN accepted TEXT",
)
MISSING = (
    # Since when the looks at its device have not found the file of a finished download there, and
    # whether people are asked what became of it.
    "ALTER TABLE downloads ADD COLUMN missing_since INTEGER",
    """ALTER TABLE downloads ADD COLUMN is_asked_about INTEGER NOT NULL DEFAULT 0
        CHECK (is_asked_about IN (0, 1))""",
    """CREATE INDEX downloads_missing ON downloads (device_id, id, missing_since, file_size)
        WHERE missing_since IS NOT NULL""",
)
KEY_EXPIRY = (
    # Keys that were made before have none: they work until they are revoked.
    "ALTER TABLE api_keys ADD COLUMN expires_at INTEGER",
)
IDENTITY = (
    # Since when the server has not known the item any more, as far as it was asked.
    "ALTER TABLE downloads ADD COLUMN gone_since INTEGER",
    # Where the server had the file: known again by it, shown to nobody.
    "ALTER TABLE downloads ADD COLUMN source_path TEXT",
    # Where the finished file is to be: its title has become another one.
    "ALTER TABLE downloads ADD COLUMN wanted_path TEXT",
    """CREATE INDEX downloads_by_source_size
        ON downloads (coalesce(source_size, file_size, expected_size))""",
    """CREATE INDEX downloads_gone ON downloads (device_id, id)
        WHERE gone_since IS NOT NULL""",
    """CREATE INDEX downloads_to_rename ON downloads (device_id, id)
        WHERE wanted_path IS NOT NULL""",
    # What a person has said are two different files.
    """CREATE TABLE unlike (
        old_item_id TEXT NOT NULL,
        new_item_id TEXT NOT NULL,
        PRIMARY KEY (old_item_id, new_item_id)
    ) STRICT, WITHOUT ROWID""",
)
SERIES = (
    # Of an episode: two series of one name have a folder each. Not known of earlier rows.
    "ALTER TABLE downloads ADD COLUMN series_id TEXT",
)
PAGE_SETTINGS = (
    # What admins set on the page, by the key of the settings file, as JSON.
    """CREATE TABLE page_settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)
LISTS = (
    # What a list is sorted by, with what it leaves out: nothing is sorted or read in vain.
    """CREATE INDEX downloads_by_title ON downloads
        (status, search_key, id, item_type, device_id, missing_since)""",
    """CREATE INDEX downloads_by_size ON downloads
        (status, coalesce(file_size, expected_size, 0) DESC, id, missing_since)""",
    """CREATE INDEX downloads_in_turn ON downloads (CASE status
            WHEN 'downloading' THEN 0 WHEN 'pending' THEN 1 WHEN 'paused' THEN 2 ELSE 3 END,
            priority DESC, place, id)
        WHERE status IN ('downloading', 'paused', 'pending')""",
    """CREATE INDEX downloads_to_fetch ON downloads (expected_size, bytes_downloaded)
        WHERE status = 'pending'""",
    # Files that were made for another format than the one that is set.
    """CREATE INDEX downloads_by_format ON downloads (device_id, format, item_type)
        WHERE status = 'completed'""",
    "DROP INDEX downloads_by_tile",
    """CREATE INDEX downloads_by_tile ON downloads (tile, id, missing_since, item_type, device_id)
        WHERE status = 'completed'""",
)
HIDDEN = (
    # What an account holds and may not see on the server any more, and in which library it was.
    """CREATE TABLE hidden_items (
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        item_id TEXT NOT NULL,
        library TEXT,
        since INTEGER NOT NULL,
        is_kept INTEGER NOT NULL DEFAULT 0 CHECK (is_kept IN (0, 1)),
        PRIMARY KEY (user_id, item_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX hidden_items_by_item ON hidden_items (item_id)",
    # What each account could see when it was asked last, as JSON.
    """CREATE TABLE seen_libraries (
        user_id TEXT PRIMARY KEY REFERENCES accounts (user_id) ON DELETE CASCADE,
        rights TEXT NOT NULL,
        libraries TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)
SESSION_BROWSERS = (
    # Which browser a session began in. Not known of earlier ones.
    "ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT ''",
)
CHOICES = (
    # What a person chose last on the page, by a name: the device to download to.
    """CREATE TABLE choices (
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (user_id, name)
    ) STRICT, WITHOUT ROWID""",
)
TURNS = (
    # A row keeps its place in the list when it begins, is paused or goes on.
    "DROP INDEX downloads_in_turn",
    """CREATE INDEX downloads_in_turn ON downloads (CASE
            WHEN status IN ('downloading', 'paused', 'pending') THEN 0 ELSE 1 END,
            priority DESC, place, id)
        WHERE status IN ('downloading', 'paused', 'pending')""",
)
ACTIVITY = (
    # What happened to files, and whom it concerned then.
    """CREATE TABLE activity (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        device_id TEXT NOT NULL,
        item_id TEXT,
        title TEXT NOT NULL,
        artist TEXT,
        item_type TEXT,
        bytes INTEGER,
        by_user TEXT,
        text TEXT
    ) STRICT""",
    """CREATE TABLE activity_of (
        activity_id INTEGER NOT NULL REFERENCES activity (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL,
        text TEXT,
        PRIMARY KEY (user_id, activity_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX activity_of_entry ON activity_of (activity_id)",
    # For charts.
    """CREATE TABLE space_samples (
        device_id TEXT NOT NULL,
        day INTEGER NOT NULL,
        used INTEGER NOT NULL,
        most INTEGER,
        PRIMARY KEY (device_id, day)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE speed_samples (
        slot INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (user_id, slot)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX speed_samples_by_slot ON speed_samples (slot)",
    # Whether it was on a device before it was played; not known of earlier plays.
    "ALTER TABLE plays ADD COLUMN was_there INTEGER CHECK (was_there IN (0, 1))",
    "CREATE INDEX plays_by_start ON plays (user_id, started_at, was_there) WHERE counts = 1",
)
FOLLOWED = (
    # Not only playlists are kept in sync: artists, albums and series as well, by Jellyfin's types.
    "ALTER TABLE chosen_playlists ADD COLUMN kind TEXT NOT NULL DEFAULT 'Playlist'",
)
CONCERNS = (
    # Whom an entry concerns is written with it, by the same statement: the newest reason of each
    # who holds the file; of nobody's, whoever asked for it.
    """CREATE TRIGGER activity_concerns AFTER INSERT ON activity WHEN new.item_id IS NOT NULL BEGIN
        INSERT INTO activity_of (activity_id, user_id, text)
            SELECT new.id, user_id, text FROM holds WHERE id IN (SELECT max(id) FROM holds
                WHERE device_id = new.device_id AND item_id = new.item_id GROUP BY user_id);
        INSERT INTO activity_of (activity_id, user_id)
            SELECT new.id, user_id FROM downloads
            WHERE device_id = new.device_id AND item_id = new.item_id
                AND NOT EXISTS (SELECT 1 FROM activity_of WHERE activity_id = new.id);
    END""",
)
PLAYER_STATES = (
    # Whose player a device is; without a user it is nobody's.
    """CREATE TABLE player_listeners (
        device_id TEXT PRIMARY KEY REFERENCES devices (id),
        user_id TEXT REFERENCES accounts (user_id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID""",
    # What was dealt with of the positions, counts and ratings of a player.
    """CREATE TABLE player_states (
        device_id TEXT NOT NULL REFERENCES devices (id),
        item_id TEXT NOT NULL,
        position_ms INTEGER,
        position_at INTEGER,
        undated INTEGER NOT NULL DEFAULT 0,
        counted_at INTEGER,
        elsewhere INTEGER NOT NULL DEFAULT 0,
        rating INTEGER,
        line TEXT,
        PRIMARY KEY (device_id, item_id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE player_imports (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        device_id TEXT NOT NULL REFERENCES devices (id),
        made_at INTEGER NOT NULL
    ) STRICT""",
    # What Jellyfin was told: before and after, as JSON; not done before it has it.
    """CREATE TABLE player_changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        import_id INTEGER NOT NULL REFERENCES player_imports (id) ON DELETE CASCADE,
        item_id TEXT NOT NULL,
        title TEXT NOT NULL,
        change TEXT NOT NULL,
        is_done INTEGER NOT NULL DEFAULT 0 CHECK (is_done IN (0, 1))
    ) STRICT""",
    "CREATE INDEX player_changes_by_import ON player_changes (import_id)",
    # Whether a changelog had counted the play already, without a date.
    """ALTER TABLE imported_plays ADD COLUMN was_counted INTEGER NOT NULL DEFAULT 0
        CHECK (was_counted IN (0, 1))""",
)
BROWSER_PLAYS = (
    # What was heard in our player in a browser; `count_after` as in `imported_plays`.
    """CREATE TABLE browser_plays (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        device_id TEXT NOT NULL,
        item_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        stamp INTEGER NOT NULL,
        heard_s REAL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,
        seconds_heard REAL NOT NULL CHECK (seconds_heard >= 0),
        count_after INTEGER,
        was_counted INTEGER NOT NULL DEFAULT 0 CHECK (was_counted IN (0, 1)),
        UNIQUE (device_id, item_id, kind, stamp)
    ) STRICT""",
    """CREATE INDEX browser_plays_begun ON browser_plays (user_id, device_id)
        WHERE count_after IS NOT NULL""",
)
SELECTIONS = (
    # Filters of the library that people saved, as JSON.
    """CREATE TABLE selections (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        asked TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX selections_by_user ON selections (user_id)",
    # Where each is kept in sync, how many files it matched when that was last believed, and
    # whether its owner wants nothing removed although it matches far fewer.
    """CREATE TABLE selection_devices (
        selection_id TEXT NOT NULL REFERENCES selections (id) ON DELETE CASCADE,
        device_id TEXT NOT NULL REFERENCES devices (id),
        matched INTEGER,
        keeps_all INTEGER NOT NULL DEFAULT 0 CHECK (keeps_all IN (0, 1)),
        PRIMARY KEY (selection_id, device_id)
    ) STRICT, WITHOUT ROWID""",
)
DEVICE_PLAYLISTS = (
    # The playlists on a device as they were written there, or taken home from there, last; a list
    # that came from the device has the account that took it, and no id if it was passed over.
    """CREATE TABLE device_playlists (
        device_id TEXT NOT NULL,
        path TEXT NOT NULL,
        list_id TEXT,
        user_id TEXT,
        paths TEXT NOT NULL,
        PRIMARY KEY (device_id, path)
    ) STRICT, WITHOUT ROWID""",
)
TAKEN_PLAYLISTS = (
    # What a person took home from a list on a device, and what Jellyfin had before, as JSON: noted
    # before Jellyfin is told; not done before it has it.
    """CREATE TABLE taken_playlists (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        device_id TEXT NOT NULL,
        path TEXT NOT NULL,
        told TEXT NOT NULL,
        is_done INTEGER NOT NULL DEFAULT 0 CHECK (is_done IN (0, 1)),
        UNIQUE (user_id, device_id, path)
    ) STRICT""",
)
KEY_ORIGINS = (
    # The pages that a key is for, if it is one for Jellyfin's own web client.
    "ALTER TABLE api_keys ADD COLUMN origin TEXT",
)
PROCESSES = (
    # The processes that run on this database. One whose `beat` does not grow any more is dead: what
    # its workers were busy with goes back into the queue. `lock` is the file that it holds locked.
    """CREATE TABLE processes (
        id TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        lock TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        beat INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID""",
    "ALTER TABLE downloads ADD COLUMN claimed_by TEXT",
)
PUSH_SUBSCRIPTIONS = (
    # Where the browser of a session is told of news, sealed; it ends with the session.
    """CREATE TABLE push_subscriptions (
        session_hash BLOB PRIMARY KEY REFERENCES sessions (id_hash) ON DELETE CASCADE,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID""",
)
DEVICE_MACHINES = (
    # Where each device is on each machine that has ever had it, and which process has it attached
    # now: one at most, and none once its lease is over.
    """CREATE TABLE device_machines (
        device_id TEXT NOT NULL REFERENCES devices (id),
        machine TEXT NOT NULL,
        path TEXT NOT NULL,
        process_id TEXT REFERENCES processes (id) ON DELETE SET NULL,
        free INTEGER,
        total INTEGER,
        problem_code TEXT,
        problem TEXT,
        told_at INTEGER NOT NULL,
        PRIMARY KEY (device_id, machine)
    ) STRICT, WITHOUT ROWID""",
    """CREATE UNIQUE INDEX device_machines_holder ON device_machines (device_id)
        WHERE process_id IS NOT NULL""",
    "CREATE INDEX device_machines_by_process ON device_machines (process_id)",
)
ORDERS = (
    # When each machine was heard of first and last; what a process is and does there.
    """CREATE TABLE machines (
        name TEXT PRIMARY KEY,
        since INTEGER NOT NULL,
        heard_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "ALTER TABLE processes ADD COLUMN version TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE processes ADD COLUMN roles TEXT NOT NULL DEFAULT ''",
    # What people want done with the files of a device, by the process that has it; `given` and
    # `result` are JSON. One that is open and has a process is being carried out; when the lease of
    # that process ends, it is free to be taken again.
    """CREATE TABLE orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device_id TEXT NOT NULL REFERENCES devices (id),
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        machine TEXT NOT NULL,
        kind TEXT NOT NULL,
        given TEXT NOT NULL,
        what TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        process_id TEXT REFERENCES processes (id) ON DELETE SET NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        ended_at INTEGER,
        answer TEXT,
        result TEXT
    ) STRICT""",
    "CREATE INDEX orders_open ON orders (device_id) WHERE state = 'open'",
    "CREATE INDEX orders_by_user ON orders (user_id)",
    "CREATE INDEX orders_by_process ON orders (process_id)",
    # By which others see that it was let go and attached again between two looks.
    "ALTER TABLE device_machines ADD COLUMN times_held INTEGER NOT NULL DEFAULT 0",
)
TOLD_ROOM = (
    # What other machines need to count a device's room: the bytes of a block, of the largest file
    # that it can hold, and of our generated files there.
    "ALTER TABLE device_machines ADD COLUMN block INTEGER",
    "ALTER TABLE device_machines ADD COLUMN largest_file INTEGER",
    "ALTER TABLE device_machines ADD COLUMN aside INTEGER NOT NULL DEFAULT 0",
)
DEVICE_REPORTS = (
    # What the process that has a device attached knows of it and the others show: `content` is
    # JSON of a form that `kind` names, and `version` another number each time.
    """CREATE TABLE device_reports (
        device_id TEXT NOT NULL REFERENCES devices (id),
        kind TEXT NOT NULL,
        process_id TEXT NOT NULL REFERENCES processes (id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (device_id, kind, process_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX device_reports_by_process ON device_reports (process_id)",
)
ARRIVALS = (
    # When the last file came to a device. By its third condition, which holds for all of them,
    # SQLite takes it for no other question about the files of a device.
    """CREATE INDEX downloads_by_arrival ON downloads (device_id, completed_at)
        WHERE status = 'completed' AND missing_since IS NULL AND completed_at > 0""",
)
FINDINGS = (
    # Problems and questions that a process has found and the others show: `content` is JSON of a
    # form that `kind` names, and `version` another number each time.
    """CREATE TABLE findings (
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        process_id TEXT NOT NULL REFERENCES processes (id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (kind, subject, process_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX findings_by_process ON findings (process_id)",
)
ONE_TABLE_OF_FINDINGS = (
    # What is known of devices is told as all else is. Nothing is lost: it goes with its process.
    "DROP TABLE device_reports",
)
