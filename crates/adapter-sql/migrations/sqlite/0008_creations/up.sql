-- Audiences that a request is making. What is here after its lease was abandoned.
CREATE TABLE creations (
    audience    INTEGER PRIMARY KEY REFERENCES audiences (id),
    workspace   TEXT NOT NULL,
    write_id    INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX creations_write_id ON creations (write_id);
CREATE INDEX creations_lapsing ON creations (lease_until);
