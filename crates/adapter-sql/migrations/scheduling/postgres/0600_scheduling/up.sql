-- Something that is to be sent, and where it stands.
CREATE TABLE communications (
    id         BIGINT PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    name       TEXT NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    plan       JSONB NOT NULL,
    due_at     TIMESTAMPTZ NOT NULL,
    occurrence BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX communications_listed ON communications (workspace, id);
CREATE INDEX communications_by_state ON communications (workspace, state, id);

-- What waits for its instant, and nothing else.
CREATE TABLE due_communications (
    communication BIGINT PRIMARY KEY,
    due_at        TIMESTAMPTZ NOT NULL
);

CREATE INDEX due_communications_at ON due_communications (due_at, communication);

-- Each time that a communication was claimed.
CREATE TABLE occurrences (
    communication BIGINT NOT NULL,
    number        BIGINT NOT NULL,
    scheduled_for TIMESTAMPTZ NOT NULL,
    claimed_at    TIMESTAMPTZ NOT NULL,
    state         TEXT COLLATE "C" NOT NULL,
    parts         BIGINT,
    arrived       BIGINT NOT NULL,
    ended_at      TIMESTAMPTZ,
    PRIMARY KEY (communication, number)
);

-- What became of each recipient on each channel.
CREATE TABLE recipients (
    communication BIGINT NOT NULL,
    occurrence    BIGINT NOT NULL,
    channel       TEXT COLLATE "C" NOT NULL,
    recipient     TEXT COLLATE "C" NOT NULL,
    workspace     TEXT COLLATE "C" NOT NULL,
    status        TEXT COLLATE "C" NOT NULL,
    reason        TEXT,
    provider_id   TEXT,
    address       TEXT COLLATE "C",
    updated_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (communication, occurrence, channel, recipient)
);

CREATE INDEX recipients_by_address ON recipients (communication, occurrence, channel, address)
    WHERE address IS NOT NULL;

-- How many of them stand where.
CREATE TABLE recipient_totals (
    communication BIGINT NOT NULL,
    occurrence    BIGINT NOT NULL,
    channel       TEXT COLLATE "C" NOT NULL,
    status        TEXT COLLATE "C" NOT NULL,
    recipients    BIGINT NOT NULL,
    PRIMARY KEY (communication, occurrence, channel, status)
);
