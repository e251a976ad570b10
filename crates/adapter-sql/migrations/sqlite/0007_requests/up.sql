CREATE TABLE idempotency (
    workspace   TEXT NOT NULL,
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,
    key         TEXT NOT NULL,
    content     BLOB NOT NULL,
    write_id    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    status      INTEGER,
    headers     TEXT,
    body        BLOB,
    PRIMARY KEY (workspace, method, path, key)
) STRICT;

CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TABLE receipts (
    write_id   INTEGER PRIMARY KEY,
    result     TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT;

CREATE INDEX receipts_age ON receipts (created_at);

CREATE TABLE api_keys (
    key_sha256 BLOB PRIMARY KEY,
    workspace  TEXT NOT NULL REFERENCES workspaces (id),
    key_id     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
