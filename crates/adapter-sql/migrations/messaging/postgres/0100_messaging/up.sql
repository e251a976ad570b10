-- `due` is the end of a lease, or the time of the next try.
CREATE TABLE outbox (
    seq               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id          TEXT COLLATE "C" NOT NULL,
    event_type        TEXT NOT NULL,
    aggregate         TEXT COLLATE "C" NOT NULL,
    aggregate_version BIGINT NOT NULL,
    workspace         TEXT COLLATE "C" NOT NULL,
    payload           BYTEA NOT NULL,
    added_at          TIMESTAMPTZ NOT NULL,
    due               TIMESTAMPTZ NOT NULL,
    attempts          INTEGER NOT NULL DEFAULT 0,
    sent_at           TIMESTAMPTZ,
    error             TEXT,
    -- W3C trace context, as in the payload, for whoever looks for the events of a trace.
    traceparent       TEXT
);

CREATE UNIQUE INDEX outbox_event_id ON outbox (event_id);
CREATE INDEX outbox_waiting ON outbox (seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_of_aggregate ON outbox (aggregate, seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

-- `at` says since when a row is ready, until when it is running, or when it was done or buried.
CREATE TABLE inbox (
    seq               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription      TEXT COLLATE "C" NOT NULL,
    event_id          TEXT COLLATE "C" NOT NULL,
    event_type        TEXT NOT NULL,
    aggregate         TEXT NOT NULL,
    aggregate_version BIGINT NOT NULL,
    workspace         TEXT NOT NULL,
    payload           BYTEA NOT NULL,
    state             TEXT NOT NULL,
    at                TIMESTAMPTZ NOT NULL,
    attempts          INTEGER NOT NULL DEFAULT 0,
    fence             BIGINT NOT NULL DEFAULT 0,
    received_at       TIMESTAMPTZ NOT NULL,
    reason            TEXT NOT NULL DEFAULT ''
);

CREATE UNIQUE INDEX inbox_once ON inbox (subscription, event_id);
CREATE INDEX inbox_due ON inbox (subscription, at, seq) WHERE state IN ('ready', 'running');
CREATE INDEX inbox_done ON inbox (at) WHERE state = 'done';
CREATE INDEX inbox_dead ON inbox (at, subscription, event_id) WHERE state = 'dead';

-- Commits wake who waits in other processes. Losing a signal costs a poll, never a row.
CREATE FUNCTION signal_others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' ' || TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE TRIGGER outbox_signal AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION signal_others('outbox');

CREATE SEQUENCE node_numbers MINVALUE 0 MAXVALUE 1023 CYCLE;
