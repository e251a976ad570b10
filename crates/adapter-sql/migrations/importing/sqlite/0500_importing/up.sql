CREATE TABLE import_clients (
    id                  INTEGER PRIMARY KEY,
    workspace           TEXT NOT NULL,
    slug                TEXT NOT NULL,
    name                TEXT NOT NULL,
    active              INTEGER NOT NULL,
    base_url            TEXT NOT NULL,
    sealed_token        BLOB NOT NULL,
    budget              TEXT NOT NULL,
    requests_per_minute INTEGER,
    tls_verify          INTEGER NOT NULL,
    schedule            TEXT,
    next_run_at         INTEGER,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX import_clients_slug ON import_clients (slug);
CREATE INDEX import_clients_listed ON import_clients (workspace, id);
CREATE INDEX import_clients_budget ON import_clients (budget) WHERE active = 1;
CREATE INDEX import_clients_scheduled ON import_clients (next_run_at)
    WHERE active = 1 AND next_run_at IS NOT NULL;

-- What runs under an operation. One client has one live run of a kind.
CREATE TABLE import_runs (
    operation INTEGER PRIMARY KEY,
    client    INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    live      INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX import_runs_one_live ON import_runs (client, kind) WHERE live = 1;
CREATE INDEX import_runs_of_client ON import_runs (client, operation);

-- How far the walks of a run are, and which rows the present pass of each has seen.
CREATE TABLE import_walks (
    operation  INTEGER NOT NULL,
    list       TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    PRIMARY KEY (operation, list)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_marks (
    operation INTEGER NOT NULL,
    list      TEXT NOT NULL,
    pass      INTEGER NOT NULL,
    request   INTEGER NOT NULL,
    keys      BLOB NOT NULL,
    PRIMARY KEY (operation, list, pass, request)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_cursors (
    client INTEGER NOT NULL,
    key    TEXT NOT NULL,
    at     INTEGER,
    page   INTEGER,
    PRIMARY KEY (client, key)
) STRICT, WITHOUT ROWID;

-- Members that are not known are kept as text: the other side may send what no JSON column takes.
-- The revision grows with every version of a row.
CREATE TABLE import_tickets (
    client           INTEGER NOT NULL,
    id               TEXT NOT NULL,
    fingerprint      TEXT NOT NULL,
    revision         INTEGER NOT NULL,
    status           TEXT,
    is_group         INTEGER NOT NULL,
    contact_id       TEXT,
    contact_name     TEXT,
    contact_number   TEXT,
    contact_email    TEXT,
    created_at       INTEGER,
    updated_at       INTEGER NOT NULL,
    extra            TEXT NOT NULL,
    messages_due     INTEGER NOT NULL DEFAULT 0,
    read_fingerprint TEXT,
    read_as_of       INTEGER,
    PRIMARY KEY (client, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX import_tickets_due ON import_tickets (client, id) WHERE messages_due = 1;
CREATE INDEX import_tickets_listed ON import_tickets (client, updated_at, id);

CREATE TABLE import_sessions (
    client      INTEGER NOT NULL,
    ticket      TEXT NOT NULL,
    id          TEXT NOT NULL,
    created_at  INTEGER,
    started_at  INTEGER,
    finished_at INTEGER,
    agent_id    TEXT,
    agent_name  TEXT,
    agent_email TEXT,
    extra       TEXT NOT NULL,
    PRIMARY KEY (client, ticket, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_messages (
    client      INTEGER NOT NULL,
    ticket      TEXT NOT NULL,
    id          TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    body        TEXT,
    from_me     INTEGER,
    media_url   TEXT,
    media_type  TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    extra       TEXT NOT NULL,
    PRIMARY KEY (client, ticket, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_contacts (
    client      INTEGER NOT NULL,
    id          TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    name        TEXT,
    number      TEXT,
    email       TEXT,
    is_group    INTEGER NOT NULL,
    created_at  INTEGER,
    updated_at  INTEGER,
    extra       TEXT NOT NULL,
    PRIMARY KEY (client, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_tags (
    client INTEGER NOT NULL,
    id     TEXT NOT NULL,
    name   TEXT,
    color  TEXT,
    extra  TEXT NOT NULL,
    PRIMARY KEY (client, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_contact_tags (
    client  INTEGER NOT NULL,
    contact TEXT NOT NULL,
    tag     TEXT NOT NULL,
    PRIMARY KEY (client, contact, tag)
) STRICT, WITHOUT ROWID;

-- Rows that cannot be read, as they came. The ticket is that of messages, else empty.
CREATE TABLE import_quarantine (
    client     INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    ticket     TEXT NOT NULL,
    key        TEXT NOT NULL,
    field      TEXT NOT NULL,
    code       TEXT NOT NULL,
    raw        TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (client, kind, ticket, key)
) STRICT, WITHOUT ROWID;

-- The starts of the last minute of all who share a base URL and a token.
CREATE TABLE import_budgets (
    key  TEXT PRIMARY KEY,
    pace BLOB NOT NULL
) STRICT;

-- What one request for several clients began. The slug is empty for all of them.
CREATE TABLE import_batches (
    id         INTEGER PRIMARY KEY,
    slug       TEXT,
    kind       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX import_batches_age ON import_batches (created_at);

CREATE TABLE import_batch_runs (
    batch     INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    PRIMARY KEY (batch, operation)
) STRICT;
