CREATE TABLE operations (
    id               INTEGER PRIMARY KEY,
    write_id         INTEGER NOT NULL,
    workspace        TEXT NOT NULL,
    audience         INTEGER,
    after_uploads_of INTEGER,
    kind             TEXT NOT NULL,
    exclusive        INTEGER NOT NULL,
    state            TEXT NOT NULL,
    reason           TEXT,
    result           TEXT,
    done             INTEGER NOT NULL,
    total            INTEGER,
    report           TEXT,
    error            TEXT,
    attempt          INTEGER NOT NULL,
    params           TEXT NOT NULL,
    checkpoint       TEXT NOT NULL,
    cancel_requested INTEGER NOT NULL,
    created_by       TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    undone_at        INTEGER,
    undo_until       INTEGER,
    not_before       INTEGER,
    owner            TEXT,
    fence            INTEGER NOT NULL,
    lease_until      INTEGER,
    claims           INTEGER NOT NULL,
    -- W3C trace context of the request that asked for it.
    traceparent      TEXT
) STRICT;

CREATE UNIQUE INDEX operations_write_id ON operations (write_id);
CREATE INDEX operations_listed ON operations (workspace, id);
CREATE INDEX operations_of_audience ON operations (audience, id);
-- A worker that waits keeps its lease; when that lapses, the operation is due again.
CREATE INDEX operations_due ON operations (kind, id) WHERE state IN ('queued', 'running', 'waiting');
-- Claims look for this themselves; the index decides between two that look at the same time.
CREATE UNIQUE INDEX operations_one_exclusive ON operations (audience)
    WHERE exclusive AND state = 'running';

CREATE TABLE operation_turns (
    workspace TEXT PRIMARY KEY,
    turn      INTEGER NOT NULL
) STRICT;

CREATE INDEX operation_turns_turn ON operation_turns (turn);

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
    workspace  TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
