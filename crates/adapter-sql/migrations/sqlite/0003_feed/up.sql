CREATE TABLE notifications (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    operation  INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    payload    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    read_at    INTEGER
) STRICT;

CREATE UNIQUE INDEX notifications_once ON notifications (operation, attempt);
CREATE INDEX notifications_listed ON notifications (workspace, user_id, id);
CREATE INDEX notifications_unread ON notifications (workspace, user_id, id) WHERE read_at IS NULL;

-- The last position of each feed.
CREATE TABLE user_feeds (
    workspace TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    last_seq  INTEGER NOT NULL,
    PRIMARY KEY (workspace, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_events (
    workspace  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    operation  INTEGER,
    payload    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, user_id, seq)
) STRICT;

CREATE INDEX user_events_age ON user_events (created_at);
