-- How many numbers each workspace has given to its reports.
CREATE TABLE outcome_versions (
    workspace TEXT COLLATE "C" PRIMARY KEY,
    version   BIGINT NOT NULL
);

-- Recycling walks a workspace in the order of documents: the key is that walk.
CREATE TABLE outcomes (
    workspace   TEXT COLLATE "C" NOT NULL,
    document    TEXT COLLATE "C" NOT NULL,
    seq         BIGINT NOT NULL,
    channel     TEXT COLLATE "C" NOT NULL,
    outcome     TEXT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    external_id TEXT COLLATE "C",
    recorded_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, document, seq)
);

CREATE UNIQUE INDEX outcomes_external ON outcomes (workspace, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX outcomes_event ON outcomes (workspace, document, channel, occurred_at)
    WHERE external_id IS NULL;
CREATE INDEX outcomes_opted_out ON outcomes (workspace, document)
    WHERE outcome = 'opted_out';
