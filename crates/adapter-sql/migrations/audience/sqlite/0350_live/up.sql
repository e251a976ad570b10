-- Audiences whose members follow every change.
CREATE INDEX audiences_live ON audiences (workspace, id)
    WHERE audience_type = 'live' AND deleted_at IS NULL;
-- Reports that time alone makes count, or count no more.
CREATE INDEX outcomes_time ON outcomes (workspace, occurred_at);
