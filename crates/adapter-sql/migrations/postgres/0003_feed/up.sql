CREATE TABLE notifications (
    id         BIGINT PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    operation  BIGINT NOT NULL,
    attempt    INTEGER NOT NULL,
    payload    JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    read_at    TIMESTAMPTZ
);

CREATE UNIQUE INDEX notifications_once ON notifications (operation, attempt);
CREATE INDEX notifications_listed ON notifications (workspace, user_id, id);
CREATE INDEX notifications_unread ON notifications (workspace, user_id, id) WHERE read_at IS NULL;

-- The last position of each feed. Its row is locked until the event is committed: no gaps.
CREATE TABLE user_feeds (
    workspace TEXT COLLATE "C" NOT NULL,
    user_id   TEXT COLLATE "C" NOT NULL,
    last_seq  BIGINT NOT NULL,
    PRIMARY KEY (workspace, user_id)
);

CREATE TABLE user_events (
    workspace  TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    seq        BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    operation  BIGINT,
    payload    JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, user_id, seq)
);

CREATE INDEX user_events_age ON user_events (created_at);
