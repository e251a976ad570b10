-- The environment that this database belongs to.
CREATE TABLE environment (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
) STRICT;
