-- Refreshes that readers have seen. Those without an operation are batches of changes of live audiences.
CREATE TABLE audience_refreshes (
    audience  BIGINT NOT NULL REFERENCES audiences (id),
    request   BIGINT NOT NULL,
    operation BIGINT,
    cause     TEXT NOT NULL,
    epoch     BIGINT NOT NULL,
    began_at  TIMESTAMPTZ NOT NULL,
    shown_at  TIMESTAMPTZ NOT NULL,
    size      BIGINT NOT NULL,
    entered   BIGINT NOT NULL,
    departed  BIGINT NOT NULL,
    changed   BIGINT NOT NULL,
    bytes     BIGINT,
    PRIMARY KEY (audience, request)
);

CREATE INDEX audience_refreshes_listed ON audience_refreshes (audience, request)
    WHERE operation IS NOT NULL;
CREATE INDEX audience_refreshes_age ON audience_refreshes (shown_at);

-- Who has left an audience: by which refresh they entered, and by which they left.
CREATE TABLE audience_departures (
    audience   BIGINT NOT NULL,
    member_key TEXT COLLATE "C" NOT NULL,
    entered    BIGINT NOT NULL,
    departed   BIGINT NOT NULL,
    PRIMARY KEY (audience, member_key, entered)
);

CREATE INDEX audience_departures_of ON audience_departures (audience, departed);
