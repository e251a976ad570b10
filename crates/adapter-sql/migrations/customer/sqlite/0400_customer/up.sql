-- The last number given, and how many customers there are. Who writes customers of a workspace has its
-- row until the end of the transaction.
CREATE TABLE customer_totals (
    workspace TEXT PRIMARY KEY,
    last_id   INTEGER NOT NULL,
    customers INTEGER NOT NULL
) STRICT;

-- The client is empty for those whom the API wrote. `member_key` is the key in audiences; `facts` has values in
-- the forms that conditions compare.
CREATE TABLE customers (
    workspace     TEXT NOT NULL,
    id            INTEGER NOT NULL,
    client        TEXT NOT NULL,
    identity      TEXT NOT NULL,
    document      TEXT,
    name          TEXT,
    phone         TEXT,
    phone_valid   INTEGER NOT NULL,
    phone_raw     TEXT,
    email         TEXT,
    email_valid   INTEGER NOT NULL,
    email_raw     TEXT,
    attributes    TEXT NOT NULL,
    tags          TEXT NOT NULL,
    imported_tags TEXT NOT NULL,
    synced        INTEGER,
    version       INTEGER NOT NULL,
    member_key    TEXT NOT NULL,
    facts         TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (workspace, id)
) STRICT;

CREATE UNIQUE INDEX customers_identity ON customers (workspace, client, identity);
CREATE INDEX customers_of_client ON customers (workspace, client, id);
CREATE INDEX customers_imported ON customers (workspace, id) WHERE client <> '';
CREATE INDEX customers_document ON customers (workspace, document, id) WHERE document IS NOT NULL;
CREATE INDEX customers_phone ON customers (workspace, phone, id) WHERE phone IS NOT NULL;
CREATE INDEX customers_email ON customers (workspace, email, id) WHERE email IS NOT NULL;
-- Audiences are in the order of keys.
CREATE INDEX customers_keys ON customers (workspace, member_key, id);

CREATE TABLE customer_clients (
    workspace TEXT NOT NULL,
    client    TEXT NOT NULL,
    slug      TEXT NOT NULL,
    customers INTEGER NOT NULL,
    PRIMARY KEY (workspace, client)
) STRICT, WITHOUT ROWID;

-- Who carries which label, and how many do.
CREATE TABLE customer_tags (
    workspace TEXT NOT NULL,
    tag       TEXT NOT NULL,
    customer  INTEGER NOT NULL,
    PRIMARY KEY (workspace, tag, customer)
) STRICT, WITHOUT ROWID;

CREATE INDEX customer_tags_of ON customer_tags (workspace, customer);

CREATE TABLE customer_tag_counts (
    workspace TEXT NOT NULL,
    tag       TEXT NOT NULL,
    label     TEXT NOT NULL,
    customers INTEGER NOT NULL,
    PRIMARY KEY (workspace, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer_consents (
    workspace TEXT NOT NULL,
    customer  INTEGER NOT NULL,
    channel   TEXT NOT NULL,
    status    TEXT NOT NULL,
    source    TEXT NOT NULL,
    said_at   INTEGER NOT NULL,
    PRIMARY KEY (workspace, customer, channel)
) STRICT, WITHOUT ROWID;

CREATE INDEX customer_consents_said ON customer_consents (workspace, channel, status, customer);

-- Amounts are in millionths.
CREATE TABLE customer_events (
    workspace   TEXT NOT NULL,
    customer    INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    name        TEXT NOT NULL,
    properties  TEXT NOT NULL,
    facts       TEXT NOT NULL,
    amount      INTEGER,
    event_key   TEXT,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, customer, occurred_at, id)
) STRICT;

CREATE UNIQUE INDEX customer_events_key ON customer_events (workspace, event_key)
    WHERE event_key IS NOT NULL;
CREATE INDEX customer_events_age ON customer_events (occurred_at);
CREATE INDEX customer_events_named ON customer_events (workspace, name, occurred_at, customer);

-- What scores are made of, and when they were made last.
CREATE TABLE score_settings (
    workspace   TEXT PRIMARY KEY,
    event       TEXT NOT NULL,
    window_days INTEGER NOT NULL,
    scored_at   INTEGER
) STRICT;

-- Scores of buyers, 1 to 5, the cell that they are in, and what they are made of. Money is in millionths.
CREATE TABLE customer_scores (
    workspace TEXT NOT NULL,
    customer  INTEGER NOT NULL,
    recency   INTEGER NOT NULL,
    frequency INTEGER NOT NULL,
    monetary  INTEGER NOT NULL,
    cell      TEXT NOT NULL,
    last_at   INTEGER NOT NULL,
    purchases INTEGER NOT NULL,
    money     INTEGER NOT NULL,
    PRIMARY KEY (workspace, customer)
) STRICT;
