ALTER TABLE import_clients ADD COLUMN schedule TEXT;
ALTER TABLE import_clients ADD COLUMN next_run_at INTEGER;

CREATE INDEX import_clients_scheduled ON import_clients (next_run_at)
    WHERE active = 1 AND next_run_at IS NOT NULL;

-- What one request for several clients began. The slug is empty for all of them.
CREATE TABLE import_batches (
    id         INTEGER PRIMARY KEY,
    slug       TEXT,
    kind       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX import_batches_age ON import_batches (created_at);

CREATE TABLE import_batch_runs (
    batch     INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    PRIMARY KEY (batch, operation)
) STRICT;

CREATE INDEX import_tickets_listed ON import_tickets (client, updated_at, id);
