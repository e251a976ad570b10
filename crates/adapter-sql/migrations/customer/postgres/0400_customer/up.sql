-- The last number given, and how many customers there are. Who writes customers of a workspace has its
-- row until the end of the transaction.
CREATE TABLE customer_totals (
    workspace TEXT COLLATE "C" PRIMARY KEY,
    last_id   BIGINT NOT NULL,
    customers BIGINT NOT NULL
);

-- The client is empty for those whom the API wrote. `member_key` is the key in audiences; `facts` has values in
-- the forms that conditions compare.
CREATE TABLE customers (
    workspace     TEXT COLLATE "C" NOT NULL,
    id            BIGINT NOT NULL,
    client        TEXT COLLATE "C" NOT NULL,
    identity      TEXT COLLATE "C" NOT NULL,
    document      TEXT COLLATE "C",
    name          TEXT,
    phone         TEXT COLLATE "C",
    phone_valid   INTEGER NOT NULL,
    phone_raw     TEXT,
    email         TEXT COLLATE "C",
    email_valid   INTEGER NOT NULL,
    email_raw     TEXT,
    attributes    JSONB NOT NULL,
    tags          JSONB NOT NULL,
    imported_tags JSONB NOT NULL,
    synced        BIGINT,
    version       BIGINT NOT NULL,
    member_key    TEXT COLLATE "C" NOT NULL,
    facts         JSONB NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    updated_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, id)
);

CREATE UNIQUE INDEX customers_identity ON customers (workspace, client, identity);
CREATE INDEX customers_of_client ON customers (workspace, client, id);
CREATE INDEX customers_imported ON customers (workspace, id) WHERE client <> '';
CREATE INDEX customers_document ON customers (workspace, document, id) WHERE document IS NOT NULL;
CREATE INDEX customers_phone ON customers (workspace, phone, id) WHERE phone IS NOT NULL;
CREATE INDEX customers_email ON customers (workspace, email, id) WHERE email IS NOT NULL;
-- Audiences are in the order of keys.
CREATE INDEX customers_keys ON customers (workspace, member_key, id);

CREATE TABLE customer_clients (
    workspace TEXT COLLATE "C" NOT NULL,
    client    TEXT COLLATE "C" NOT NULL,
    slug      TEXT NOT NULL,
    customers BIGINT NOT NULL,
    PRIMARY KEY (workspace, client)
);

-- Who carries which label, and how many do.
CREATE TABLE customer_tags (
    workspace TEXT COLLATE "C" NOT NULL,
    tag       TEXT COLLATE "C" NOT NULL,
    customer  BIGINT NOT NULL,
    PRIMARY KEY (workspace, tag, customer)
);

CREATE INDEX customer_tags_of ON customer_tags (workspace, customer);

CREATE TABLE customer_tag_counts (
    workspace TEXT COLLATE "C" NOT NULL,
    tag       TEXT COLLATE "C" NOT NULL,
    label     TEXT NOT NULL,
    customers BIGINT NOT NULL,
    PRIMARY KEY (workspace, tag)
);

CREATE TABLE customer_consents (
    workspace TEXT COLLATE "C" NOT NULL,
    customer  BIGINT NOT NULL,
    channel   TEXT COLLATE "C" NOT NULL,
    status    TEXT COLLATE "C" NOT NULL,
    source    TEXT NOT NULL,
    said_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, customer, channel)
);

CREATE INDEX customer_consents_said ON customer_consents (workspace, channel, status, customer);

-- Amounts are in millionths.
CREATE TABLE customer_events (
    workspace   TEXT COLLATE "C" NOT NULL,
    customer    BIGINT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    id          BIGINT NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    properties  JSONB NOT NULL,
    facts       JSONB NOT NULL,
    amount      BIGINT,
    event_key   TEXT COLLATE "C",
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, customer, occurred_at, id)
);

CREATE UNIQUE INDEX customer_events_key ON customer_events (workspace, event_key)
    WHERE event_key IS NOT NULL;
CREATE INDEX customer_events_age ON customer_events (occurred_at);
CREATE INDEX customer_events_named ON customer_events (workspace, name, occurred_at, customer);

-- What scores are made of, and when they were made last.
CREATE TABLE score_settings (
    workspace   TEXT COLLATE "C" PRIMARY KEY,
    event       TEXT COLLATE "C" NOT NULL,
    window_days BIGINT NOT NULL,
    scored_at   TIMESTAMPTZ
);

-- Scores of buyers, 1 to 5, the cell that they are in, and what they are made of. Money is in millionths.
CREATE TABLE customer_scores (
    workspace TEXT COLLATE "C" NOT NULL,
    customer  BIGINT NOT NULL,
    recency   BIGINT NOT NULL,
    frequency BIGINT NOT NULL,
    monetary  BIGINT NOT NULL,
    cell      TEXT COLLATE "C" NOT NULL,
    last_at   TIMESTAMPTZ NOT NULL,
    purchases BIGINT NOT NULL,
    money     BIGINT NOT NULL,
    PRIMARY KEY (workspace, customer)
);
