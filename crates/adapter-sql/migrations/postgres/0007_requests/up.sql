CREATE TABLE idempotency (
    workspace   TEXT COLLATE "C" NOT NULL,
    method      TEXT COLLATE "C" NOT NULL,
    path        TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    content     BYTEA NOT NULL,
    write_id    BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ NOT NULL,
    status      INTEGER,
    headers     JSONB,
    body        BYTEA,
    PRIMARY KEY (workspace, method, path, key)
);

CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TABLE receipts (
    write_id   BIGINT CONSTRAINT receipts_write_id PRIMARY KEY,
    result     JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);

CREATE INDEX receipts_age ON receipts (created_at);

CREATE TABLE api_keys (
    key_sha256 BYTEA PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id),
    key_id     TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
