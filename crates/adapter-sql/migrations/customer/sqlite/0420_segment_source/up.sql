-- Tables outside that segments ask. Without a row customers are in this store. `sealed` is the encrypted key of a
-- service account; without one the machine's account asks.
CREATE TABLE segment_sources (
    workspace  TEXT PRIMARY KEY,
    source     TEXT NOT NULL,
    sealed     BLOB,
    updated_at INTEGER NOT NULL
) STRICT;

-- Bytes that queries outside were billed for, by month: 202603 is March 2026.
CREATE TABLE segment_source_bytes (
    workspace TEXT NOT NULL,
    month     INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    PRIMARY KEY (workspace, month)
) STRICT;
