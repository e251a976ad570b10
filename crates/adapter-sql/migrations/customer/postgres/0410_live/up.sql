-- Workspaces with live audiences: the instant as of which they are kept, and who keeps them.
CREATE TABLE live_workspaces (
    workspace     TEXT COLLATE "C" PRIMARY KEY,
    looked_until  TIMESTAMPTZ NOT NULL,
    watches_dates INTEGER NOT NULL,
    owner         TEXT NOT NULL,
    lease_until   TIMESTAMPTZ NOT NULL
);

-- Whose memberships have to be looked at: by key, and for one audience where one is named (0: for all).
CREATE TABLE live_queue (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    audience   BIGINT NOT NULL,
    change     TEXT NOT NULL,
    member_key TEXT COLLATE "C" NOT NULL
);

CREATE INDEX live_queue_next ON live_queue (workspace, audience, id);

-- Dates of customers that conditions of live audiences compare with the present.
CREATE TABLE watched_dates (
    workspace TEXT COLLATE "C" NOT NULL,
    field     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace, field)
);

CREATE TABLE customer_dates (
    workspace TEXT COLLATE "C" NOT NULL,
    field     TEXT COLLATE "C" NOT NULL,
    at        TEXT COLLATE "C" NOT NULL,
    customer  BIGINT NOT NULL,
    PRIMARY KEY (workspace, field, at, customer)
);

CREATE INDEX customer_dates_of ON customer_dates (workspace, customer);
