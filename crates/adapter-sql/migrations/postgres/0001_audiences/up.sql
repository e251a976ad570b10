CREATE TABLE workspaces (
    id          TEXT COLLATE "C" PRIMARY KEY,
    last_number BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE audiences (
    id         BIGINT PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT COLLATE "C" NOT NULL,
    tags       JSONB NOT NULL,
    tags_key   TEXT COLLATE "C" NOT NULL,
    status     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    source_id  TEXT NOT NULL,
    collection TEXT NOT NULL,
    visibility TEXT NOT NULL,
    version    BIGINT NOT NULL,
    epoch      BIGINT NOT NULL,
    last_epoch BIGINT NOT NULL,
    contacts   BIGINT NOT NULL CHECK (contacts >= 0),
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
