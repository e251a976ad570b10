-- Who is not to be written to, as a keyed hash of phone, e-mail or document.
CREATE TABLE suppressions (
    workspace  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    id         INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, kind, hash)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX suppressions_by_age ON suppressions (workspace, id);

CREATE INDEX suppressions_by_reason ON suppressions (workspace, reason, id);

CREATE INDEX suppressions_by_kind ON suppressions (workspace, kind, id);
