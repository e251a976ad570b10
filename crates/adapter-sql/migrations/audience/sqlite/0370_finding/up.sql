-- What lists of audiences are sorted by and filtered by, so that neither a page nor its total reads every row.
CREATE INDEX audiences_shown ON audiences (workspace, id)
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_by_change ON audiences (workspace, updated_at, id)
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_by_status ON audiences (workspace, status, id, audience_type, asks_for_scores, resource)
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_by_type ON audiences (workspace, audience_type, id, status)
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_by_total ON audiences (workspace, contacts, id)
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_by_active ON audiences (workspace, (contacts - unsubscribed), id)
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_by_text ON audiences (workspace, id, search_key, tags_key)
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_with_scores ON audiences (workspace, id)
    WHERE visibility = 'ready' AND deleted_at IS NULL AND asks_for_scores = 1;
