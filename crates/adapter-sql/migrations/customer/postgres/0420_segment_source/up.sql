-- Tables outside that segments ask. Without a row customers are in this store. `sealed` is the encrypted key of a
-- service account; without one the machine's account asks.
CREATE TABLE segment_sources (
    workspace  TEXT COLLATE "C" PRIMARY KEY,
    source     JSONB NOT NULL,
    sealed     BYTEA,
    updated_at TIMESTAMPTZ NOT NULL
);

-- Bytes that queries outside were billed for, by month: 202603 is March 2026.
CREATE TABLE segment_source_bytes (
    workspace TEXT COLLATE "C" NOT NULL,
    month     INTEGER NOT NULL,
    bytes     BIGINT NOT NULL,
    PRIMARY KEY (workspace, month)
);
