-- Whether a workspace wants events of who enters and leaves its segments, and the changes of which there are none yet.
ALTER TABLE workspaces ADD COLUMN members_changed_events INTEGER NOT NULL DEFAULT 0;

CREATE TABLE member_changes (
    audience   INTEGER NOT NULL,
    request    INTEGER NOT NULL,
    member_key TEXT NOT NULL,
    PRIMARY KEY (audience, request, member_key)
) STRICT, WITHOUT ROWID;
