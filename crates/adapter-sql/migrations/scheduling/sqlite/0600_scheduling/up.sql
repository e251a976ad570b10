-- Something that is to be sent, and where it stands.
CREATE TABLE communications (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    name       TEXT NOT NULL,
    state      TEXT NOT NULL,
    plan       TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    occurrence INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX communications_listed ON communications (workspace, id);
CREATE INDEX communications_by_state ON communications (workspace, state, id);

-- What waits for its instant, and nothing else.
CREATE TABLE due_communications (
    communication INTEGER PRIMARY KEY,
    due_at        INTEGER NOT NULL
) STRICT;

CREATE INDEX due_communications_at ON due_communications (due_at, communication);

-- Each time that a communication was claimed.
CREATE TABLE occurrences (
    communication INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    scheduled_for INTEGER NOT NULL,
    claimed_at    INTEGER NOT NULL,
    state         TEXT NOT NULL,
    parts         INTEGER,
    arrived       INTEGER NOT NULL,
    ended_at      INTEGER,
    PRIMARY KEY (communication, number)
) STRICT;

-- What became of each recipient on each channel.
CREATE TABLE recipients (
    communication INTEGER NOT NULL,
    occurrence    INTEGER NOT NULL,
    channel       TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    workspace     TEXT NOT NULL,
    status        TEXT NOT NULL,
    reason        TEXT,
    provider_id   TEXT,
    address       TEXT,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (communication, occurrence, channel, recipient)
) STRICT;

CREATE INDEX recipients_by_address ON recipients (communication, occurrence, channel, address)
    WHERE address IS NOT NULL;

-- How many of them stand where.
CREATE TABLE recipient_totals (
    communication INTEGER NOT NULL,
    occurrence    INTEGER NOT NULL,
    channel       TEXT NOT NULL,
    status        TEXT NOT NULL,
    recipients    INTEGER NOT NULL,
    PRIMARY KEY (communication, occurrence, channel, status)
) STRICT;
