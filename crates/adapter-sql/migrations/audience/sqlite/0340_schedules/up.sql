-- When audiences are refreshed by themselves. `times` tells whether a change of an audience is one of its
-- times. A row is here exactly while the audience has such times.
CREATE TABLE audience_schedules (
    audience  INTEGER PRIMARY KEY REFERENCES audiences (id),
    workspace TEXT NOT NULL,
    times     TEXT NOT NULL,
    next_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX audience_schedules_due ON audience_schedules (next_at, audience);

-- Those that were there before are due, and then at their times.
INSERT INTO audience_schedules (audience, workspace, times, next_at)
SELECT id, workspace, '', created_at FROM audiences
WHERE kind = 'dynamic' AND audience_type <> 'static' AND status <> 'draft'
  AND visibility = 'ready' AND deleted_at IS NULL;
