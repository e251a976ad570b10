CREATE TABLE uploads (
    id         BIGINT PRIMARY KEY,
    workspace  TEXT COLLATE "C" NOT NULL,
    blob       TEXT NOT NULL,
    file_name  TEXT,
    bytes      BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    detected   JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX uploads_age ON uploads (created_at, id);
