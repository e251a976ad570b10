-- `due` is the end of a lease, or the time of the next try.
CREATE TABLE outbox (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id          TEXT NOT NULL,
    event_type        TEXT NOT NULL,
    aggregate         TEXT NOT NULL,
    aggregate_version INTEGER NOT NULL,
    workspace         TEXT NOT NULL,
    payload           BLOB NOT NULL,
    added_at          INTEGER NOT NULL,
    due               INTEGER NOT NULL,
    attempts          INTEGER NOT NULL DEFAULT 0,
    sent_at           INTEGER,
    error             TEXT,
    -- W3C trace context, as in the payload, for whoever looks for the events of a trace.
    traceparent       TEXT
) STRICT;

CREATE UNIQUE INDEX outbox_event_id ON outbox (event_id);
CREATE INDEX outbox_waiting ON outbox (seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_of_aggregate ON outbox (aggregate, seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

-- `at` says since when a row is ready, until when it is running, or when it was done or buried.
CREATE TABLE inbox (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription      TEXT NOT NULL,
    event_id          TEXT NOT NULL,
    event_type        TEXT NOT NULL,
    aggregate         TEXT NOT NULL,
    aggregate_version INTEGER NOT NULL,
    workspace         TEXT NOT NULL,
    payload           BLOB NOT NULL,
    state             TEXT NOT NULL,
    at                INTEGER NOT NULL,
    attempts          INTEGER NOT NULL DEFAULT 0,
    fence             INTEGER NOT NULL DEFAULT 0,
    received_at       INTEGER NOT NULL,
    reason            TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE UNIQUE INDEX inbox_once ON inbox (subscription, event_id);
CREATE INDEX inbox_due ON inbox (subscription, at, seq) WHERE state IN ('ready', 'running');
CREATE INDEX inbox_done ON inbox (at) WHERE state = 'done';
CREATE INDEX inbox_dead ON inbox (at, subscription, event_id) WHERE state = 'dead';
