-- Whether a workspace is told who enters and leaves its segments, and whom it has not been told about yet.
ALTER TABLE workspaces ADD COLUMN members_changed_events INTEGER NOT NULL DEFAULT 0;

CREATE TABLE member_news (
    audience   INTEGER NOT NULL,
    request    INTEGER NOT NULL,
    member_key TEXT NOT NULL,
    PRIMARY KEY (audience, request, member_key)
) STRICT, WITHOUT ROWID;
