-- Refreshes that readers have seen. Those without an operation are batches of changes of live audiences.
CREATE TABLE audience_refreshes (
    audience  INTEGER NOT NULL REFERENCES audiences (id),
    request   INTEGER NOT NULL,
    operation INTEGER,
    cause     TEXT NOT NULL,
    epoch     INTEGER NOT NULL,
    began_at  INTEGER NOT NULL,
    shown_at  INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    entered   INTEGER NOT NULL,
    departed  INTEGER NOT NULL,
    changed   INTEGER NOT NULL,
    bytes     INTEGER,
    PRIMARY KEY (audience, request)
) STRICT, WITHOUT ROWID;

CREATE INDEX audience_refreshes_listed ON audience_refreshes (audience, request)
    WHERE operation IS NOT NULL;
CREATE INDEX audience_refreshes_age ON audience_refreshes (shown_at);

-- Who has left an audience: by which refresh they entered, and by which they left.
CREATE TABLE audience_departures (
    audience   INTEGER NOT NULL,
    member_key TEXT NOT NULL,
    entered    INTEGER NOT NULL,
    departed   INTEGER NOT NULL,
    PRIMARY KEY (audience, member_key, entered)
) STRICT, WITHOUT ROWID;

CREATE INDEX audience_departures_of ON audience_departures (audience, departed);
