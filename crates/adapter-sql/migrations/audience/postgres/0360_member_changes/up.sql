-- Whether a workspace wants events of who enters and leaves its segments, and the changes of which there are none yet.
ALTER TABLE workspaces ADD COLUMN members_changed_events BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE member_changes (
    audience   BIGINT NOT NULL,
    request    BIGINT NOT NULL,
    member_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (audience, request, member_key)
);
