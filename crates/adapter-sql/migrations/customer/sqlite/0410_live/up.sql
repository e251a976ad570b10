-- Workspaces with live audiences: the instant as of which they are kept, and who keeps them.
CREATE TABLE live_workspaces (
    workspace     TEXT PRIMARY KEY,
    looked_until  INTEGER NOT NULL,
    watches_dates INTEGER NOT NULL,
    owner         TEXT NOT NULL,
    lease_until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose memberships have to be looked at: by key, and for one audience where one is named (0: for all).
CREATE TABLE live_queue (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace  TEXT NOT NULL,
    audience   INTEGER NOT NULL,
    change     TEXT NOT NULL,
    member_key TEXT NOT NULL
) STRICT;

CREATE INDEX live_queue_next ON live_queue (workspace, audience, id);

-- Dates of customers that conditions of live audiences compare with the present.
CREATE TABLE watched_dates (
    workspace TEXT NOT NULL,
    field     TEXT NOT NULL,
    PRIMARY KEY (workspace, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer_dates (
    workspace TEXT NOT NULL,
    field     TEXT NOT NULL,
    at        TEXT NOT NULL,
    customer  INTEGER NOT NULL,
    PRIMARY KEY (workspace, field, at, customer)
) STRICT, WITHOUT ROWID;

CREATE INDEX customer_dates_of ON customer_dates (workspace, customer);
