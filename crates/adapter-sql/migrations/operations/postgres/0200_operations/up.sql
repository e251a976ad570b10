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
    claims           INTEGER NOT NULL,
    -- W3C trace context of the request that asked for it.
    traceparent      TEXT
);

CREATE UNIQUE INDEX operations_write_id ON operations (write_id);
CREATE INDEX operations_listed ON operations (workspace, id);
CREATE INDEX operations_of_audience ON operations (audience, id);
-- A worker that waits keeps its lease; when that lapses, the operation is due again.
CREATE INDEX operations_due ON operations (kind, id) WHERE state IN ('queued', 'running', 'waiting');
-- Claims look for this themselves; the index decides between two that look at the same time.
CREATE UNIQUE INDEX operations_one_exclusive ON operations (audience)
    WHERE exclusive AND state = 'running';

CREATE TABLE operation_turns (
    workspace TEXT COLLATE "C" PRIMARY KEY,
    turn      BIGINT NOT NULL
);

CREATE INDEX operation_turns_turn ON operation_turns (turn);

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
    workspace  TEXT COLLATE "C" NOT NULL,
    key_id     TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Commits wake who waits in other processes. Losing a signal costs a poll, never a row.
CREATE FUNCTION signal_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'queued' THEN
        PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' work');
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.cancel_requested AND NOT OLD.cancel_requested THEN
            PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' cancel ' || NEW.id);
        END IF;
        -- Not for heartbeats.
        IF (NEW.state, NEW.done, NEW.undone_at) IS DISTINCT FROM (OLD.state, OLD.done, OLD.undone_at) THEN
            PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' operation ' || NEW.id);
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER operations_signal AFTER INSERT OR UPDATE ON operations
    FOR EACH ROW EXECUTE FUNCTION signal_operation();
