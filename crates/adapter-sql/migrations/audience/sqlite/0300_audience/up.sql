-- The last number that each workspace has given to an audience.
CREATE TABLE audience_numbers (
    workspace   TEXT PRIMARY KEY,
    last_number INTEGER NOT NULL
) STRICT;

CREATE TABLE audiences (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    number     INTEGER NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    tags       TEXT NOT NULL,
    tags_key   TEXT NOT NULL,
    search_key TEXT NOT NULL,
    icon       TEXT,
    status     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    source_id  TEXT NOT NULL,
    collection TEXT NOT NULL,
    visibility TEXT NOT NULL,
    version    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    last_epoch INTEGER NOT NULL,
    contacts   INTEGER NOT NULL CHECK (contacts >= 0),
    definition TEXT NOT NULL,
    audience_type TEXT NOT NULL,
    asks_for_scores INTEGER NOT NULL,
    resource   INTEGER NOT NULL,
    unsubscribed INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX audiences_name_key ON audiences (workspace, name_key)
    WHERE deleted_at IS NULL AND visibility <> 'abandoned';
CREATE UNIQUE INDEX audiences_number ON audiences (workspace, number);
-- Lists show what is ready; most lists want what is not dropped.
CREATE INDEX audiences_listed ON audiences (workspace, id)
    WHERE visibility = 'ready';
CREATE INDEX audiences_listed_by_name ON audiences (workspace, name_key, id)
    WHERE visibility = 'ready';
CREATE INDEX audiences_dropped ON audiences (workspace, id)
    WHERE visibility = 'ready' AND deleted_at IS NOT NULL;

CREATE TABLE audience_contents (
    audience     INTEGER NOT NULL REFERENCES audiences (id),
    epoch        INTEGER NOT NULL,
    contacts     INTEGER NOT NULL CHECK (contacts >= 0),
    next_request INTEGER NOT NULL,
    first_request INTEGER NOT NULL,
    next_removal INTEGER NOT NULL,
    revision     INTEGER NOT NULL,
    active       TEXT NOT NULL,
    open_write   INTEGER,
    PRIMARY KEY (audience, epoch)
) STRICT;

CREATE TABLE write_intents (
    write_no       INTEGER PRIMARY KEY,
    audience       INTEGER NOT NULL,
    epoch          INTEGER NOT NULL,
    owner          TEXT NOT NULL,
    lease_until    INTEGER NOT NULL,
    ended_revision INTEGER,
    first_request  INTEGER NOT NULL,
    requests       INTEGER NOT NULL,
    documents      BLOB NOT NULL,
    FOREIGN KEY (audience, epoch) REFERENCES audience_contents (audience, epoch)
) STRICT;

CREATE INDEX write_intents_open ON write_intents (write_no) WHERE ended_revision IS NULL;
CREATE INDEX write_intents_of_content ON write_intents (audience, epoch, ended_revision);

CREATE TABLE removals (
    audience       INTEGER NOT NULL,
    epoch          INTEGER NOT NULL,
    no             INTEGER NOT NULL,
    operation      INTEGER NOT NULL,
    state          TEXT NOT NULL,
    hidden         INTEGER NOT NULL,
    by_reason      TEXT NOT NULL,
    active_since   INTEGER,
    began_revision INTEGER NOT NULL,
    PRIMARY KEY (audience, epoch, no),
    FOREIGN KEY (audience, epoch) REFERENCES audience_contents (audience, epoch)
) STRICT;

CREATE UNIQUE INDEX removals_operation ON removals (operation);

-- Audiences that a request is making. What is here after its lease was abandoned.
CREATE TABLE creations (
    audience    INTEGER PRIMARY KEY REFERENCES audiences (id),
    workspace   TEXT NOT NULL,
    write_id    INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX creations_write_id ON creations (write_id);
CREATE INDEX creations_lapsing ON creations (lease_until);

CREATE TABLE notifications (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    occasion   INTEGER NOT NULL,
    data       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    read_at    INTEGER
) STRICT;

CREATE UNIQUE INDEX notifications_once ON notifications (workspace, kind, subject, occasion, user_id);
CREATE INDEX notifications_listed ON notifications (workspace, user_id, id);
CREATE INDEX notifications_unread ON notifications (workspace, user_id, id) WHERE read_at IS NULL;

-- The last position of each feed.
CREATE TABLE user_feeds (
    workspace TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    last_seq  INTEGER NOT NULL,
    PRIMARY KEY (workspace, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_events (
    workspace  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    data       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, user_id, seq)
) STRICT;

CREATE INDEX user_events_age ON user_events (created_at);

-- How many numbers each workspace has given to its reports.
CREATE TABLE outcome_versions (
    workspace TEXT PRIMARY KEY,
    version   INTEGER NOT NULL
) STRICT;

-- Recycling walks a workspace in the order of documents: the key is that walk.
CREATE TABLE outcomes (
    workspace   TEXT NOT NULL,
    document    TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    channel     TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    external_id TEXT,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, document, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX outcomes_external ON outcomes (workspace, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX outcomes_event ON outcomes (workspace, document, channel, occurred_at)
    WHERE external_id IS NULL;
CREATE INDEX outcomes_opted_out ON outcomes (workspace, document)
    WHERE outcome = 'opted_out';

CREATE TABLE uploads (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    blob       TEXT NOT NULL,
    file_name  TEXT,
    bytes      INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    detected   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX uploads_age ON uploads (created_at, id);
