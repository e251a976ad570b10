-- What something outside told of its use of audiences. What does not use one any more is kept for a while,
-- so that what it told before is not taken for news.
CREATE TABLE audience_usages (
    workspace  TEXT NOT NULL,
    audience   INTEGER NOT NULL REFERENCES audiences (id),
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    resource   INTEGER NOT NULL,
    in_use     INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (audience, kind, id)
) STRICT, WITHOUT ROWID;

-- The audiences that conditions name, dropped ones and ones of other workspaces included.
CREATE TABLE audience_references (
    workspace TEXT NOT NULL,
    audience  INTEGER NOT NULL REFERENCES audiences (id),
    refers_to INTEGER NOT NULL,
    PRIMARY KEY (audience, refers_to)
) STRICT, WITHOUT ROWID;

CREATE INDEX audience_references_to ON audience_references (workspace, refers_to, audience);

INSERT INTO audience_references (workspace, audience, refers_to)
SELECT DISTINCT named.workspace, named.audience, CAST(named.digits AS INTEGER)
FROM (
    SELECT audiences.workspace AS workspace, audiences.id AS audience,
           replace(json_extract(condition.value, '$.value'), 'aud_', '') AS digits
    FROM audiences,
         json_each(audiences.definition, '$.groups') AS part,
         json_each(part.value, '$.conditions') AS condition
    WHERE audiences.kind = 'dynamic'
      AND CASE WHEN condition.type = 'object'
               THEN json_extract(condition.value, '$.kind') END = 'audience'
) AS named
WHERE named.digits NOT GLOB '*[^0-9]*' AND length(named.digits) BETWEEN 1 AND 18;
