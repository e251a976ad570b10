ALTER TABLE import_clients ADD COLUMN schedule TEXT COLLATE "C";
ALTER TABLE import_clients ADD COLUMN next_run_at TIMESTAMPTZ;

CREATE INDEX import_clients_scheduled ON import_clients (next_run_at)
    WHERE active = 1 AND next_run_at IS NOT NULL;

-- What one request for several clients began. The slug is empty for all of them.
CREATE TABLE import_batches (
    id         BIGINT PRIMARY KEY,
    slug       TEXT COLLATE "C",
    kind       TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX import_batches_age ON import_batches (created_at);

CREATE TABLE import_batch_runs (
    batch     BIGINT NOT NULL,
    operation BIGINT NOT NULL,
    PRIMARY KEY (batch, operation)
);

CREATE INDEX import_tickets_listed ON import_tickets (client, updated_at, id);
