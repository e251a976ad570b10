-- What a sender was asked to send. `status` is missing until it is known what became of it; `detail` is the other
-- side's name of what was sent, or why it was not.
CREATE TABLE sent_dispatches (
    workspace TEXT NOT NULL,
    dispatch  TEXT NOT NULL,
    tries     INTEGER NOT NULL,
    status    TEXT,
    detail    TEXT,
    at        INTEGER NOT NULL,
    PRIMARY KEY (workspace, dispatch)
) STRICT;

CREATE INDEX sent_dispatches_at ON sent_dispatches (at);
