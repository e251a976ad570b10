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
CREATE INDEX audiences_with_scores ON audiences (workspace, id)
    WHERE visibility = 'ready' AND deleted_at IS NULL AND asks_for_scores = 1;

-- What an index finds of a text: its trigrams, and whole lines. They begin with the workspace, so
-- that nobody's search meets texts of others. Both cost more than a look at an index, which planners have to know.
CREATE FUNCTION trigrams(workspace TEXT, value TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
    SELECT COALESCE(array_agg(DISTINCT workspace || ':' || substr(value, n, 3)), '{}')
    FROM generate_series(1, length(value) - 2) AS n
$$;
CREATE FUNCTION lines(workspace TEXT, value TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
    SELECT COALESCE(array_agg(DISTINCT workspace || ':' || line), '{}')
    FROM unnest(string_to_array(value, E'\n')) AS line WHERE line <> ''
$$;
CREATE INDEX audiences_by_text ON audiences USING gin (trigrams(workspace, search_key))
    WHERE visibility = 'ready' AND deleted_at IS NULL;
CREATE INDEX audiences_by_tag ON audiences USING gin (lines(workspace, tags_key))
    WHERE visibility = 'ready' AND deleted_at IS NULL;
