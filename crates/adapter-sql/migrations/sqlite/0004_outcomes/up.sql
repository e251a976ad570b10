-- How many numbers each workspace has given to its reports.
CREATE TABLE outcome_versions (
    workspace TEXT PRIMARY KEY,
    version   INTEGER NOT NULL
) STRICT;

-- Recycling walks a workspace in the order of documents: the key is that walk.
CREATE TABLE outcomes (
    workspace   TEXT NOT NULL,
    document    TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    channel     TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    external_id TEXT,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, document, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX outcomes_external ON outcomes (workspace, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX outcomes_event ON outcomes (workspace, document, channel, occurred_at)
    WHERE external_id IS NULL;
CREATE INDEX outcomes_opted_out ON outcomes (workspace, document)
    WHERE outcome = 'opted_out';
