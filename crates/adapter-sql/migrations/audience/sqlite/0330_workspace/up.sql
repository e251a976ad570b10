-- What workspaces have decided. Forms of values of customers are written in this notation, which changes only
-- while there are none.
CREATE TABLE workspaces (
    workspace         TEXT PRIMARY KEY,
    timezone          TEXT NOT NULL,
    locale            TEXT NOT NULL,
    excluded_audience INTEGER,
    version           INTEGER NOT NULL
) STRICT;
