-- The last number that each workspace has given to an audience.
CREATE TABLE audience_numbers (
    workspace   TEXT COLLATE "C" PRIMARY KEY,
    last_number BIGINT NOT NULL
);

CREATE TABLE audiences (
    id         BIGINT PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT COLLATE "C" NOT NULL,
    tags       JSONB NOT NULL,
    tags_key   TEXT COLLATE "C" NOT NULL,
    search_key TEXT COLLATE "C" NOT NULL,
    icon       TEXT,
    status     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    source_id  TEXT NOT NULL,
    collection TEXT NOT NULL,
    visibility TEXT NOT NULL,
    version    BIGINT NOT NULL,
    epoch      BIGINT NOT NULL,
    last_epoch BIGINT NOT NULL,
    contacts   BIGINT NOT NULL CHECK (contacts >= 0),
    definition JSONB NOT NULL,
    audience_type TEXT NOT NULL,
    asks_for_scores INTEGER NOT NULL,
    resource   INTEGER NOT NULL,
    unsubscribed BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);

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
    audience     BIGINT NOT NULL REFERENCES audiences (id),
    epoch        BIGINT NOT NULL,
    contacts     BIGINT NOT NULL CHECK (contacts >= 0),
    next_request BIGINT NOT NULL,
    first_request BIGINT NOT NULL,
    next_removal BIGINT NOT NULL,
    revision     BIGINT NOT NULL,
    active       JSONB NOT NULL,
    open_write   BIGINT,
    PRIMARY KEY (audience, epoch)
);

CREATE TABLE write_intents (
    write_no       BIGINT PRIMARY KEY,
    audience       BIGINT NOT NULL,
    epoch          BIGINT NOT NULL,
    owner          TEXT NOT NULL,
    lease_until    TIMESTAMPTZ NOT NULL,
    ended_revision BIGINT,
    first_request  BIGINT NOT NULL,
    requests       BIGINT NOT NULL,
    documents      BYTEA NOT NULL,
    FOREIGN KEY (audience, epoch) REFERENCES audience_contents (audience, epoch)
);

CREATE INDEX write_intents_open ON write_intents (write_no) WHERE ended_revision IS NULL;
CREATE INDEX write_intents_of_content ON write_intents (audience, epoch, ended_revision);

CREATE TABLE removals (
    audience       BIGINT NOT NULL,
    epoch          BIGINT NOT NULL,
    no             BIGINT NOT NULL,
    operation      BIGINT NOT NULL,
    state          TEXT NOT NULL,
    hidden         BIGINT NOT NULL,
    by_reason      JSONB NOT NULL,
    active_since   TIMESTAMPTZ,
    began_revision BIGINT NOT NULL,
    PRIMARY KEY (audience, epoch, no),
    FOREIGN KEY (audience, epoch) REFERENCES audience_contents (audience, epoch)
);

CREATE UNIQUE INDEX removals_operation ON removals (operation);

-- Audiences that a request is making. What is here after its lease was abandoned.
CREATE TABLE creations (
    audience    BIGINT PRIMARY KEY REFERENCES audiences (id),
    workspace   TEXT COLLATE "C" NOT NULL,
    write_id    BIGINT NOT NULL,
    lease_until TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX creations_write_id ON creations (write_id);
CREATE INDEX creations_lapsing ON creations (lease_until);

CREATE TABLE notifications (
    id         BIGINT PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    occasion   BIGINT NOT NULL,
    data       JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    read_at    TIMESTAMPTZ
);

CREATE UNIQUE INDEX notifications_once ON notifications (workspace, kind, subject, occasion, user_id);
CREATE INDEX notifications_listed ON notifications (workspace, user_id, id);
CREATE INDEX notifications_unread ON notifications (workspace, user_id, id) WHERE read_at IS NULL;

-- The last position of each feed. Its row is locked until the event is committed: no gaps.
CREATE TABLE user_feeds (
    workspace TEXT COLLATE "C" NOT NULL,
    user_id   TEXT COLLATE "C" NOT NULL,
    last_seq  BIGINT NOT NULL,
    PRIMARY KEY (workspace, user_id)
);

CREATE TABLE user_events (
    workspace  TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    seq        BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    data       JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, user_id, seq)
);

CREATE INDEX user_events_age ON user_events (created_at);

-- How many numbers each workspace has given to its reports.
CREATE TABLE outcome_versions (
    workspace TEXT COLLATE "C" PRIMARY KEY,
    version   BIGINT NOT NULL
);

-- Recycling walks a workspace in the order of documents: the key is that walk.
CREATE TABLE outcomes (
    workspace   TEXT COLLATE "C" NOT NULL,
    document    TEXT COLLATE "C" NOT NULL,
    seq         BIGINT NOT NULL,
    channel     TEXT COLLATE "C" NOT NULL,
    outcome     TEXT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    external_id TEXT COLLATE "C",
    recorded_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, document, seq)
);

CREATE UNIQUE INDEX outcomes_external ON outcomes (workspace, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX outcomes_event ON outcomes (workspace, document, channel, occurred_at)
    WHERE external_id IS NULL;
CREATE INDEX outcomes_opted_out ON outcomes (workspace, document)
    WHERE outcome = 'opted_out';

CREATE TABLE uploads (
    id         BIGINT PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    blob       TEXT NOT NULL,
    file_name  TEXT,
    bytes      BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    detected   JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX uploads_age ON uploads (created_at, id);

-- Commits wake who waits in other processes. Losing a signal costs a poll, never a row.
CREATE FUNCTION signal_feed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' feed ' || NEW.workspace || ' ' || NEW.user_id);
    RETURN NULL;
END $$;

CREATE TRIGGER user_events_signal AFTER INSERT ON user_events
    FOR EACH ROW EXECUTE FUNCTION signal_feed();
