-- What a sender was asked to send. `status` is missing until it is known what became of it; `detail` is the other
-- side's name of what was sent, or why it was not.
CREATE TABLE sent_dispatches (
    workspace TEXT COLLATE "C" NOT NULL,
    dispatch  TEXT COLLATE "C" NOT NULL,
    tries     BIGINT NOT NULL,
    status    TEXT COLLATE "C",
    detail    TEXT,
    at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace, dispatch)
);

CREATE INDEX sent_dispatches_at ON sent_dispatches (at);
