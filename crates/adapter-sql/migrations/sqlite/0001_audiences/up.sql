CREATE TABLE workspaces (
    id          TEXT PRIMARY KEY,
    last_number INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE audiences (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    number     INTEGER NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    tags       TEXT NOT NULL,
    tags_key   TEXT NOT NULL,
    status     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    source_id  TEXT NOT NULL,
    collection TEXT NOT NULL,
    visibility TEXT NOT NULL,
    version    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    last_epoch INTEGER NOT NULL,
    contacts   INTEGER NOT NULL CHECK (contacts >= 0),
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
