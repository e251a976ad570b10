-- Whether an occurrence was claimed and has not ended.
ALTER TABLE communications ADD COLUMN in_flight INTEGER NOT NULL DEFAULT 0;
UPDATE communications SET in_flight = 1 WHERE state IN ('resolving', 'dispatching');

ALTER TABLE recipients ADD COLUMN held_until INTEGER;
-- When its dispatch left, where that counts for the frequency cap.
ALTER TABLE recipients ADD COLUMN counted_at INTEGER;
CREATE INDEX recipients_counted ON recipients (workspace, recipient, counted_at) WHERE counted_at IS NOT NULL;

-- Communications of which dispatches wait, and when the next of each may leave: null while it is paused.
CREATE TABLE dispatch_lanes (
    communication INTEGER PRIMARY KEY,
    workspace     TEXT NOT NULL,
    occurrence    INTEGER NOT NULL,
    due_at        INTEGER,
    next_slot     INTEGER NOT NULL,
    waiting       INTEGER NOT NULL,
    rules         TEXT NOT NULL
) STRICT;

CREATE INDEX dispatch_lanes_at ON dispatch_lanes (due_at, communication);

-- Dispatches that wait, with what they say, encrypted.
CREATE TABLE waiting_dispatches (
    communication INTEGER NOT NULL,
    occurrence    INTEGER NOT NULL,
    channel       TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    release_at    INTEGER NOT NULL,
    zone          TEXT NOT NULL,
    sealed        TEXT NOT NULL,
    PRIMARY KEY (communication, occurrence, channel, recipient)
) STRICT;

CREATE INDEX waiting_dispatches_at ON waiting_dispatches (communication, release_at, channel, recipient);
