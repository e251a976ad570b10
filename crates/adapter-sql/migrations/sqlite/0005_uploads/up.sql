CREATE TABLE uploads (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    blob       TEXT NOT NULL,
    file_name  TEXT,
    bytes      INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    detected   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX uploads_age ON uploads (created_at, id);
