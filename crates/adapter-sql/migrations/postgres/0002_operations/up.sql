CREATE TABLE operations (
    id               BIGINT PRIMARY KEY,
    write_id         BIGINT NOT NULL,
    workspace        TEXT COLLATE "C" NOT NULL,
    audience         BIGINT,
    after_uploads_of BIGINT,
    kind             TEXT NOT NULL,
    exclusive        BOOLEAN NOT NULL,
    state            TEXT NOT NULL,
    reason           TEXT,
    result           TEXT,
    done             BIGINT NOT NULL,
    total            BIGINT,
    report           JSONB,
    error            JSONB,
    attempt          INTEGER NOT NULL,
    params           JSONB NOT NULL,
    checkpoint       JSONB NOT NULL,
    cancel_requested BOOLEAN NOT NULL,
    created_by       TEXT NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    started_at       TIMESTAMPTZ,
    finished_at      TIMESTAMPTZ,
    undone_at        TIMESTAMPTZ,
    undo_until       TIMESTAMPTZ,
    not_before       TIMESTAMPTZ,
    owner            TEXT,
    fence            BIGINT NOT NULL,
    lease_until      TIMESTAMPTZ,
    claims           INTEGER NOT NULL
);

CREATE UNIQUE INDEX operations_write_id ON operations (write_id);
CREATE INDEX operations_listed ON operations (workspace, id);
CREATE INDEX operations_of_audience ON operations (audience, id);
CREATE INDEX operations_due ON operations (kind, id) WHERE state IN ('queued', 'running');
-- Claims look for this themselves; the index decides between two that look at the same time.
CREATE UNIQUE INDEX operations_one_exclusive ON operations (audience)
    WHERE exclusive AND state = 'running';

CREATE TABLE operation_turns (
    workspace TEXT COLLATE "C" PRIMARY KEY,
    turn      BIGINT NOT NULL
);

CREATE INDEX operation_turns_turn ON operation_turns (turn);
