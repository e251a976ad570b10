-- When audiences are refreshed by themselves. `times` tells whether a change of an audience is one of its
-- times. A row is here exactly while the audience has such times.
CREATE TABLE audience_schedules (
    audience  BIGINT PRIMARY KEY REFERENCES audiences (id),
    workspace TEXT COLLATE "C" NOT NULL,
    times     TEXT COLLATE "C" NOT NULL,
    next_at   TIMESTAMPTZ NOT NULL
);

CREATE INDEX audience_schedules_due ON audience_schedules (next_at, audience);

-- Those that were there before are due, and then at their times.
INSERT INTO audience_schedules (audience, workspace, times, next_at)
SELECT id, workspace, '', created_at FROM audiences
WHERE kind = 'dynamic' AND audience_type <> 'static' AND status <> 'draft'
  AND visibility = 'ready' AND deleted_at IS NULL;
