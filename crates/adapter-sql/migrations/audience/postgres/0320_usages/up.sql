-- What something outside told of its use of audiences. What does not use one any more is kept for a while,
-- so that what it told before is not taken for news.
CREATE TABLE audience_usages (
    workspace  TEXT COLLATE "C" NOT NULL,
    audience   BIGINT NOT NULL REFERENCES audiences (id),
    kind       TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    name       TEXT NOT NULL,
    resource   INTEGER NOT NULL,
    in_use     INTEGER NOT NULL,
    version    BIGINT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (audience, kind, id)
);

-- The audiences that conditions name, dropped ones and ones of other workspaces included.
CREATE TABLE audience_references (
    workspace TEXT COLLATE "C" NOT NULL,
    audience  BIGINT NOT NULL REFERENCES audiences (id),
    refers_to BIGINT NOT NULL,
    PRIMARY KEY (audience, refers_to)
);

CREATE INDEX audience_references_to ON audience_references (workspace, refers_to, audience);

INSERT INTO audience_references (workspace, audience, refers_to)
SELECT DISTINCT named.workspace, named.audience, CAST(named.digits AS BIGINT)
FROM (
    SELECT audiences.workspace AS workspace, audiences.id AS audience,
           replace(condition.value ->> 'value', 'aud_', '') AS digits
    FROM audiences,
         jsonb_array_elements(audiences.definition -> 'groups') AS part (value),
         jsonb_array_elements(
             CASE jsonb_typeof(part.value -> 'conditions')
                  WHEN 'array' THEN part.value -> 'conditions' ELSE '[]' END
         ) AS condition (value)
    WHERE audiences.kind = 'dynamic' AND condition.value ->> 'kind' = 'audience'
) AS named
WHERE CASE WHEN named.digits ~ '^[0-9]{1,18}$' THEN true ELSE false END;
