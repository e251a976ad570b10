-- Audiences that a request is making. What is here after its lease was abandoned.
CREATE TABLE creations (
    audience    BIGINT PRIMARY KEY REFERENCES audiences (id),
    workspace   TEXT COLLATE "C" NOT NULL,
    write_id    BIGINT NOT NULL,
    lease_until TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX creations_write_id ON creations (write_id);
CREATE INDEX creations_lapsing ON creations (lease_until);
