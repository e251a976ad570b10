-- Whether an occurrence was claimed and has not ended.
ALTER TABLE communications ADD COLUMN in_flight BIGINT NOT NULL DEFAULT 0;
UPDATE communications SET in_flight = 1 WHERE state IN ('resolving', 'dispatching');

ALTER TABLE recipients ADD COLUMN held_until TIMESTAMPTZ;
-- When its dispatch left, where that counts for the frequency cap.
ALTER TABLE recipients ADD COLUMN counted_at TIMESTAMPTZ;
CREATE INDEX recipients_counted ON recipients (workspace, recipient, counted_at) WHERE counted_at IS NOT NULL;

-- Communications of which dispatches wait, and when the next of each may leave: null while it is paused.
CREATE TABLE dispatch_lanes (
    communication BIGINT PRIMARY KEY,
    workspace     TEXT COLLATE "C" NOT NULL,
    occurrence    BIGINT NOT NULL,
    due_at        TIMESTAMPTZ,
    next_slot     TIMESTAMPTZ NOT NULL,
    waiting       BIGINT NOT NULL,
    rules         JSONB NOT NULL
);

CREATE INDEX dispatch_lanes_at ON dispatch_lanes (due_at, communication);

-- Dispatches that wait, with what they say, encrypted.
CREATE TABLE waiting_dispatches (
    communication BIGINT NOT NULL,
    occurrence    BIGINT NOT NULL,
    channel       TEXT COLLATE "C" NOT NULL,
    recipient     TEXT COLLATE "C" NOT NULL,
    release_at    TIMESTAMPTZ NOT NULL,
    zone          TEXT COLLATE "C" NOT NULL,
    sealed        TEXT NOT NULL,
    PRIMARY KEY (communication, occurrence, channel, recipient)
);

CREATE INDEX waiting_dispatches_at ON waiting_dispatches (communication, release_at, channel, recipient);

CREATE TRIGGER due_communications_signal AFTER INSERT ON due_communications
    FOR EACH STATEMENT EXECUTE FUNCTION signal_others('work');
