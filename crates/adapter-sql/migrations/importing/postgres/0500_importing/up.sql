CREATE TABLE import_clients (
    id                  BIGINT PRIMARY KEY,
    workspace           TEXT COLLATE "C" NOT NULL,
    slug                TEXT COLLATE "C" NOT NULL,
    name                TEXT COLLATE "C" NOT NULL,
    active              INTEGER NOT NULL,
    base_url            TEXT COLLATE "C" NOT NULL,
    sealed_token        BYTEA NOT NULL,
    budget              TEXT COLLATE "C" NOT NULL,
    requests_per_minute INTEGER,
    tls_verify          INTEGER NOT NULL,
    schedule            TEXT COLLATE "C",
    next_run_at         TIMESTAMPTZ,
    version             BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX import_clients_slug ON import_clients (slug);
CREATE INDEX import_clients_listed ON import_clients (workspace, id);
CREATE INDEX import_clients_budget ON import_clients (budget) WHERE active = 1;
CREATE INDEX import_clients_scheduled ON import_clients (next_run_at)
    WHERE active = 1 AND next_run_at IS NOT NULL;

-- What runs under an operation. One client has one live run of a kind.
CREATE TABLE import_runs (
    operation BIGINT PRIMARY KEY,
    client    BIGINT NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    live      INTEGER NOT NULL
);

CREATE UNIQUE INDEX import_runs_one_live ON import_runs (client, kind) WHERE live = 1;
CREATE INDEX import_runs_of_client ON import_runs (client, operation);

-- How far the walks of a run are, and which rows the present pass of each has seen.
CREATE TABLE import_walks (
    operation  BIGINT NOT NULL,
    list       TEXT COLLATE "C" NOT NULL,
    checkpoint TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (operation, list)
);

CREATE TABLE import_marks (
    operation BIGINT NOT NULL,
    list      TEXT COLLATE "C" NOT NULL,
    pass      BIGINT NOT NULL,
    request   BIGINT NOT NULL,
    keys      BYTEA NOT NULL,
    PRIMARY KEY (operation, list, pass, request)
);

CREATE TABLE import_cursors (
    client BIGINT NOT NULL,
    key    TEXT COLLATE "C" NOT NULL,
    at     TIMESTAMPTZ,
    page   BIGINT,
    PRIMARY KEY (client, key)
);

-- Members that are not known are kept as text: the other side may send what no JSON column takes.
-- The revision grows with every version of a row.
CREATE TABLE import_tickets (
    client           BIGINT NOT NULL,
    id               TEXT COLLATE "C" NOT NULL,
    fingerprint      TEXT COLLATE "C" NOT NULL,
    revision         BIGINT NOT NULL,
    status           TEXT COLLATE "C",
    is_group         INTEGER NOT NULL,
    contact_id       TEXT COLLATE "C",
    contact_name     TEXT COLLATE "C",
    contact_number   TEXT COLLATE "C",
    contact_email    TEXT COLLATE "C",
    created_at       TIMESTAMPTZ,
    updated_at       TIMESTAMPTZ NOT NULL,
    extra            TEXT COLLATE "C" NOT NULL,
    messages_due     INTEGER NOT NULL DEFAULT 0,
    read_fingerprint TEXT COLLATE "C",
    read_as_of       TIMESTAMPTZ,
    PRIMARY KEY (client, id)
);

CREATE INDEX import_tickets_due ON import_tickets (client, id) WHERE messages_due = 1;
CREATE INDEX import_tickets_listed ON import_tickets (client, updated_at, id);

CREATE TABLE import_sessions (
    client      BIGINT NOT NULL,
    ticket      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    created_at  TIMESTAMPTZ,
    started_at  TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    agent_id    TEXT COLLATE "C",
    agent_name  TEXT COLLATE "C",
    agent_email TEXT COLLATE "C",
    extra       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (client, ticket, id)
);

CREATE TABLE import_messages (
    client      BIGINT NOT NULL,
    ticket      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    revision    BIGINT NOT NULL,
    body        TEXT COLLATE "C",
    from_me     INTEGER,
    media_url   TEXT COLLATE "C",
    media_type  TEXT COLLATE "C",
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    extra       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (client, ticket, id)
);

CREATE TABLE import_contacts (
    client      BIGINT NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    revision    BIGINT NOT NULL,
    name        TEXT COLLATE "C",
    number      TEXT COLLATE "C",
    email       TEXT COLLATE "C",
    is_group    INTEGER NOT NULL,
    created_at  TIMESTAMPTZ,
    updated_at  TIMESTAMPTZ,
    extra       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (client, id)
);

CREATE TABLE import_tags (
    client BIGINT NOT NULL,
    id     TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C",
    color  TEXT COLLATE "C",
    extra  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (client, id)
);

CREATE TABLE import_contact_tags (
    client  BIGINT NOT NULL,
    contact TEXT COLLATE "C" NOT NULL,
    tag     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (client, contact, tag)
);

-- Rows that cannot be read, as they came. The ticket is that of messages, else empty.
CREATE TABLE import_quarantine (
    client     BIGINT NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    ticket     TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    field      TEXT COLLATE "C" NOT NULL,
    code       TEXT COLLATE "C" NOT NULL,
    raw        TEXT COLLATE "C" NOT NULL,
    first_seen TIMESTAMPTZ NOT NULL,
    last_seen  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (client, kind, ticket, key)
);

-- The starts of the last minute of all who share a base URL and a token.
CREATE TABLE import_budgets (
    key  TEXT COLLATE "C" PRIMARY KEY,
    pace BYTEA NOT NULL
);

-- What one request for several clients began. The slug is empty for all of them.
CREATE TABLE import_batches (
    id         BIGINT PRIMARY KEY,
    slug       TEXT COLLATE "C",
    kind       TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX import_batches_age ON import_batches (created_at);

CREATE TABLE import_batch_runs (
    batch     BIGINT NOT NULL,
    operation BIGINT NOT NULL,
    PRIMARY KEY (batch, operation)
);
