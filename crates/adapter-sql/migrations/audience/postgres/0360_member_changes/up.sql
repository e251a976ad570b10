-- Whether a workspace is told who enters and leaves its segments, and whom it has not been told about yet.
ALTER TABLE workspaces ADD COLUMN members_changed_events BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE member_news (
    audience   BIGINT NOT NULL,
    request    BIGINT NOT NULL,
    member_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (audience, request, member_key)
);
