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
    claims           INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX operations_write_id ON operations (write_id);
CREATE INDEX operations_listed ON operations (workspace, id);
CREATE INDEX operations_of_audience ON operations (audience, id);
CREATE INDEX operations_due ON operations (kind, id) WHERE state IN ('queued', 'running');
-- Claims look for this themselves; the index decides between two that look at the same time.
CREATE UNIQUE INDEX operations_one_exclusive ON operations (audience)
    WHERE exclusive AND state = 'running';

CREATE TABLE operation_turns (
    workspace TEXT PRIMARY KEY,
    turn      INTEGER NOT NULL
) STRICT;

CREATE INDEX operation_turns_turn ON operation_turns (turn);
