-- Who is not to be written to, as a keyed hash of phone, e-mail or document.
CREATE TABLE suppressions (
    workspace  TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL,
    id         BIGINT NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, kind, hash)
);

CREATE UNIQUE INDEX suppressions_by_age ON suppressions (workspace, id);

CREATE INDEX suppressions_by_reason ON suppressions (workspace, reason, id);

CREATE INDEX suppressions_by_kind ON suppressions (workspace, kind, id);
